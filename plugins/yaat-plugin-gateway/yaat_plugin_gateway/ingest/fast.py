"""Bodies in which every event is as agents write it: typed structs, then columns, no loop over events.

Answers None when there is anything to look at closely: `ingest.careful` then does, and both give the same batch for what
both accept.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UNSET, UnsetType

from yaat_core.event import EVENT_TYPES, LEVELS, TAGS_TYPE, EventBatch
from yaat_plugin_gateway.ingest import doubled, texts
from yaat_plugin_gateway.ingest.shape import (
    ENVIRONMENT,
    EVENT_TYPE,
    MAX_NAME,
    MAX_TAGS,
    WireBatch,
    WireEvent,
)

_decoder: Final = msgspec.json.Decoder(WireBatch)
_TEXTS: Final = ("message", "stacktrace", "operation", "metric_name")
_HEX: Final = ("trace_id", "span_id", "parent_span_id")
_NUMBERS: Final = ("duration_ms", "metric_value")
#: The caller says what these are.
_NOT_THEIRS: Final = ("organization_id", "received_at")


class _Unusual(Exception):
    """Something has to be looked at closely."""


def decode(body: bytes, organization: str, received: Any) -> EventBatch | None:
    """The batch; None when anything in it is not plain.

    ``received``: Arrow scalar, `received_at` of all, and `timestamp` of those without.
    """
    try:
        events = _decoder.decode(body).events
        return _batch(body, events, organization, received) if events else None
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError, OverflowError, _Unusual):
        return None


def _batch(body: bytes, events: Sequence[WireEvent], organization: str, received: Any) -> EventBatch:
    rows = _Rows(events)
    columns: dict[str, Any] = {
        "organization_id": organization,
        "received_at": received,
        "service_name": rows.names("service_name", ""),
        "environment": rows.names("environment", ENVIRONMENT),
        "event_type": rows.one_of("event_type", EVENT_TYPES, EVENT_TYPE),
        "level": rows.one_of("level", (*LEVELS, ""), None),
        "event_id": rows.identities(),
        "timestamp": rows.times(received),
        "status_code": rows.array("status_code", pa.uint16()),
        "tags": rows.tags(),
    }
    columns |= {name: rows.array(name, pa.string()) for name in _TEXTS}
    columns |= {name: rows.hex(name) for name in _HEX}
    columns |= {name: rows.number(name) for name in _NUMBERS}
    for name in _NOT_THEIRS:
        rows.values(name)
    if not doubled.none(body, rows.seen + 1):
        raise _Unusual
    return EventBatch.build(
        len(events), {name: column for name, column in columns.items() if column is not None}
    )


class _Rows:
    """Columns of the events; counts the names that were there."""

    def __init__(self, events: Sequence[WireEvent]) -> None:
        rows = zip(*map(msgspec.structs.astuple, events), strict=True)
        self._columns: dict[str, tuple[Any, ...]] = dict(zip(WireEvent.__struct_fields__, rows, strict=True))
        self.seen = 0

    def values(self, name: str) -> Sequence[Any] | None:
        """One field of all events, None for absent ones; None altogether when it is nowhere."""
        values: Sequence[Any] = self._columns[name]
        if values[0] is UNSET and values.count(UNSET) == len(values):
            return None
        kinds = set(map(type, values))
        if UnsetType not in kinds:
            self.seen += len(values)
        else:
            self.seen += len(values) - values.count(UNSET)
            values = [None if value is UNSET else value for value in values]
        return values if kinds != {type(None)} else None

    def array(self, name: str, type: Any) -> Any:
        values = self.values(name)
        return None if values is None else pa.array(values, type)

    def names(self, name: str, default: str) -> Any:
        """Short, trimmed, not blank; ``default`` where there is none."""
        values = self._filled(name, default)
        if values is None:
            return default
        for value in set(values):
            if not value or value != value.strip() or len(value) > MAX_NAME // 4:
                raise _Unusual
        return pa.array(values, pa.string())

    def one_of(self, name: str, known: Sequence[str], default: str | None) -> Any:
        values = self._filled(name, default)
        if values is None:
            return default
        different = set(values)
        if not different <= {*known, *([None] if default is None else [])}:
            raise _Unusual
        return pa.array(values, pa.string())

    def _filled(self, name: str, default: str | None) -> Sequence[Any] | None:
        """As `values`, with ``default`` where there is none."""
        values = self.values(name)
        if values is None or default is None or None not in values:
            return values
        return [default if value is None else value for value in values]

    def identities(self) -> Any:
        found = self._all("event_id")
        return None if found is None else _or_unusual(texts.uuids(found))

    def times(self, received: Any) -> Any:
        found = self._all("timestamp")
        return received if found is None else _or_unusual(texts.times(found))

    def hex(self, name: str) -> Any:
        found = self.array(name, pa.string())
        if found is not None and not texts.is_hex(found):
            raise _Unusual
        return found

    def number(self, name: str) -> Any:
        found = self.array(name, pa.float64())
        if found is not None and pc.all(pc.is_finite(found)).as_py() is False:
            raise _Unusual
        return found

    def tags(self) -> Any:
        values = self.values("tags")
        if values is None:
            return None
        tags: Sequence[dict[str, str]] = [value or {} for value in values] if None in values else values
        sizes = list(map(len, tags))
        offsets = [0, *accumulate(sizes)]
        self.seen += offsets[-1]
        keys = list(chain.from_iterable(tags))
        for key in set(keys):
            if not key or len(key) > MAX_NAME // 4:
                raise _Unusual
        if max(sizes) > MAX_TAGS:
            raise _Unusual
        items: list[Any] = list(chain.from_iterable(map(dict.values, tags)))
        return pa.MapArray.from_arrays(
            pa.array(offsets, pa.int32()),
            pa.array(keys, pa.string()),
            pa.array(items, pa.string()),
            type=TAGS_TYPE,
        )

    def _all(self, name: str) -> Sequence[str] | None:
        """A text in every row, or nowhere."""
        values = self.values(name)
        if values is not None and None in values:
            raise _Unusual
        return values


def _or_unusual(found: Any) -> Any:
    if found is None:
        raise _Unusual
    return found
