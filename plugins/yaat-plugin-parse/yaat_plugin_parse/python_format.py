"""A format string of Python's ``logging.Formatter`` as a template, in the styles with % and {."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from yaat_plugin_parse.templates import Slot, Template, compiled

_FIELD: Final = re.compile(
    r"%\((?P<old>\w+)\)(?P<flags>[-#0 +]*\d*(?:\.\d+)?)[a-zA-Z]|\{(?P<new>\w+)(?::(?P<spec>[^}]*))?\}"
)
_MILLISECONDS: Final = re.compile(
    r"(?:%\(asctime\)s|\{asctime\})(?P<mark>[.,])(?:%\(msecs\)\d*[df]|\{msecs[^}]*\})"
)
_LEVEL: Final = r"[A-Za-z]+(?: +\d+)?"
_NAMES: Final = {
    "asctime": "timestamp",
    "levelname": "level",
    "message": "message",
    "name": "logger",
    "process": "process",
    "processName": "process.name",
    "thread": "thread",
    "threadName": "thread.name",
    "funcName": "function",
    "lineno": "line",
    "filename": "file",
    "pathname": "path",
    "otelTraceID": "trace_id",
    "otelSpanID": "span_id",
    "otelServiceName": "service_name",
}
_PATTERNS: Final = {
    "levelname": _LEVEL,
    **dict.fromkeys(("process", "thread", "lineno", "levelno", "relativeCreated", "msecs"), r"[\d.]+|None"),
    "created": r"\d+\.\d+",
}


def template_of(text: str) -> Template:
    """The template of a format string.

    Raises:
        ValueError: no field in it.
    """
    if not _FIELD.search(text):
        raise ValueError(
            "log_format names no field: write it as in your formatter, e.g. %(asctime)s %(levelname)s %(message)s"
        )
    try:
        return compiled(_parts(_MILLISECONDS.sub("%(asctime)s", text)))
    except ValueError as error:
        raise ValueError(f"log_format can't be read back: {error}") from None


def _parts(text: str) -> Iterator[str | Slot]:
    place = 0
    for match in _FIELD.finditer(text):
        if match.start() > place:
            yield text[place : match.start()].replace("%%", "%")
        place = match.end()
        name = match["old"] or match["new"]
        padded = bool(re.search(r"\d", match["flags"] or match["spec"] or ""))
        yield Slot(_NAMES.get(name, name), _PATTERNS.get(name, ""), padded=padded)
    if place < len(text):
        yield text[place:].replace("%%", "%")


def date_format_of(log_format: str, date_format: str) -> str:
    """The date format with the milliseconds that the format string puts behind it."""
    mark = _MILLISECONDS.search(log_format)
    return f"{date_format}{mark['mark']}%f" if mark and date_format else date_format
