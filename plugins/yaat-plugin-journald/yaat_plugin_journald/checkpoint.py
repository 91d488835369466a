"""The checkpoint: one key, the cursor of the last entry that was handed over, and how far the journal was looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import attrs

from yaat_plugin_journald.cursors import Cursor
from yaat_plugin_journald.replay import Replay
from yaat_plugin_journald.since import AtBoot, AtCursor, AtTime, Start

KEY: Final = b"cursor"


@attrs.frozen(kw_only=True)
class Checkpoint:
    """Where to begin. ``first_seen_ms`` is when this source first ran: part of every event's identity."""

    first_seen_ms: int
    start: Start
    seen_us: int = 0
    """Everything that the journal took up to then was looked at (microseconds since the epoch)."""
    read: str | None = None
    """The cursor of the last entry that was read, where entries after ``start`` waited for the rest of their events."""
    waiting: Mapping[str, str] = attrs.field(factory=dict)
    """Of each writer (`groups.name_of`) the cursor of the first entry that waited."""

    @property
    def cursor(self) -> Cursor | None:
        """Of the last entry, when there was one."""
        if self.read is not None:
            return Cursor.parse(self.read)
        return Cursor.parse(self.start.cursor) if isinstance(self.start, AtCursor) else None

    def replay(self) -> Replay | None:
        """What is to be read again."""
        if self.read is None:
            return None
        waiting = {name: Cursor.parse(cursor) for name, cursor in self.waiting.items()}
        return Replay(Cursor.parse(self.read), waiting)

    def encode(self) -> bytes:
        """As stored."""
        place: dict[str, Any] = {"first_seen_ms": self.first_seen_ms, "seen_us": self.seen_us}
        match self.start:
            case AtCursor(cursor):
                place["cursor"] = cursor
            case AtTime(us):
                place["from_us"] = us
            case AtBoot(boot):
                place["boot"] = boot
        if self.read is not None:
            place |= {"read": self.read, "waiting": dict(self.waiting)}
        return json.dumps({"v": 1, **place}, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, data: bytes) -> Checkpoint:
        """The inverse of `encode`.

        Raises:
            ValueError: not such bytes.
        """
        try:
            found = json.loads(data)
            times = (int(found["first_seen_ms"]), int(found["seen_us"]))
            start: Start
            if "cursor" in found:
                start = AtCursor(Cursor.parse(str(found["cursor"])).text)
            elif "boot" in found:
                start = AtBoot(f"{int(str(found['boot']), 16):032x}")
            else:
                start = AtTime(int(found["from_us"]))
            read = None if "read" not in found else Cursor.parse(str(found["read"])).text
            waiting = {str(k): Cursor.parse(str(v)).text for k, v in dict(found.get("waiting", {})).items()}
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"not a checkpoint of the journal ({type(error).__name__})") from error
        return cls(first_seen_ms=times[0], start=start, seen_us=times[1], read=read, waiting=waiting)
