"""Events as lines for people: time, level, service, text; harmless for a terminal whatever the data holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from yaat_core.display import terminal_safe
from yaat_core.event import Event, EventBatch

_COLOURS: Final[Mapping[str, str]] = {
    "debug": "\x1b[2m",
    "info": "\x1b[32m",
    "warning": "\x1b[33m",
    "error": "\x1b[31m",
    "critical": "\x1b[1;31m",
}
_PLAIN: Final = "\x1b[0m"


def to_text(batch: EventBatch, *, colour: bool) -> bytes:
    """One line an event, a stacktrace indented below it."""
    return "".join(_line(event, colour=colour) for event in batch).encode("utf-8", "replace")


def _line(event: Event, *, colour: bool) -> str:
    level = terminal_safe(event.level or event.event_type).ljust(8)
    if colour and (code := _COLOURS.get(event.level or "")):
        level = f"{code}{level}{_PLAIN}"
    time = event.timestamp.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    text = f"{time} {level} {terminal_safe(event.service_name)}: {terminal_safe(_what(event))}\n"
    if event.stacktrace:
        text += "".join(f"    {terminal_safe(line)}\n" for line in event.stacktrace.splitlines())
    return text


def _what(event: Event) -> str:
    if event.event_type == "span":
        took = f" {event.duration_ms:g} ms" if event.duration_ms is not None else ""
        return f"{event.operation or ''} {event.status_code or ''}{took}".strip()
    if event.event_type == "metric":
        return f"{event.metric_name or ''} = {event.metric_value}"
    return event.message or ""
