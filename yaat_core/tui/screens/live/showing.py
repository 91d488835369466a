"""An event as one line, and in full."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import attrs
import msgspec

from yaat_core.cli.event_lines import time_of, what_happened
from yaat_core.display import terminal_safe
from yaat_core.tui.text import Line, fit
from yaat_core.tui.widgets.viewing import lit

#: A style for each level.
STYLES: Final[Mapping[str, str]] = {
    "critical": "class:error",
    "error": "class:error",
    "warning": "class:warn",
    "info": "class:ok",
    "debug": "class:dim",
}
_WORDS: Final = {"warning": "WARN", "critical": "CRIT"}
BAD: Final = ("error", "critical")
_SERVICE: Final = 14
#: Fields that are told in the head of the full view, or below by themselves.
_TOLD: Final = ("stacktrace", "message", "tags")


@attrs.define(eq=False)
class Entry:
    """An event that is kept. What is laid out of it is laid out when it is first drawn."""

    event: Mapping[str, Any]
    number: int
    """It counts on; what was dropped from the beginning keeps its number."""
    _text: str | None = None

    @property
    def level(self) -> str:
        """`error` and so on; empty: none."""
        return str(self.event.get("level") or "")

    @property
    def text(self) -> str:
        """What happened, harmless, in one line."""
        if self._text is None:
            trace = str(self.event.get("stacktrace") or "")
            more = f"  [{trace.count(chr(10)) + 1} lines of stack trace]" if trace else ""
            self._text = what_happened(self.event).replace("\n", " ") + more
        return self._text

    def matches(self, wanted: str) -> bool:
        """Has it the text (lower case) in what is shown?"""
        return wanted in self.text.lower() or wanted in str(self.event.get("service_name") or "").lower()


def line_of(entry: Entry, *, width: int, wanted: str, style: str, service: bool, utc: bool) -> Line:
    """Time, level, service, what happened. ``style`` for all of it when it is selected."""
    level = entry.level
    colour = style or STYLES.get(level, "")
    line: Line = [
        (style or "class:dim", _clock(entry.event, utc) + " "),
        (colour, f"{_WORDS.get(level) or terminal_safe(level.upper()[:5]):<5} "),
    ]
    if service:
        name = terminal_safe(str(entry.event.get("service_name") or "-"))
        line.append((style or "class:link", fit(name, _SERVICE) + " "))
    bold = colour if level in (*BAD, "debug") else style
    return [*line, *lit(entry.text[:width], wanted, bold)]


def _clock(event: Mapping[str, Any], utc: bool) -> str:
    if not utc:
        with contextlib.suppress(ValueError, KeyError, OverflowError):  # it is shown as it came
            return f"{datetime.fromisoformat(str(event['timestamp'])).astimezone():%H:%M:%S.%f}"[:12]
    return time_of(event)[11:23]


def in_full(event: Mapping[str, Any]) -> str:
    """Every field that it has; JSON in the message laid out; the stack trace; the tags."""
    lines = [f"{name:<16}{value}" for name, value in event.items() if name not in _TOLD and _has(value)]
    message = str(event.get("message") or "")
    if message:
        lines += ["", "message", *_laid(message)]
    trace = str(event.get("stacktrace") or "")
    if trace:
        lines += ["", "stacktrace", *(f"  {line}" for line in trace.rstrip().split("\n"))]
    tags = event.get("tags") or {}
    if tags:
        wide = min(32, max(len(str(name)) for name in tags))
        lines += ["", "tags"]
        for name, value in sorted(tags.items()):
            lines += _tag(str(name), str(value), wide)
    return "\n".join(lines)


def _has(value: object) -> bool:
    return value is not None and value != ""


def _tag(name: str, value: str, wide: int) -> list[str]:
    laid = _laid(value) if value[:1] in "{[" else []
    if len(laid) > 1:
        return [f"  {name}", *(f"  {line}" for line in laid)]
    return [f"  {name:<{wide}}  {value}"]


def _laid(text: str) -> list[str]:
    """JSON over several lines; other text as it is."""
    if text[:1] in ("{", "["):
        with contextlib.suppress(msgspec.DecodeError, UnicodeEncodeError):  # it only begins like JSON
            text = msgspec.json.format(text.encode(), indent=2).decode()
    return [f"  {line}" for line in text.split("\n")]


def full_style(line: str) -> str:
    """Names of parts stand out."""
    return "class:title" if line in ("message", "stacktrace", "tags") else ""
