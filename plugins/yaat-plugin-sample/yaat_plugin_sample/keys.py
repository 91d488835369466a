"""Keys of rows: what some fields of a row hold together, as numbers that are equal for equal rows of a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core import tags
from yaat_core.event import EventBatch

_DIGITS: Final = r"\d+"


@attrs.frozen(eq=False)
class Keys:
    """``codes[i]`` is the index in ``digests`` of row i's key: 16 bytes of BLAKE2b, the same in every batch."""

    codes: Any
    digests: Sequence[bytes]


def keys_of(batch: EventBatch, fields: Sequence[str], *, ignore_numbers: bool = False) -> Keys:
    """The key of each row. A field that is absent differs from one that is empty."""
    encoded = [_encoded(field_of(batch, field), ignore_numbers) for field in fields]
    codes = np.zeros(len(batch), np.int64)
    for indices, values in encoded:
        codes = codes * (len(values) + 1) + indices
        _, codes = np.unique(codes, return_inverse=True)
    count = int(codes.max()) + 1 if len(codes) else 0
    sample = np.zeros(count, np.int64)
    sample[codes[::-1]] = np.arange(len(codes))[::-1]
    digests = [_digest([values[indices[row]] for indices, values in encoded]) for row in sample]
    return Keys(codes, digests)


def field_of(batch: EventBatch, field: str) -> Any:
    """A column, or the tag of ``tags.NAME``, as an Arrow string array."""
    if field.startswith("tags."):
        return tags.get(batch.column("tags"), field.removeprefix("tags."))
    column = batch.column(field)
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def with_any(batch: EventBatch, fields: Sequence[str]) -> Any:
    """The rows (numpy) that have at least one of the fields."""
    found = np.zeros(len(batch), bool)
    for field in fields:
        found |= np.asarray(pc.is_valid(field_of(batch, field)))
    return found


def _encoded(column: Any, ignore_numbers: bool) -> tuple[Any, list[str | None]]:
    """Indices into the distinct values, the last of which stands for null."""
    if ignore_numbers:
        column = pc.replace_substring_regex(column, _DIGITS, "0")
    encoded = column.dictionary_encode()
    values = encoded.dictionary.to_pylist()
    indices = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False).astype(np.int64)
    return indices, [*values, None]


def _digest(parts: Sequence[str | None]) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = b"" if part is None else part.encode("utf-8", "surrogatepass")
        digest.update(b"-" if part is None else len(data).to_bytes(8, "big") + data)
    return digest.digest()


def ranks(groups: Any) -> Any:
    """For each row, how many rows before it are of the same group (numpy integers)."""
    order = np.argsort(groups, kind="stable")
    sorted_groups = groups[order]
    starts = np.flatnonzero(np.r_[True, sorted_groups[1:] != sorted_groups[:-1]])
    lengths = np.diff(np.r_[starts, len(groups)])
    ranked = np.empty(len(groups), np.int64)
    ranked[order] = np.arange(len(groups)) - np.repeat(starts, lengths)
    return ranked


def happened_us(batch: EventBatch) -> Any:
    """When each event happened, microseconds; a time in the future counts as when it was received."""
    happened = np.asarray(batch.column("timestamp").cast(pa.int64()))
    return np.minimum(happened, np.asarray(batch.column("received_at").cast(pa.int64())))
