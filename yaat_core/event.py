"""The event contract: `Event`, `EventBatch` and `SCHEMA`, the one definition of both.

What flows through the agent is an `EventBatch`: an Arrow record batch of `SCHEMA` plus the
`Labels` that hold for all of its rows. Code on the hot path works on whole columns;
`EventBatch.from_events` and iteration give plugin authors the simple view.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Final, Literal

import attrs
import pyarrow as pa
import pyarrow.compute as pc

Level = Literal["debug", "info", "warning", "error", "critical", ""]
EventType = Literal["log", "span", "metric"]

LEVELS: Final = ("debug", "info", "warning", "error", "critical")
EVENT_TYPES: Final = ("log", "span", "metric")
TAGS_TYPE: Final = pa.map_(pa.string(), pa.string())
TIME_TYPE: Final = pa.timestamp("us", "UTC")

#: Bumped when the columns change; travels in queue records, databases and request headers.
SCHEMA_VERSION: Final = 1

SCHEMA: Final = pa.schema(
    [
        pa.field("organization_id", pa.string(), nullable=False),
        pa.field("service_name", pa.string(), nullable=False),
        pa.field("environment", pa.string(), nullable=False),
        pa.field("event_id", pa.binary(16), nullable=False),
        pa.field("timestamp", TIME_TYPE, nullable=False),
        pa.field("received_at", TIME_TYPE, nullable=False),
        pa.field("event_type", pa.string(), nullable=False),
        pa.field("level", pa.string()),
        pa.field("message", pa.string()),
        pa.field("stacktrace", pa.string()),
        pa.field("trace_id", pa.string()),
        pa.field("span_id", pa.string()),
        pa.field("parent_span_id", pa.string()),
        pa.field("operation", pa.string()),
        pa.field("duration_ms", pa.float64()),
        pa.field("status_code", pa.uint16()),
        pa.field("metric_name", pa.string()),
        pa.field("metric_value", pa.float64()),
        pa.field("tags", TAGS_TYPE, nullable=False),
    ]
)

#: What each column means, for `docs/schema.md`, the JSON Schema and `yaat query`'s help.
FIELD_HELP: Final[Mapping[str, str]] = {
    "organization_id": "tenant; `local` when offline, else filled by the backend from the API key",
    "service_name": "emitting service, non-empty, trimmed",
    "environment": "deployment environment, `production` by default",
    "event_id": "identity, used for deduplication: UUIDv8 from the position, or UUIDv7",
    "timestamp": "when it happened, microseconds UTC; the time of reading when the event names none",
    "received_at": "when it was received, microseconds UTC; the backend may overwrite it",
    "event_type": "`log`, `span` or `metric`",
    "level": "`debug`, `info`, `warning`, `error`, `critical` or empty",
    "message": "text of a log",
    "stacktrace": "multi-line trace joined to its event",
    "trace_id": "lower-case hex",
    "span_id": "lower-case hex",
    "parent_span_id": "lower-case hex",
    "operation": "what a span did, e.g. `GET /users/{id}`",
    "duration_ms": "duration of a span, milliseconds",
    "status_code": "HTTP or domain status",
    "metric_name": "name of a metric",
    "metric_value": "value of a metric",
    "tags": "everything else, text to text",
}


def now() -> datetime:
    """The wall clock, UTC."""
    return datetime.now(UTC)


@attrs.frozen(kw_only=True)
class Event:
    """One event, as a plugin author sees it. Field meanings: `FIELD_HELP`.

    Empty ``service_name``, ``environment`` and ``organization_id`` are filled by the pipeline
    from labels, source and configuration; an `event_id` that is absent is made by it.
    """

    message: str | None = None
    level: str | None = None
    timestamp: datetime = attrs.field(factory=now)
    received_at: datetime = attrs.field(factory=now)
    event_type: str = "log"
    service_name: str = ""
    environment: str = ""
    organization_id: str = ""
    event_id: uuid.UUID | None = None
    stacktrace: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    parent_span_id: str | None = None
    operation: str | None = None
    duration_ms: float | None = None
    status_code: int | None = None
    metric_name: str | None = None
    metric_value: float | None = None
    tags: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Labels:
    """What a source says of a whole batch; the core reads it, processors may.

    ``format`` names the parser for the batch and wins over the source's own ``format``;
    ``stream`` identifies where the rows come from (a file's path, a container's id), stable
    over batches, so that a processor may keep what it learnt per stream;
    ``service_name``, ``environment`` and ``tags`` are defaults that the event's own values win over;
    ``opening`` is what the stream began with, in lines, when reading goes on in its middle (after a
    restart): a format that learns from a header looks there. It is no event, and was one before.
    ``relayed`` says that the events came about elsewhere and passed another agent: their tags `yaat.*` stay as that agent
    set them, they get no `host.name` of this host, and `yaat.gateway` is what this agent adds.
    """

    format: str | None = None
    stream: str = ""
    service_name: str = ""
    environment: str = ""
    tags: Mapping[str, str] = attrs.field(factory=dict)
    opening: str = ""
    relayed: bool = False


NO_LABELS: Final = Labels()

#: Bytes up to which a batch's memory is told by whole buffers: exactly, it takes as long as for a large batch.
_SMALL: Final = 16 * 1024


@attrs.frozen(eq=False)
class EventBatch:
    """Rows of `SCHEMA` as one Arrow record batch, with the labels that hold for all of them.

    Immutable: every method that changes something returns a new batch that shares what it can.
    """

    columns: pa.RecordBatch
    labels: Labels = NO_LABELS

    @classmethod
    def build(cls, rows: int, columns: Mapping[str, Any], labels: Labels = NO_LABELS) -> EventBatch:
        """A batch of ``rows`` from some columns (arrays, or scalars for all rows).

        Columns that are not given take their empty value: null, or for the required ones
        ``""``, an empty map, `log`, the present time, and an all-zero `event_id` (which the
        pipeline replaces by a UUIDv7).

        Raises:
            KeyError: a name that is not in `SCHEMA`.
            pyarrow.ArrowInvalid: an array of another length.
        """
        unknown = set(columns) - set(SCHEMA.names)
        if unknown:
            raise KeyError(f"no such column: {', '.join(sorted(unknown))}")
        arrays = [_array(field, columns.get(field.name), rows) for field in SCHEMA]
        return cls(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA), labels)

    @classmethod
    def from_events(cls, events: Sequence[Event], labels: Labels = NO_LABELS) -> EventBatch:
        """A batch from `Event` objects, for sources that see few events."""
        columns: dict[str, Any] = {
            name: [getattr(event, name) for event in events]
            for name in SCHEMA.names
            if name not in ("event_id", "tags")
        }
        columns["event_id"] = [event.event_id.bytes if event.event_id else bytes(16) for event in events]
        columns["tags"] = [list(event.tags.items()) for event in events]
        arrays = [pa.array(columns[field.name], field.type) for field in SCHEMA]
        return cls(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA), labels)

    @classmethod
    def empty(cls) -> EventBatch:
        """No rows."""
        return cls.build(0, {})

    @classmethod
    def concat(cls, batches: Sequence[EventBatch]) -> EventBatch:
        """The rows of all, in order; labels are kept only when all are the same."""
        if len(batches) == 1:
            return batches[0]
        if not batches:
            return cls.empty()
        labels = batches[0].labels
        same = all(batch.labels == labels for batch in batches)
        joined = pa.concat_batches([batch.columns for batch in batches])
        return cls(joined, labels if same else NO_LABELS)

    def __len__(self) -> int:
        return int(self.columns.num_rows)

    @cached_property
    def nbytes(self) -> int:
        """Bytes of memory that the columns take; up to 16 KiB with what they share with other batches."""
        whole = int(self.columns.get_total_buffer_size())
        return whole if whole <= _SMALL else int(self.columns.nbytes)

    def column(self, name: str) -> Any:
        """The Arrow array of one column."""
        return self.columns.column(SCHEMA.get_field_index(name))

    def with_columns(self, columns: Mapping[str, Any]) -> EventBatch:
        """The batch with these columns replaced (arrays, or scalars for all rows)."""
        arrays = [
            _array(field, columns[field.name], len(self))
            if field.name in columns
            else self.columns.column(index)
            for index, field in enumerate(SCHEMA)
        ]
        return EventBatch(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA), self.labels)

    def with_labels(self, labels: Labels) -> EventBatch:
        """The same rows under other labels."""
        return EventBatch(self.columns, labels)

    def filter(self, mask: Any) -> EventBatch:
        """The rows where the boolean array ``mask`` is true (null counts as false)."""
        return EventBatch(self.columns.filter(mask), self.labels)

    def slice(self, start: int, length: int | None = None) -> EventBatch:
        """Rows from ``start`` on, without copying."""
        return EventBatch(self.columns.slice(start, length), self.labels)

    def __iter__(self) -> Iterator[Event]:
        for row in self.columns.to_pylist():
            row["tags"] = dict(row["tags"])
            raw = row["event_id"]
            row["event_id"] = uuid.UUID(bytes=raw) if any(raw) else None
            yield Event(**row)

    def to_ipc(self) -> bytes:
        """The rows as an Arrow IPC stream, zstd-compressed; labels are not stored."""
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression="zstd")
        with pa.ipc.new_stream(sink, SCHEMA, options=options) as writer:
            writer.write_batch(self.columns)
        return bytes(sink.getvalue())

    @classmethod
    def from_ipc(cls, data: Any) -> EventBatch:
        """The inverse of `to_ipc`: bytes or any buffer.

        Raises:
            pyarrow.ArrowInvalid: bytes that are not such a stream, or of another schema.
        """
        with pa.ipc.open_stream(pa.py_buffer(data)) as reader:
            if not reader.schema.equals(SCHEMA):
                raise pa.ArrowInvalid(f"not the event schema: {reader.schema}")
            batches = list(reader)
        if len(batches) == 1:
            return cls(batches[0])
        return cls.concat([cls(batch) for batch in batches])


_DEFAULTS: Final[Mapping[str, Any]] = {
    "organization_id": "",
    "service_name": "",
    "environment": "",
    "event_id": bytes(16),
    "event_type": "log",
}


def _array(field: pa.Field, value: Any, rows: int) -> Any:
    if isinstance(value, pa.ChunkedArray):
        value = value.combine_chunks()
    if isinstance(value, pa.Array):
        return value if value.type == field.type else pc.cast(value, field.type)
    if value is None:
        if field.name in ("timestamp", "received_at"):
            value = now()
        elif field.name == "tags":
            offsets = pa.repeat(pa.scalar(0, pa.int32()), rows + 1)
            nothing = pa.array([], pa.string())
            return pa.MapArray.from_arrays(offsets, nothing, nothing)
        elif field.nullable:
            return pa.nulls(rows, field.type)
        else:
            value = _DEFAULTS[field.name]
    if isinstance(value, Mapping):
        value = list(value.items())
    return pa.repeat(pa.scalar(value, field.type), rows)


def events_of(batches: Iterable[EventBatch]) -> Iterator[Event]:
    """The events of several batches, one by one, in order."""
    for batch in batches:
        yield from batch
