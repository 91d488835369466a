"""One event as a line for people: time (UTC), level, service, what happened. All of it is data, made safe here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import click

from yaat_core.display import terminal_safe

_COLORS: Final[Mapping[str, Mapping[str, Any]]] = {
    "critical": {"fg": "red", "bold": True},
    "error": {"fg": "red"},
    "warning": {"fg": "yellow"},
    "info": {"fg": "green"},
    "debug": {"dim": True},
}


def event_line(event: Mapping[str, Any]) -> str:
    """The line, then the lines of a stack trace. Styled; who prints it takes the styles out where they are not wanted."""
    level = str(event.get("level") or "")
    word = click.style(f"{terminal_safe(level.upper()[:8]):<8}", **_COLORS.get(level, {}))
    head = f"{time_of(event)} {word} {terminal_safe(str(event.get('service_name') or '-'))}: {what_happened(event)}"
    trace = str(event.get("stacktrace") or "")
    lines = [line for line in trace.splitlines() if line.strip()]
    return "\n".join([head, *(f"    {terminal_safe(line)}" for line in lines)])


def time_of(event: Mapping[str, Any]) -> str:
    """`2026-01-31 14:22:07.123`."""
    text = str(event.get("timestamp") or "")
    return terminal_safe(text[:23].replace("T", " ").removesuffix("Z"))


def what_happened(event: Mapping[str, Any]) -> str:
    """The message of a log, the operation of a span, the value of a metric; made safe."""
    kind = event.get("event_type")
    if kind == "metric":
        return terminal_safe(f"{event.get('metric_name')} = {event.get('metric_value')}{_tags(event)}")
    if kind == "span":
        parts = [event.get("operation"), _milliseconds(event.get("duration_ms")), event.get("status_code")]
        told = " ".join(str(part) for part in parts if part not in (None, ""))
        return terminal_safe(f"{told}{' ' if event.get('message') else ''}{event.get('message') or ''}")
    return terminal_safe(str(event.get("message") or ""))


def _milliseconds(value: Any) -> str | None:
    return f"{value:.3f} ms" if isinstance(value, int | float) else None


def _tags(event: Mapping[str, Any]) -> str:
    tags = event.get("tags") or {}
    own = [f"{name}={value}" for name, value in tags.items() if not str(name).startswith("yaat.")]
    return f" {{{', '.join(own)}}}" if own else ""
