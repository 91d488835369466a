"""The event contract of docs/schema.md, checked by hand: independent of the code that writes events."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REQUIRED = {
    "organization_id", "service_name", "environment", "event_id", "timestamp", "received_at", "event_type", "tags",
}  # fmt: skip


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _time(value: Any) -> bool:
    return isinstance(value, str) and bool(_TIME.fullmatch(value))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_FIELDS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(
        [
            "organization_id",
            "service_name",
            "environment",
            "message",
            "stacktrace",
            "operation",
            "metric_name",
        ],
        _text,
    ),
    **dict.fromkeys(["timestamp", "received_at"], _time),
    **dict.fromkeys(["trace_id", "span_id", "parent_span_id"], _text),
    **dict.fromkeys(["duration_ms", "metric_value"], _number),
    "event_id": lambda value: isinstance(value, str) and bool(_UUID.fullmatch(value)),
    "event_type": lambda value: value in ("log", "span", "metric"),
    "level": lambda value: value in ("debug", "info", "warning", "error", "critical", ""),
    "status_code": lambda value: isinstance(value, int) and 0 <= value < 65536,
    "tags": lambda value: isinstance(value, dict) and all(map(_text, [*value, *value.values()])),
}


def problems_of(event: Any) -> list[str]:
    """What is wrong with an event; empty when nothing is."""
    if not isinstance(event, dict):
        return ["an event that is no object"]
    wrong = [f"{name} is missing" for name in sorted(_REQUIRED - set(event))]
    wrong += [f"{name} is unknown" for name in sorted(set(event) - set(_FIELDS))]
    wrong += [
        f"{name} is {event[name]!r}"
        for name, fits in _FIELDS.items()
        if name in event and not fits(event[name])
    ]
    return wrong
