"""Fields that are masked whole: taken out, replaced by a keyed hash, or cut to their last letters."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from yaat_core import tags
from yaat_core.event import EventBatch
from yaat_plugin_scrub.config import Mask
from yaat_plugin_scrub.detectors import SHIELD
from yaat_plugin_scrub.redaction import scattered
from yaat_plugin_scrub.sheet import TAG_VALUES, Sheet

#: In front of a value that was masked whole: no detector looks at it by its name.
MASKED: Final = SHIELD * 2
_HIDDEN: Final = MASKED + b"***"
#: Of the 64 hex digits of SHA-256: 128 bits, as HMAC-SHA-256-128 (RFC 4868).
_DIGITS: Final = 32


def removed(masks: Sequence[Mask], batch: EventBatch) -> tuple[EventBatch, dict[str, int]]:
    """The batch without the fields that are to be removed, and by mask how many values those were."""
    counts: dict[str, int] = {}
    columns: dict[str, Any] = {}
    for mask in masks:
        if mask.action != "remove":
            continue
        here = [field for field in mask.fields if not field.startswith("tags.")]
        names = [field.removeprefix("tags.") for field in mask.fields if field.startswith("tags.")]
        count = sum(len(batch) - batch.column(field).null_count for field in here if field not in columns)
        columns.update((field, pa.nulls(len(batch), pa.string())) for field in here)
        if names:
            before = columns.get("tags", batch.column("tags"))
            columns["tags"] = tags.without(before, names)
            count += len(tags.parts(before)[0]) - len(tags.parts(columns["tags"])[0])
        counts[mask.name] = count
    return (batch.with_columns(columns) if any(counts.values()) else batch), counts


def masked(mask: Mask, sheet: Sheet) -> int:
    """Hash or cut in every field of the mask; returns how many values changed."""
    if mask.action == "remove":
        return 0
    change = _hashed(mask.key.encode()) if mask.action == "hash" else _cut(mask.keep)
    return sum(_in_field(change, sheet, field) for field in mask.fields)


def _in_field(change: Callable[[Any], Any], sheet: Sheet, field: str) -> int:
    if field.startswith("tags."):
        where = sheet.whose_key_is(field.removeprefix("tags."))
        if not len(where):
            return 0
        part = sheet.part(TAG_VALUES)
        values = part.column()
        chosen = values.take(pa.array(where))
        part.put_column(scattered(values, where, change(chosen)))
        return _filled(chosen)
    part = sheet.part(field)
    if part.texts.null_count == len(part.texts):
        return 0
    count = _filled(part.column())
    part.put(change(part.texts))
    return count


def _filled(values: Any) -> int:
    return int(pc.sum(pc.not_equal(values, "")).as_py() or 0)


def _hashed(key: bytes) -> Callable[[Any], Any]:
    """Each distinct value once; null and the empty text stay."""

    def one(value: str | None) -> bytes | None:
        if not value:
            return None if value is None else b""
        return MASKED + hmac.digest(key, value.encode(), "sha256").hex()[:_DIGITS].encode()

    def change(values: Any) -> Any:
        encoded = values.dictionary_encode()
        hashed = pa.array([one(value) for value in encoded.dictionary.to_pylist()], pa.binary())
        return hashed.take(encoded.indices).view(pa.string())

    return change


def _cut(keep: int) -> Callable[[Any], Any]:
    def change(values: Any) -> Any:
        last = pc.utf8_slice_codeunits(values, start=-keep).view(pa.binary())
        long = pc.greater_equal(pc.utf8_length(values), 2 * keep)
        shown = pc.if_else(long, last, b"")
        hidden = pc.binary_join_element_wise(pa.scalar(_HIDDEN), shown, pa.scalar(b""))
        return pc.if_else(pc.equal(values, ""), b"", hidden).view(pa.string())

    return change
