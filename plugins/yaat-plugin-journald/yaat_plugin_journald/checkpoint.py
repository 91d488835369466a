"""The checkpoint: one key, the cursor of the last entry that was handed over, and how far the journal was looked at."""

from __future__ import annotations

import json
from typing import Any, Final

import attrs

from yaat_plugin_journald.cursors import Cursor
from yaat_plugin_journald.since import AtBoot, AtCursor, AtTime, Start

KEY: Final = b"cursor"


@attrs.frozen(kw_only=True)
class Checkpoint:
    """``first_seen_ms`` is when this source first ran: part of every event's identity."""

    first_seen_ms: int
    start: Start
    seen_us: int = 0
    """Everything that the journal took up to then was looked at (microseconds since the epoch)."""

    @property
    def cursor(self) -> Cursor | None:
        """Of the last entry, when there was one."""
        return Cursor.parse(self.start.cursor) if isinstance(self.start, AtCursor) else None

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
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ValueError(f"not a checkpoint of the journal ({type(error).__name__})") from error
        return cls(first_seen_ms=times[0], start=start, seen_us=times[1])
