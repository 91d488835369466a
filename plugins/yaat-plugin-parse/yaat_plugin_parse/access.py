"""Fields of access logs to spans (docs/schema.md), whatever server wrote them. Tags have OpenTelemetry's names.

Fields that are known here, all of them texts:

    time, or pieces of one named as in `moments`, each with `time.` before it
    request             "GET /a?b HTTP/1.1", or instead of it: method, target or path and query, protocol
    status, client, user, size, referer, agent, forwarded
    seconds, ms, us     the duration; the first that is there counts
    trace_id, span_id, traceparent, datadog.trace_id

Every other field is a tag of its own name. A span's ids stay null where the line names none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.tags import from_columns
from yaat_plugin_parse import moments, timestamps, tracing
from yaat_plugin_parse.found import Fields, Found
from yaat_plugin_parse.matching import given, hits, kept

_REQUEST: Final = r"^(?P<method>[A-Za-z_-]+) (?P<path>[^ ?]*)(?P<query>\?[^ ]*)? HTTP/(?P<version>\d[\d.]*)$"
#: A blank in the target, or HTTP/0.9, which names no version.
_LOOSE_REQUEST: Final = (
    r"^(?P<method>[A-Z]+) (?P<path>[^?]*?)(?P<query>\?.*?)?(?: HTTP/(?P<version>\d[\d.]*))?$"
)
_TARGET: Final = r"^(?P<path>(?s:[^?]*))(?P<query>\?(?s:.*))?$"
_SECONDS: Final = r"^\d{1,9}(?:\.\d{1,6})?$"
_LEVELS: Final = ("info", "info", "info", "info", "warning", "error", "error", "error", "error", "error")
"""By the first digit of the status."""

_TAGS: Final[Mapping[str, str]] = {
    "client": "client.address",
    "user": "user.name",
    "method": "http.request.method",
    "path": "url.path",
    "query": "url.query",
    "version": "network.protocol.version",
    "size": "http.response.body.size",
    "referer": "http.request.header.referer",
    "agent": "user_agent.original",
    "forwarded": "http.request.header.x-forwarded-for",
}
_FACTORS: Final = {"seconds": 1000.0, "ms": 1.0, "us": 0.001}
_IDS: Final = {
    "trace_id": [("trace_id", tracing.trace_id), ("traceparent", tracing.traceparent_trace),
                 ("datadog.trace_id", tracing.datadog_id)],
    "span_id": [("span_id", tracing.span_id), ("traceparent", tracing.traceparent_span)],
}  # fmt: skip
_NO_TAGS: Final = frozenset({"time", "request", "target", "protocol", "status", *_FACTORS})


def spans(fields: Fields, zone: tzinfo) -> Found:
    """A span for each line."""
    rows = len(fields.rows)
    values = dict(fields.columns)
    values.update(_request(values, rows))
    columns: dict[str, Any] = {
        "event_type": pa.repeat(pa.scalar("span", pa.string()), rows),
        "operation": _operation(values, rows),
    }
    if "status" in values:
        status = _number(values["status"], pa.uint16(), r"^\d{1,3}$")
        columns |= {"status_code": status, "level": _level(status)}
    _time(columns, values, zone)
    _duration(columns, values)
    _ids(columns, values)
    tags = {_TAGS.get(name, name): column for name, column in values.items() if name not in _NO_TAGS}
    present = {name: column for name, column in tags.items() if column.null_count < rows}
    return Found(fields.rows, columns, from_columns(rows, present))


def dashes(fields: Fields) -> Fields:
    """A dash or an empty text means that there is no value, but in the request and the status."""
    return Fields(
        fields.rows,
        {
            name: column if name in ("request", "status", "time") else given(given(column), "-")
            for name, column in fields.columns.items()
        },
    )


def first(text: Any, patterns: Sequence[str]) -> dict[str, Any]:
    """The groups of the first pattern that fits, row by row; null where none does."""
    groups = _groups(found := pc.extract_regex(text, patterns[0]))
    if len(patterns) == 1 or not found.null_count:
        return groups
    left = found.is_null()
    more = first(text.filter(left), patterns[1:])
    return {name: pc.replace_with_mask(column, left, more[name]) for name, column in groups.items()}


def _request(values: dict[str, Any], rows: int) -> dict[str, Any]:
    """Method, path, query and version, from whatever is there."""
    if "request" in values:
        parts = first(values["request"], (_REQUEST, _LOOSE_REQUEST))
        read = {name: given(parts[name]) for name in ("method", "path", "version")}
        return read | {"query": given(pc.utf8_slice_codeunits(parts["query"], 1))}
    read = {}
    if "target" in values:
        parts = first(values["target"], (_TARGET,))
        read = {"path": given(parts["path"]), "query": given(pc.utf8_slice_codeunits(parts["query"], 1))}
    elif "query" in values:
        read = {"query": given(pc.utf8_ltrim(values["query"], characters="?"))}
    if "protocol" in values:
        read["version"] = pc.replace_substring_regex(values["protocol"], "^HTTP/", "")
    return read


def _operation(values: Mapping[str, Any], rows: int) -> Any:
    """Method and path; empty for what is no request (a dash, TLS on a plain port)."""
    parts = [values[name] for name in ("method", "path") if name in values]
    if not parts:
        return pa.repeat(pa.scalar("", pa.string()), rows)
    return pc.binary_join_element_wise(*parts, pa.scalar(" ", pa.string())).fill_null("")


def _number(text: Any, kind: Any, form: str) -> Any:
    """Texts as numbers, null where they are of another form."""
    if text.null_count == len(text):
        return pa.nulls(len(text), kind)
    return pc.cast(text if _all(text, form) else kept(text, pc.match_substring_regex(text, form)), kind)


def _all(text: Any, form: str) -> bool:
    """Are all texts that are there of the form?"""
    return int(hits(text, form).sum()) + int(text.null_count) == len(text)


def _level(status: Any) -> Any:
    return pa.array(_LEVELS, pa.string()).take(pc.divide(status, pa.scalar(100, pa.uint16())))


def _time(columns: dict[str, Any], values: dict[str, Any], zone: tzinfo) -> None:
    pieces = {
        name.removeprefix("time."): values.pop(name) for name in list(values) if name.startswith("time.")
    }
    if pieces:
        columns["timestamp"] = moments.times(pieces, zone)
    text = values.get("time")
    if text is None:
        return
    columns["timestamp"] = timestamps.parse(text, zone)
    if columns["timestamp"].null_count > text.null_count:
        values["timestamp.raw"] = kept(text, columns["timestamp"].is_null())


def _duration(columns: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Rounded to whole microseconds: 1000 times 0.12 is a little more than 120."""
    for name, factor in _FACTORS.items():
        if name in values:
            number = _number(values[name], pa.float64(), _SECONDS)
            number = pc.multiply(number, pa.scalar(factor, pa.float64()))
            columns["duration_ms"] = pc.round(number, 3)
            return


def _ids(columns: dict[str, Any], values: dict[str, Any]) -> None:
    for column, readers in _IDS.items():
        for name, read in readers:
            if name in values and column not in columns:
                columns[column] = read(values[name])
    for column in columns.keys() & _IDS.keys():
        if column in values and not columns[column].null_count:
            del values[column]


def _groups(found: Any) -> dict[str, Any]:
    return {field.name: pc.struct_field(found, field.name) for field in found.type}
