"""Entries to event batches."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core import ids
from yaat_core.components import Context
from yaat_core.event import TAGS_TYPE, TIME_TYPE, EventBatch, Labels, now
from yaat_plugin_journald import groups, parts
from yaat_plugin_journald.config import JournaldConfig
from yaat_plugin_journald.cursors import Places
from yaat_plugin_journald.entries import Entries, Field
from yaat_plugin_journald.priorities import LEVELS

TRUNCATED_TAG: Final = "log.truncated"
MESSAGE, PRIORITY, SOURCE_TIME = "MESSAGE", "PRIORITY", "_SOURCE_REALTIME_TIMESTAMP"
_PRIORITIES: Final = pa.array([str(number) for number in range(8)])
_LEVELS: Final = pa.array(LEVELS)
#: Microseconds that a time of the journal may be from the epoch: up to the year 9999.
_LATEST_US: Final = 253_402_300_799_999_999
_SERVICE_FIELDS: Final[Mapping[str, Sequence[str]]] = {
    "none": (),
    "unit": ("_SYSTEMD_USER_UNIT", "_SYSTEMD_UNIT"),
    "identifier": ("SYSLOG_IDENTIFIER",),
}


def fields_of(config: JournaldConfig) -> frozenset[str] | None:
    """The fields that events are made of; None: all."""
    if "*" in config.fields:
        return None
    own = (MESSAGE, PRIORITY, SOURCE_TIME, *_SERVICE_FIELDS[config.service_from])
    return frozenset((*own, *config.fields)) | parts.FIELDS | groups.FIELDS


class Maker:
    """Makes batches of one source's entries. ``left_out`` counts fields beyond `max_fields`."""

    def __init__(self, config: JournaldConfig, context: Context, first_seen_ms: int) -> None:
        self._config = config
        self._context = context
        self._first_seen_ms = first_seen_ms
        self.left_out = 0

    def batch(self, entries: Entries, places: Places) -> EventBatch:
        """All of them."""
        rows = len(entries)
        columns: dict[str, Any] = {
            "event_id": self._ids(places),
            "timestamp": _times(entries, places),
            "received_at": now(),
            "message": _dense(rows, entries.fields.get(MESSAGE), _lines),
            "level": _levels(rows, entries.fields.get(PRIORITY)),
            "tags": self._tags(entries),
        }
        if (service := self._service(entries)) is not None:
            columns["service_name"] = service
        return EventBatch.build(rows, columns, Labels(stream="journal"))

    def _ids(self, places: Places) -> Any:
        """From the sequence and boot of each entry, and its number there: the same when it is read again."""
        made = np.empty((len(places.streams), 16), np.uint8)
        streams = np.array(places.streams, "S64")
        for stream in np.unique(streams):
            chosen = np.flatnonzero(streams == stream)
            some = ids.positional(
                self._first_seen_ms,
                self._context.agent_id,
                str(self._context.id),
                bytes(stream),
                places.numbers[chosen],
            )
            made[chosen] = np.frombuffer(some.buffers()[1], np.uint8).reshape(-1, 16)
        return pa.Array.from_buffers(pa.binary(16), len(made), [None, pa.py_buffer(made.tobytes())])

    def _tags(self, entries: Entries) -> Any:
        fields = entries.fields
        if "*" in self._config.fields:
            names = [name for name in fields if name != MESSAGE]
        else:
            names = [name for name in self._config.fields if name in fields]
        parts = [_single(fields[name], _listed) for name in names]
        if entries.cut:
            names.append(TRUNCATED_TAG)
            cut = sorted(set(entries.cut))
            parts.append(Field(cut, [b"true"] * len(cut)))
        tags, left_out = _map(len(entries), names, parts, self._config.max_fields)
        self.left_out += left_out
        return tags

    def _service(self, entries: Entries) -> Any:
        found = None
        for name in _SERVICE_FIELDS[self._config.service_from]:
            column = _dense(len(entries), entries.fields.get(name), _first)
            found = column if found is None else pc.coalesce(found, column)
        if found is None:
            return None
        return pc.fill_null(pc.utf8_trim_whitespace(pc.replace_substring_regex(found, r"\.service$", "")), "")


def _map(rows: int, names: Sequence[str], parts: Sequence[Field], most: int) -> tuple[Any, int]:
    """The tags of all rows at once, whatever fields each has; and how many were left out as too many of a row."""
    counts = [len(part.rows) for part in parts]
    owner = np.concatenate([np.asarray(part.rows, np.int64) for part in parts] or [np.zeros(0, np.int64)])
    key = np.repeat(np.arange(len(parts)), counts)
    order = np.argsort(owner, kind="stable")
    offsets = _offsets(owner, rows)
    rank = np.arange(len(owner)) - offsets[owner[order]]
    if left_out := int((rank >= most).sum()):
        over = np.unique(owner[order][rank >= most])
        order = order[rank < most]
        names = [*names, "journald.fields_left_out"]
        key = np.append(key, np.full(len(over), len(parts)))
        order = np.append(order, len(owner) + np.arange(len(over)))
        owner = np.append(owner, over)
        order = order[np.argsort(owner[order], kind="stable")]
        parts = [*parts, Field(over.tolist(), [b"true"] * len(over))]
        offsets = _offsets(owner[order], rows)
    values = _text([value for part in parts for value in part.values])
    keys = pa.array(names, pa.string()).take(pa.array(key[order]))
    offset_array = pa.array(offsets, pa.int32())
    return pa.MapArray.from_arrays(offset_array, keys, values.take(pa.array(order)), type=TAGS_TYPE), left_out


def _offsets(owner: npt.NDArray[np.int64], rows: int) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=rows))]).astype(np.int64)


def _times(entries: Entries, places: Places) -> Any:
    """When it happened: as its sender said to journald when it is known, else when journald took it."""
    taken = places.times.clip(0, _LATEST_US)
    said = entries.fields.get(SOURCE_TIME)
    if said is not None:
        taken = taken.copy()
        for row, value in zip(said.rows, said.values, strict=True):
            if value.isdigit() and len(value) < 19 and 0 < int(value) <= _LATEST_US:
                taken[row] = int(value)
    return pa.array(taken, pa.int64()).cast(TIME_TYPE)


def _levels(rows: int, field: Field | None) -> Any:
    if field is None:
        return pa.nulls(rows, pa.string())
    return _LEVELS.take(pc.index_in(_dense(rows, field, _first), value_set=_PRIORITIES))


def _dense(rows: int, field: Field | None, joined: Any) -> Any:
    """One value a row, null where there is none; several of one row as ``joined`` makes one of them."""
    if field is None:
        return pa.nulls(rows, pa.string())
    field = _single(field, joined)
    values = _text(field.values)
    if len(field.rows) == rows:
        return values
    picks = np.full(rows, -1, np.int64)
    picks[np.asarray(field.rows)] = np.arange(len(field.rows))
    return values.take(pa.array(picks, mask=picks < 0))


def _single(field: Field, joined: Any) -> Field:
    """At most one value a row."""
    rows = np.asarray(field.rows)
    if not (np.diff(rows) == 0).any():
        return field
    several: dict[int, list[bytes]] = {}
    for row, value in zip(field.rows, field.values, strict=True):
        several.setdefault(row, []).append(value)
    values = [found[0] if len(found) == 1 else joined(found) for found in several.values()]
    return Field(list(several), values)


def _lines(values: Sequence[bytes]) -> bytes:
    return b"\n".join(values)


def _first(values: Sequence[bytes]) -> bytes:
    return values[0]


def _listed(values: Sequence[bytes]) -> bytes:
    """Several values of one field, as `journalctl -o json` writes them: a list."""
    return json.dumps([value.decode("utf-8", "replace") for value in values], ensure_ascii=False).encode()


def _text(values: Sequence[bytes]) -> Any:
    """Bytes as text; what is not UTF-8 becomes U+FFFD."""
    raw = pa.array(values, pa.binary())
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([value.decode("utf-8", "replace") for value in values], pa.string())
