"""Events as JSON: what the ingest API accepts, `stdout` prints and dead letters keep.

One object an event, fields in the order of the schema, as ``docs/schema.md`` has them: times as RFC 3339 in UTC with
microseconds and ``Z``, `event_id` as UUID text (RFC 9562), tags as an object. A field that an event does not have
is left out, and so is a number that JSON can't express (NaN, infinities).

Every column becomes an array of fragments (``"level":"info"``), and the rows are their fragments joined: no loop
over rows. Only texts that need escaping are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core import tags
from yaat_core.event import SCHEMA, EventBatch

#: What may not stand in a JSON string as it is (RFC 8259, section 7): as a pattern, and by byte.
_ODD: Final = r'["\\\x00-\x1f]'
_ODD_BYTES: Final = np.array([byte < 0x20 or byte in b'"\\' for byte in range(256)])
_HEX: Final = np.array([f"{byte:02x}".encode() for byte in range(256)], "S2").view(np.uint8).reshape(256, 2)
#: Where the 32 hex digits of a UUID stand among its 36 characters.
_DIGITS: Final = np.array([place for place in range(36) if place not in (8, 13, 18, 23)])


def to_json_lines(batch: EventBatch) -> bytes:
    """The rows as JSON Lines: one object a line, every line ended by a newline; empty for no rows."""
    if not len(batch):
        return b""
    rows = _rows(batch, "}\n")
    offsets = np.frombuffer(rows.buffers()[1], np.int32)
    return memoryview(rows.buffers()[2])[: offsets[len(rows)]].tobytes()


def rows_to_json(batch: EventBatch) -> list[bytes]:
    """The rows as one JSON object each, in order."""
    return pc.cast(_rows(batch, "}"), pa.binary()).to_pylist() if len(batch) else []


def json_elements(batch: EventBatch) -> tuple[memoryview, Any]:
    """The rows as elements of a JSON array, each followed by a comma: all bytes, and int32 offsets of len + 1.

    Rows ``a`` to ``b`` (exclusive) of an array are ``data[offsets[a] : offsets[b] - 1]``; nothing is copied.
    """
    if not len(batch):
        return memoryview(b""), np.zeros(1, np.int32)
    rows = _rows(batch, "},")
    offsets = np.frombuffer(rows.buffers()[1], np.int32)[: len(rows) + 1]
    return memoryview(rows.buffers()[2])[: offsets[-1]], offsets


def rows_from_json(rows: Sequence[msgspec.Raw]) -> EventBatch:
    """The inverse of `rows_to_json`, but for what JSON can't express.

    Raises:
        msgspec.MsgspecError: a row that is no JSON, lacks a required field, or has one of another type.
    """
    events = [msgspec.json.decode(row, type=_Event) for row in rows]
    columns: dict[str, Any] = {name: [getattr(event, name) for event in events] for name in SCHEMA.names}
    columns["event_id"] = [event.event_id.bytes for event in events]  # type: ignore[attr-defined]
    columns["tags"] = [list(event.tags.items()) for event in events]  # type: ignore[attr-defined]
    arrays = [pa.array(columns[field.name], field.type) for field in SCHEMA]
    return EventBatch(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA))


def time_text(times: Any) -> Any:
    """An Arrow timestamp array (microseconds UTC) as RFC 3339 text: ``2026-01-05T10:00:00.000000Z``."""
    naive = pc.cast(times, pa.timestamp("us"))
    text = pc.replace_substring(pc.cast(naive, pa.string()), " ", "T", max_replacements=1)
    return pc.binary_join_element_wise(text, "Z", "")


def uuid_text(identities: Any) -> Any:
    """A ``binary(16)`` array as UUID text, lower case."""
    rows = len(identities)
    raw = np.frombuffer(identities.buffers()[1], np.uint8)[identities.offset * 16 :][: rows * 16]
    text = np.full((rows, 36), ord("-"), np.uint8)
    text[:, _DIGITS] = _HEX[raw].reshape(rows, 32)
    offsets = pa.py_buffer(np.arange(0, 36 * rows + 1, 36, dtype=np.int32))
    return pa.StringArray.from_buffers(rows, offsets, pa.py_buffer(text))


def _type(field: pa.Field) -> Any:
    """What the JSON value of a field is read as."""
    if field.name == "tags":
        return dict[str, str]
    if field.name == "event_id":
        return UUID
    if pa.types.is_timestamp(field.type):
        return Annotated[datetime, msgspec.Meta(tz=True)]
    if pa.types.is_string(field.type):
        return str
    return float if pa.types.is_floating(field.type) else Annotated[int, msgspec.Meta(ge=0, le=0xFFFF)]


_Event: Final = msgspec.defstruct(
    "_Event",
    [
        (field.name, _type(field) | None, None) if field.nullable else (field.name, _type(field))
        for field in SCHEMA
    ],
    kw_only=True,
)


def _rows(batch: EventBatch, end: str) -> Any:
    """A string array: one object a row, followed by ``end`` (which closes it)."""
    fragments = [
        found for field in SCHEMA if (found := _fragment(field, batch.column(field.name))) is not None
    ]
    inner = pc.binary_join_element_wise(*fragments, ",", null_handling="skip")
    return pc.binary_join_element_wise("{", inner, end, "")


def _fragment(field: pa.Field, column: Any) -> Any:
    """``"name":value`` for each row, null where the row has none; None when no row has any."""
    if column.null_count == len(column):
        return None
    name = f'"{field.name}":'
    if field.name == "tags":
        return pc.binary_join_element_wise(name + "{", _tag_members(column), "}", "")
    if field.name == "event_id":
        return pc.binary_join_element_wise(name + '"', uuid_text(column), '"', "")
    if pa.types.is_timestamp(field.type):
        return pc.binary_join_element_wise(name + '"', time_text(column), '"', "")
    if pa.types.is_string(field.type):
        return pc.binary_join_element_wise(name + '"', _escaped(column), '"', "")
    return pc.binary_join_element_wise(name, _numbers(column), "")


def _tag_members(column: Any) -> Any:
    """What stands between the braces of each row's tags."""
    keys, values, offsets = tags.parts(column)
    if values.null_count:
        values = pc.fill_null(values, "")
    members = pc.binary_join_element_wise('"', _escaped(keys), '":"', _escaped(values), '"', "")
    return pc.binary_join(pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), members), ",")


def _escaped(texts: Any) -> Any:
    """The texts as they stand between the quotes of a JSON string."""
    if not _ODD_BYTES[_bytes(texts)].any():
        return texts
    odd = pc.fill_null(pc.match_substring_regex(texts, _ODD), False)
    encode = msgspec.json.Encoder().encode
    mended = [encode(text)[1:-1].decode() for text in texts.filter(odd).to_pylist()]
    return pc.replace_with_mask(texts, odd, pa.array(mended, pa.string()))


def _bytes(texts: Any) -> Any:
    """All bytes of a string array, as one numpy array; not copied."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return np.empty(0, np.uint8)
    start, stop = np.frombuffer(offsets, np.int32)[[texts.offset, texts.offset + len(texts)]]
    return np.frombuffer(data, np.uint8)[start:stop]


def _numbers(column: Any) -> Any:
    """Numbers as JSON text, null where JSON has no way to write them."""
    written = msgspec.json.encode(column.to_pylist())[1:-1].decode().split(",")
    return pa.array([None if text == "null" else text for text in written], pa.string())
