"""Events as lines for people: time, level, service, text, tags; harmless for a terminal whatever the data holds."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from yaat_core import tags
from yaat_core.display import terminal_safe
from yaat_core.event import EventBatch
from yaat_core.wire import time_text

_COLOURS: Final[Mapping[str, str]] = {
    "debug": "\x1b[2m",
    "info": "\x1b[32m",
    "warning": "\x1b[33m",
    "error": "\x1b[31m",
    "critical": "\x1b[1;31m",
}
_DIM: Final = "\x1b[2m"
_PLAIN: Final = "\x1b[0m"
#: Tags that the agent sets on every event: of no news to who watches it.
_AGENT: Final = ("yaat.", "host.name", "log.file.")


@attrs.frozen(slots=False)
class _Row:
    """What the line of one event is made of."""

    time: str
    event_type: str
    level: str | None
    service_name: str
    message: str | None
    stacktrace: str | None
    operation: str | None
    status_code: int | None
    duration_ms: float | None
    metric_name: str | None
    metric_value: float | None
    tags: list[tuple[str, str]]


_COLUMNS: Final = [field.name for field in attrs.fields(_Row)][1:-1]


def to_text(batch: EventBatch, *, colour: bool) -> bytes:
    """One line an event, a stacktrace indented below it."""
    columns = [batch.column(name).to_pylist() for name in _COLUMNS]
    rows = map(_Row, time_text(batch.column("timestamp")).to_pylist(), *columns, _tags(batch))
    return "".join(_line(row, colour=colour) for row in rows).encode()


def _tags(batch: EventBatch) -> Iterator[list[tuple[str, str]]]:
    """The pairs of each row, without the agent's own."""
    keys, values, offsets = tags.parts(batch.column("tags"))
    pairs = list(zip(keys.to_pylist(), values.to_pylist(), strict=True))
    return (
        [pair for pair in pairs[start:stop] if not pair[0].startswith(_AGENT)]
        for start, stop in itertools.pairwise(offsets.tolist())
    )


def _line(row: _Row, *, colour: bool) -> str:
    level = terminal_safe(row.level or row.event_type).ljust(8)
    labels = "".join(f" {terminal_safe(key)}={terminal_safe(value or '')}" for key, value in row.tags)
    if colour:
        level = f"{_COLOURS.get(row.level or '', '')}{level}{_PLAIN}"
        labels = f"{_DIM}{labels}{_PLAIN}" if labels else ""
    text = (
        f"{row.time[:23]}Z {level} {terminal_safe(row.service_name)}: {terminal_safe(_what(row))}{labels}\n"
    )
    if row.stacktrace:
        text += "".join(f"    {terminal_safe(line)}\n" for line in row.stacktrace.splitlines())
    return text


def _what(row: _Row) -> str:
    if row.event_type == "span":
        took = f"{row.duration_ms:g} ms" if row.duration_ms is not None else None
        return _words(row.operation, row.status_code, took, row.message)
    if row.event_type == "metric":
        return _words(row.metric_name, "=", row.metric_value, row.message)
    return row.message or ""


def _words(*words: Any) -> str:
    return " ".join(str(word) for word in words if word not in (None, ""))
