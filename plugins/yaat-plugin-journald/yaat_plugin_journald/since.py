"""Where reading begins: the option `since`, and positions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import attrs

from yaat_core.config.options import Duration

_WORDS: Final = ("now", "boot", "beginning")


@attrs.frozen
class AtCursor:
    """After the entry with this cursor, or where it was."""

    cursor: str


@attrs.frozen
class AtTime:
    """The first entry that journald took at this time or later (microseconds since the epoch)."""

    us: int


@attrs.frozen
class AtBoot:
    """The first entry of this boot (32 hex digits)."""

    boot: str


Start = AtCursor | AtTime | AtBoot
BEGINNING: Final = AtTime(0)


def check_since(text: str) -> None:
    """Is it one of the words, a duration, or a time?

    Raises:
        ValueError: it is not; says how to write one.
    """
    if text not in _WORDS:
        _moment(text, datetime.now(UTC))


def start_of(since: str, present: datetime, boot: str) -> Start:
    """The position that the option means, at ``present`` in the boot ``boot``."""
    if since == "beginning":
        return BEGINNING
    if since == "boot":
        return AtBoot(boot)
    moment = present if since == "now" else _moment(since, present)
    return AtTime(max(0, int(moment.timestamp() * 1_000_000)))


def _moment(text: str, present: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(present.timestamp() - Duration.parse(text), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"must be now, boot, beginning, a duration like 1h, or a time like 2026-01-05T08:00:00Z, got {text!r}"
        ) from None
    return found if found.tzinfo is not None else found.astimezone()
