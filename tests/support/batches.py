"""Small batches with known times, as processors get them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from yaat_core import ids
from yaat_core.event import Event, EventBatch

START = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)


def at(seconds: float, **fields: Any) -> Event:
    """An event so many seconds after `START`, received when it happened."""
    when = START + timedelta(seconds=seconds)
    return Event(timestamp=when, received_at=when, **fields)


def batch(*events: Event) -> EventBatch:
    """A batch as processors get it: every event has an id."""
    made = EventBatch.from_events(events)
    return made.with_columns({"event_id": ids.fill_missing(made.column("event_id"))})
