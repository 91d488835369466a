"""What a live tail shows: which events are wanted, the last ones from a database, and those that still wait in the queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import attrs

#: The mildest first.
LEVELS: Final = ("debug", "info", "warning", "error", "critical")

#: An event as a JSON object.
Told = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Wanted:
    """Which events. ``level``: this one and worse ones. ``grep``: message or stack trace match it (RE2, upper and lower
    case are equal). ``expression``: a DuckDB expression besides. Logs only, unless ``everything``."""

    level: str | None = None
    grep: str | None = None
    services: Sequence[str] = ()
    expression: str | None = None
    everything: bool = False

    def condition(self) -> str | None:
        """As an expression over an event, the same for the database and the tap; None: all of them."""
        conditions = [] if self.everything else ["event_type = 'log'"]
        if self.level is not None:
            worse = LEVELS[LEVELS.index(self.level) :]
            conditions.append(f"level IN ({', '.join(map(quoted, worse))})")
        if self.services:
            conditions.append(f"service_name IN ({', '.join(map(quoted, self.services))})")
        if self.grep is not None:
            texts = ("message", "stacktrace")
            found = [f"coalesce(regexp_matches({one}, {quoted(self.grep)}, 'i'), false)" for one in texts]
            conditions.append(f"({' OR '.join(found)})")
        if self.expression is not None:
            conditions.append(f"({self.expression})" if conditions else self.expression)
        return " AND ".join(conditions) or None


def last_sql(condition: str | None, begin: datetime | None, lines: int) -> str:
    """The newest events of a database, the newest first."""
    conditions = [condition] if condition else []
    if begin is not None:
        conditions.append(f"timestamp >= TIMESTAMPTZ '{rfc3339(begin)}'")
    where = f"WHERE {' AND '.join(f'({one})' for one in conditions)} " if conditions else ""
    return f"SELECT * FROM events {where}ORDER BY timestamp DESC LIMIT {lines}"


def joined(
    stored: Sequence[Told], waiting: Sequence[Told], *, lines: int, begin: datetime | None = None
) -> list[Told]:
    """The last ``lines``: those of the database (oldest first), then those that wait and that it does not have yet."""
    ids = {event["event_id"] for event in stored}
    fresh = [event for event in waiting if event["event_id"] not in ids]
    if begin is not None:
        fresh = [event for event in fresh if str(event["timestamp"]) >= rfc3339(begin)]
    return [*stored, *fresh][-lines:] if lines else []


def quoted(text: str) -> str:
    """As a text of SQL."""
    return "'" + text.replace("'", "''") + "'"


def rfc3339(time: datetime) -> str:
    """In UTC, with microseconds: as events tell their times."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
