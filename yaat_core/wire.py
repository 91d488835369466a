"""Events as JSON: what the ingest API accepts, `stdout` prints and dead letters keep.

One object an event, fields in the order of the schema, as ``docs/schema.md`` has them: times as RFC 3339 in UTC with
microseconds and ``Z``, `event_id` as UUID text (RFC 9562), tags as an object. A field that an event does not have
is left out, and so is a number that JSON can't express (NaN, infinities).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core import tags
from yaat_core.event import SCHEMA, EventBatch

_Row: Final = msgspec.defstruct(
    "_Row", [(name, Any, None) for name in SCHEMA.names], omit_defaults=True, gc=False
)
_HEX: Final = np.array([f"{byte:02x}".encode() for byte in range(256)], "S2").view(np.uint8).reshape(256, 2)
#: Where the 32 hex digits of a UUID stand among its 36 characters.
_DIGITS: Final = np.array([place for place in range(36) if place not in (8, 13, 18, 23)])


def to_json_lines(batch: EventBatch) -> bytes:
    """The rows as JSON Lines: one object a line, every line ended by a newline; empty for no rows."""
    return msgspec.json.Encoder().encode_lines(_rows(batch)) if len(batch) else b""


def rows_to_json(batch: EventBatch) -> list[bytes]:
    """The rows as one JSON object each, in order."""
    return list(map(msgspec.json.Encoder().encode, _rows(batch)))


def time_text(times: Any) -> Any:
    """An Arrow timestamp array as RFC 3339 text: ``2026-01-05T10:00:00.000000Z``."""
    return pc.replace_substring(pc.cast(times, pa.string()), " ", "T", max_replacements=1)


def uuid_text(identities: Any) -> Any:
    """A ``binary(16)`` array as UUID text, lower case."""
    rows = len(identities)
    raw = np.frombuffer(identities.buffers()[1], np.uint8)[identities.offset * 16 :][: rows * 16]
    text = np.full((rows, 36), ord("-"), np.uint8)
    text[:, _DIGITS] = _HEX[raw].reshape(rows, 32)
    offsets = pa.py_buffer(np.arange(0, 36 * rows + 1, 36, dtype=np.int32))
    return pa.StringArray.from_buffers(rows, offsets, pa.py_buffer(text))


def _rows(batch: EventBatch) -> list[Any]:
    return list(map(_Row, *(_values(batch, field) for field in SCHEMA)))


def _values(batch: EventBatch, field: pa.Field) -> Any:
    """One column as Python values that encode as they should."""
    column = batch.column(field.name)
    if field.name == "tags":
        return _tag_objects(column)
    if field.name == "event_id":
        return uuid_text(column).to_pylist()
    if pa.types.is_timestamp(field.type):
        return time_text(column).to_pylist()
    if column.null_count == len(column):
        return itertools.repeat(None, len(column))
    if pa.types.is_floating(field.type):
        column = pc.if_else(pc.is_finite(column), column, None)
    return column.to_pylist()


def _tag_objects(column: Any) -> Iterator[dict[str, str]]:
    keys, values, offsets = tags.parts(column)
    pairs = list(zip(keys.to_pylist(), values.to_pylist(), strict=True))
    return (dict(pairs[start:stop]) for start, stop in itertools.pairwise(offsets.tolist()))
