"""Which field becomes which column of the event, under any of its names; what no column wants becomes a tag.

Where a row has several names of one column, the first in the table that can be read wins; the others
stay tags under their own names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from functools import partial
from typing import Any, Final

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.event import EVENT_TYPES
from yaat_core.tags import from_columns, merge
from yaat_plugin_parse import date_patterns, levels, timestamps, tracing
from yaat_plugin_parse.found import Fields, Found
from yaat_plugin_parse.matching import kept
from yaat_plugin_parse.templates import Template

Reader = Callable[[Any], Any]
"""A string array to a typed one: null where a value can't be read."""

Names = Mapping[str, Sequence[tuple[str, Reader]]]
"""Column of the event: field names, best first, each with its reader."""

#: Columns whose unreadable value is kept under a tag of this name.
RAW: Final = {"timestamp": "timestamp.raw", "level": "level.raw"}

_NUMBER: Final = r"^-?\d{1,300}(?:\.\d*)?(?:[eE][+-]?\d{1,2})?$"
_STATUS: Final = r"^\d{1,4}$"
_ZERO: Final = pa.scalar(0.0, pa.float64())


def written(column: Any) -> Any:
    """Any text, the empty one too."""
    return column


def text(column: Any) -> Any:
    """Text that is not blank."""
    return kept(column, pc.match_substring_regex(column, r"\S"))


def lines(column: Any) -> Any:
    """Text of several lines: what is called `stack` may be something else."""
    return kept(column, pc.match_substring(column, "\n"))


def number(column: Any) -> Any:
    """Numbers as float64."""
    return pc.cast(kept(column, pc.match_substring_regex(column, _NUMBER)), pa.float64())


def duration(column: Any) -> Any:
    """Numbers that are not negative."""
    found = number(column)
    return kept(found, pc.greater_equal(found, _ZERO))


def status(column: Any) -> Any:
    """Up to four digits."""
    return pc.cast(kept(column, pc.match_substring_regex(column, _STATUS)), pa.uint16())


def event_type(column: Any) -> Any:
    """One of the schema's."""
    return kept(column, pc.is_in(column, value_set=pa.array(EVENT_TYPES, pa.string())))


_LEVEL: Final = levels.parse
_PRIORITY: Final = partial(levels.parse, numbers={**levels.DECIMAL, **levels.SYSLOG})


def _all(reader: Reader, names: str) -> list[tuple[str, Reader]]:
    return [(name, reader) for name in names.split()]


def known_names(zone: tzinfo) -> Names:
    """The usual names in structured logs: ECS, OpenTelemetry, Datadog, pino, bunyan, structlog, zap, logstash, Serilog, GELF."""
    time = partial(timestamps.parse, zone=zone)
    return {
        "timestamp": _all(
            time,
            "timestamp time ts @timestamp datetime asctime Timestamp Time eventTime date @t timestamp.raw",
        ),
        "level": [
            *_all(_LEVEL, "level"),
            *_all(_PRIORITY, "severity"),
            *_all(
                _LEVEL,
                "lvl log.level levelname loglevel log_level severity_text severityText Level @l error_severity",
            ),
            *_all(_PRIORITY, "log.syslog.severity.code syslog.severity"),
            *_all(_LEVEL, "level.raw"),
        ],
        "message": _all(written, "message msg log text event short_message body Message @m @mt"),
        "stacktrace": [
            *_all(text, "stacktrace stack_trace error.stack_trace exception.stacktrace stackTrace traceback"),
            *_all(lines, "stack exc_info exc_text exception err.stack error.stack @x"),
        ],
        "service_name": _all(text, "service service_name service.name dd.service serviceName"),
        "environment": _all(
            text,
            "environment env deployment.environment deployment.environment.name service.environment dd.env",
        ),
        "trace_id": [
            *_all(tracing.trace_id, "trace_id traceId trace.id otelTraceID TraceId @tr"),
            *_all(tracing.datadog_id, "dd.trace_id"),
            *_all(tracing.traceparent_trace, "traceparent"),
        ],
        "span_id": [
            *_all(tracing.span_id, "span_id spanId span.id otelSpanID SpanId @sp"),
            *_all(tracing.datadog_id, "dd.span_id"),
            *_all(tracing.traceparent_span, "traceparent"),
        ],
        "parent_span_id": _all(tracing.span_id, "parent_span_id parentSpanId parent.id"),
        "operation": _all(text, "operation"),
        "duration_ms": _all(duration, "duration_ms durationMs"),
        "status_code": _all(
            status, "status_code status http.response.status_code http.status_code statusCode"
        ),
        "event_type": _all(event_type, "event_type"),
        "metric_name": _all(text, "metric_name"),
        "metric_value": _all(number, "metric_value"),
    }


def column_names(zone: tzinfo, time_format: str = "") -> Names:
    """Only the columns' own names: for formats whose fields are named by us or by the configuration.

    ``time_format`` is strftime's, for times that are not in one of the common forms.
    """
    known = known_names(zone)
    names = {column: [(column, known[column][0][1])] for column in known}
    if time_format:
        template = date_patterns.template_of(time_format)
        names["timestamp"] = [("timestamp", partial(_written_time, template, zone))]
    return names


def _written_time(template: Template, zone: tzinfo, column: Any) -> Any:
    found = date_patterns.read(template, column, zone)
    return pc.coalesce(found, timestamps.parse(column, zone)) if found.null_count else found


def every_name(names: Names) -> frozenset[str]:
    """All field names that some column may want."""
    return frozenset(name for readers in names.values() for name, _ in readers) | frozenset(RAW.values())


@attrs.define
class _Reading:
    """The fields of some lines, and which of their values are used up."""

    fields: Mapping[str, Any]
    used: dict[str, Any] = attrs.field(factory=dict)

    def column(self, readers: Sequence[tuple[str, Reader]]) -> Any:
        """The first readable value of each row, None when no name is there at all."""
        value = None
        for name, reader in readers:
            if name not in self.fields:
                continue
            read = reader(self.fields[name])
            take = pc.is_valid(read) if value is None else pc.and_(pc.is_valid(read), pc.is_null(value))
            value = read if value is None else pc.coalesce(value, read)
            self.used[name] = pc.or_(self.used[name], take) if name in self.used else take
        return value

    def rest(self) -> dict[str, Any]:
        """What was not used, by name."""
        left = {
            name: _unused(column, self.used[name]) if name in self.used else column
            for name, column in self.fields.items()
        }
        return {name: column for name, column in left.items() if column.null_count < len(column)}


def _unused(column: Any, used: Any) -> Any:
    """What is left of a column; quick where all of it is used, or nothing was there."""
    if used.true_count + column.null_count == len(column):
        return pa.nulls(len(column), column.type)
    return kept(column, pc.invert(used))


def assign(fields: Fields, names: Names) -> Found:
    """Fields to the columns of the event."""
    reading = _Reading(fields.columns)
    columns = {column: reading.column(readers) for column, readers in names.items()}
    found = {column: value for column, value in columns.items() if value is not None}
    rest = reading.rest()
    for column, raw in RAW.items():
        _keep_raw(rest, names.get(column, ()), raw)
    tags = fields.tags
    if rest:
        own = from_columns(len(fields.rows), rest)
        tags = own if tags is None else merge(own, tags)
    return Found(fields.rows, found, tags)


def _keep_raw(rest: dict[str, Any], readers: Sequence[tuple[str, Reader]], raw: str) -> None:
    """Move the first unreadable value of each row to the tag ``raw``."""
    for name, _ in readers:
        if name not in rest or name == raw:
            continue
        column = rest.pop(name)
        if raw not in rest:
            rest[raw] = column
            continue
        free = pc.is_null(rest[raw])
        rest[raw] = pc.coalesce(rest[raw], column)
        left = kept(column, pc.invert(free))
        if left.null_count < len(left):
            rest[name] = left
