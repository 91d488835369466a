"""The `tags` column on whole columns: an Arrow map built, merged and rewritten without a loop over rows.

Keys are unique within a row. Every function takes and returns arrays of `TAGS_TYPE`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.event import TAGS_TYPE

#: `true` where a source cut a line that was too long.
TRUNCATED: Final = "log.truncated"


def from_columns(rows: int, columns: Mapping[str, Any]) -> Any:
    """Tags from one string array a key; a null leaves the key out of that row."""
    if not columns or not rows:
        return constant(rows, {})
    names = list(columns)
    arrays = [_plain(columns[name]) for name in names]
    count = len(names)
    values = pa.concat_arrays(arrays)
    present = np.asarray(pc.is_valid(values)).reshape(count, rows).T
    picks = np.arange(count * rows, dtype=np.int64).reshape(count, rows).T[present]
    keys = pa.array(names, pa.string()).take(pa.array(picks // rows))
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(present.sum(axis=1), out=offsets[1:])
    return _map(offsets, keys, values.take(pa.array(picks)))


def constant(rows: int, tags: Mapping[str, str]) -> Any:
    """The same tags in every row."""
    keys = pa.array(list(tags), pa.string())
    values = pa.array(list(tags.values()), pa.string())
    offsets = np.arange(rows + 1, dtype=np.int32) * len(tags)
    picks = pa.array(np.tile(np.arange(len(tags)), rows))
    return _map(offsets, keys.take(picks), values.take(picks))


def merge(own: Any, defaults: Any) -> Any:
    """Both maps row by row; where a key is in both, ``own`` wins."""
    keys, values, offsets = parts(own)
    if len(keys) == 0:
        return defaults
    more_keys, more_values, more_offsets = parts(defaults)
    if len(more_keys) == 0:
        return own
    rows = len(own)
    owner = np.repeat(np.arange(rows), np.diff(offsets))
    more_owner = np.repeat(np.arange(rows), np.diff(more_offsets))
    keep = ~_in_same_row(more_keys, more_owner, keys, owner)
    all_keys = pa.concat_arrays([keys, more_keys])
    all_values = pa.concat_arrays([values, more_values])
    picks = np.concatenate([np.arange(len(keys)), len(keys) + np.flatnonzero(keep)])
    owners = np.concatenate([owner, more_owner[keep]])
    order = np.argsort(owners, kind="stable")
    joined = np.zeros(rows + 1, np.int32)
    np.cumsum(np.bincount(owners, minlength=rows), out=joined[1:])
    picked = pa.array(picks[order])
    return _map(joined, all_keys.take(picked), all_values.take(picked))


def add_constant(own: Any, tags: Mapping[str, str]) -> Any:
    """``own`` with some tags added to every row; the row's own value wins."""
    if not tags or not len(own):
        return own
    keys, values, offsets = parts(own)
    names = pa.array(list(tags), pa.string())
    has = same_keys(keys, offsets)
    if pc.any(pc.is_in(keys if has is None else pa.array(has, pa.string()), value_set=names)).as_py():
        return merge(own, constant(len(own), tags))
    rows, count, more = len(own), len(keys), len(tags)
    joined = offsets + more * np.arange(rows + 1, dtype=np.int32)
    picks = np.empty(joined[-1], np.int32)
    picks[np.arange(count) + more * np.repeat(np.arange(rows), np.diff(offsets))] = np.arange(count)
    for index in range(more):
        picks[joined[1:] - more + index] = count + index
    picked = pa.array(picks)
    all_keys = pa.concat_arrays([keys, names]).take(picked)
    all_values = pa.concat_arrays([values, pa.array(list(tags.values()), pa.string())]).take(picked)
    return _map(joined, all_keys, all_values)


def get(tags: Any, key: str) -> Any:
    """One key's values as a string array, null where a row has no such key."""
    keys, values, offsets = parts(tags)
    hits = np.flatnonzero(np.asarray(pc.equal(keys, key)))
    owner = np.searchsorted(offsets, hits, side="right") - 1
    picks = np.full(len(tags), -1, np.int64)
    picks[owner] = hits
    return values.take(pa.array(picks, mask=picks < 0))


def without(tags: Any, names: Sequence[str]) -> Any:
    """The map without these keys."""
    keys, values, offsets = parts(tags)
    gone = np.asarray(pc.is_in(keys, value_set=pa.array(list(names), pa.string())))
    if not gone.any():
        return tags
    kept = np.zeros(len(keys) + 1, np.int32)
    np.cumsum(~gone, out=kept[1:])
    mask = pa.array(~gone)
    return _map(kept[offsets], keys.filter(mask), values.filter(mask))


def with_values(tags: Any, values: Any) -> Any:
    """The same keys with other values: ``values`` is flat, as `parts` gives it."""
    keys, _, offsets = parts(tags)
    return _map(offsets, keys, values)


def parts(tags: Any) -> tuple[Any, Any, Any]:
    """``(keys, values, offsets)``: flat string arrays and int32 offsets that begin at 0.

    Row ``i`` owns ``[offsets[i], offsets[i + 1])`` of the flat arrays. Right for slices, too.
    """
    tags = _plain(tags)
    raw = (
        np.frombuffer(tags.buffers()[1], np.int32)[tags.offset : tags.offset + len(tags) + 1]
        if len(tags)
        else np.zeros(1, np.int32)
    )
    start, length = int(raw[0]), int(raw[-1] - raw[0])
    return tags.keys.slice(start, length), tags.items.slice(start, length), raw - start


def same_keys(keys: Any, offsets: Any) -> list[str] | None:
    """The keys that every row has, in the same order, or None when rows differ (or have none). Takes what `parts` gives.

    Bytes are compared, nothing is hashed: rows of one origin are mostly alike.
    """
    rows = len(offsets) - 1
    if not rows or not len(keys) or len(keys) % rows or keys.null_count:
        return None
    count = len(keys) // rows
    if not (np.diff(offsets) == count).all():
        return None
    bounds = np.frombuffer(keys.buffers()[1], np.int32)[keys.offset : keys.offset + len(keys) + 1]
    lengths = np.diff(bounds).reshape(rows, count)
    if not (lengths == lengths[0]).all():
        return None
    data = keys.buffers()[2]
    if data is not None and bounds[-1] > bounds[0]:
        letters = np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]].reshape(rows, -1)
        if not (letters == letters[0]).all():
            return None
    names: list[str] = keys.slice(0, count).to_pylist()
    return names


def _in_same_row(keys: Any, owner: Any, among: Any, among_owner: Any) -> Any:
    """For each of ``keys``: does the same row of ``among`` hold the same key?"""
    shared = np.asarray(pc.is_in(keys, value_set=among))
    if not shared.any():
        return shared
    names = pa.concat_arrays([keys, among]).dictionary_encode()
    codes = np.asarray(names.indices).astype(np.int64)
    width = len(names.dictionary)
    ours = owner * width + codes[: len(keys)]
    theirs = among_owner * width + codes[len(keys) :]
    return np.isin(ours, theirs)


def _plain(array: Any) -> Any:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _map(offsets: Any, keys: Any, values: Any) -> Any:
    return pa.MapArray.from_arrays(pa.array(offsets, pa.int32()), keys, values, type=TAGS_TYPE)
