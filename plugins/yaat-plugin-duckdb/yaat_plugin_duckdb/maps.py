"""The `tags` column on its way into DuckDB.

DuckDB checks every Arrow map that it scans for keys that occur twice, entry by entry: 2.5 s of CPU for a million
rows of five tags, more than all other columns together (DuckDB 2.0.1). A STRUCT that is cast to a MAP needs no
such check, since its fields are distinct by construction, and takes a seventh of the time. Rows of one origin have
the same keys in the same order, so the rows of a batch are grouped by that shape: each large group travels as a
STRUCT column of its own, what is left over as the map that it was.
"""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa

from yaat_core import tags as tag_columns
from yaat_core.event import TAGS_TYPE

#: More shapes than this in one batch, and rows of a rarer one, go the slow way.
_MOST_SHAPES: Final = 8
_LEAST_ROWS: Final = 256
_MOST_KEYS: Final = 64
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


@attrs.frozen
class Carried:
    """Arrow columns that carry the tags, and the SQL expression that makes the MAP of them."""

    columns: dict[str, Any]
    expression: str


def carry(tags: Any) -> Carried:
    """How to hand a `tags` array to DuckDB."""
    keys, values, offsets = tag_columns.parts(tags)
    shape_of = np.full(len(tags), -1, np.int8)
    columns: dict[str, Any] = {}
    for shape, rows in enumerate(_shapes(keys, offsets)):
        shape_of[rows] = shape
        columns[f"tags_{shape}"] = _struct(keys, values, offsets, rows, len(tags))
    if not columns:
        return Carried({"tags": tags}, "tags")
    rest = np.flatnonzero(shape_of < 0)
    if len(columns) == 1 and not len(rest):
        return Carried(columns, _cast(0))
    cases = " ".join(f"WHEN {shape} THEN {_cast(shape)}" for shape in range(len(columns)))
    columns["tags_shape"] = pa.array(shape_of)
    columns["tags"] = _only(keys, values, offsets, rest)
    return Carried(columns, f"CASE tags_shape {cases} ELSE tags END")


def _cast(shape: int) -> str:
    return f"CAST(tags_{shape} AS MAP(VARCHAR, VARCHAR))"


def _shapes(keys: Any, offsets: Any) -> list[Any]:
    """Row numbers of each group of rows that have the same keys in the same order, the largest group first."""
    counts = np.diff(offsets)
    if not len(keys):
        return []
    everything = np.arange(len(counts))
    names = tag_columns.same_keys(keys, offsets)
    if names is not None:
        return [everything] if len(counts) >= _LEAST_ROWS and _may_be_fields(names) else []
    encoded = keys.dictionary_encode()
    codes = np.asarray(encoded.indices)
    found = []
    hashes = _hashes(codes, offsets, counts)
    _, inverse, sizes = np.unique(hashes, return_inverse=True, return_counts=True)
    for group in np.argsort(-sizes, kind="stable")[:_MOST_SHAPES]:
        rows = np.flatnonzero(inverse == group)
        if _suits(encoded, codes, offsets, counts, rows):
            found.append(rows)
    return found


def _hashes(codes: Any, offsets: Any, counts: Any) -> Any:
    """A number for each row: the same for the same keys in the same order, hardly ever for others."""
    place = np.arange(len(codes), dtype=np.uint64) - np.repeat(offsets[:-1], counts).astype(np.uint64)
    with np.errstate(over="ignore"):
        mixed = (codes.astype(np.uint64) + np.uint64(1)) * _MIX ^ (place + np.uint64(1)) * (
            _MIX << np.uint64(7)
        )
        mixed ^= mixed >> np.uint64(29)
        sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed * _MIX, dtype=np.uint64)])
        return sums[offsets[1:]] - sums[offsets[:-1]]


def _suits(encoded: Any, codes: Any, offsets: Any, counts: Any, rows: Any) -> bool:
    """Are the rows enough, of the same keys indeed, and may these be names of fields?"""
    count = int(counts[rows[0]])
    if len(rows) < _LEAST_ROWS or not 0 < count <= _MOST_KEYS:
        return False
    return _same(codes, offsets, counts, rows, count) and _plain(encoded, codes, offsets, rows, count)


def _same(codes: Any, offsets: Any, counts: Any, rows: Any, count: int) -> bool:
    """Is it true what the hash says: every one of the rows has the same keys?"""
    if not (counts[rows] == count).all():
        return False
    own = codes[offsets[rows][:, None] + np.arange(count)]
    return bool((own == own[0]).all())


def _plain(encoded: Any, codes: Any, offsets: Any, rows: Any, count: int) -> bool:
    start = int(offsets[rows[0]])
    return _may_be_fields(encoded.dictionary.take(pa.array(codes[start : start + count])).to_pylist())


def _may_be_fields(names: list[str]) -> bool:
    """May these keys be names of fields? Such are C strings on the way, distinct, and an empty one is no name."""
    distinct = len(names) <= _MOST_KEYS and len(set(names)) == len(names)
    return distinct and all(name and "\0" not in name for name in names)


def _struct(keys: Any, values: Any, offsets: Any, rows: Any, total: int) -> Any:
    """A STRUCT with a field a key; null in rows of another shape."""
    start, count = int(offsets[rows[0]]), int(offsets[rows[0] + 1] - offsets[rows[0]])
    picks = np.zeros(total, np.int64)
    picks[rows] = offsets[rows]
    absent = np.ones(total, bool)
    absent[rows] = False
    mask = absent if len(rows) < total else None
    fields = [values.take(pa.array(picks + place, mask=mask)) for place in range(count)]
    return pa.StructArray.from_arrays(fields, names=keys.slice(start, count).to_pylist())


def _only(keys: Any, values: Any, offsets: Any, rows: Any) -> Any:
    """The map with the entries of these rows alone; the others are empty."""
    counts = np.zeros(len(offsets) - 1, np.int32)
    counts[rows] = np.diff(offsets)[rows]
    kept = np.zeros(len(offsets), np.int32)
    np.cumsum(counts, out=kept[1:])
    owner = np.repeat(np.arange(len(counts)), counts)
    picks = pa.array(np.arange(len(owner)) - kept[owner] + offsets[owner])
    return pa.MapArray.from_arrays(pa.array(kept), keys.take(picks), values.take(picks), type=TAGS_TYPE)
