"""One event that is too large for a request of its own, made smaller: its longest text is halved, and it is marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

from yaat_core.event import Event, EventBatch
from yaat_core.tags import TRUNCATED

#: A text is not cut to less than this many characters.
_SHORTEST: Final = 256
_FIELDS: Final = ("message", "stacktrace", "operation")
_END: Final = "\N{HORIZONTAL ELLIPSIS}"


def shrunk(row: EventBatch, times: int) -> EventBatch | None:
    """A batch of one event with its longest text halved so many times; None when there is nothing left to cut."""
    [event] = row
    for _ in range(times):
        smaller = _smaller(event)
        if smaller is None:
            return None
        event = smaller
    return EventBatch.from_events([event], row.labels)


def _smaller(event: Event) -> Event | None:
    texts = {name: getattr(event, name) or "" for name in _FIELDS}
    tags = sum(map(len, event.tags.values()))
    longest = max(texts, key=lambda name: len(texts[name]))
    if len(texts[longest]) >= max(tags, _SHORTEST):
        return _marked(_with_field(event, longest, _half(texts[longest])))
    cut = {key: _half(value) if len(value) >= _SHORTEST else value for key, value in event.tags.items()}
    if cut == event.tags:
        return None
    return _marked(attrs.evolve(event, tags=cut))


def _with_field(event: Event, name: str, text: str) -> Event:
    changed: dict[str, Any] = {name: text}
    return attrs.evolve(event, **changed)


def _half(text: str) -> str:
    return text[: len(text) // 2].removesuffix(_END) + _END


def _marked(event: Event) -> Event:
    tags: Mapping[str, str] = {**event.tags, TRUNCATED: "true"}
    return attrs.evolve(event, tags=tags)
