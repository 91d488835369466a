"""What happened to the agent itself, the newest of it, in memory: for `yaat events`, screens, and the source type `agent`."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Final, Literal

import attrs

Level = Literal["info", "warning", "error"]

#: How many are remembered.
REMEMBERED: Final = 1_000
#: Seconds between two records of one problem that is told in other words again and again.
REWORDED: Final = 60.0


@attrs.frozen(kw_only=True)
class Happening:
    """One thing that happened. ``number`` is when, in microseconds since the epoch, made different from all others."""

    number: int
    at: str
    level: Level
    component: str
    """``sources.NAME`` and so on, or `agent`, `configuration`, `health`."""
    kind: Literal["start", "stop", "reload", "state", "problem", "mended"]
    what: str
    advice: str = ""


class Diary:
    """A bounded ring of happenings. Any thread may write and read."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._ring: deque[Happening] = deque(maxlen=remembered)
        self._lock = threading.Lock()
        self._newest = 0

    @property
    def newest(self) -> int:
        """The number of the newest one; 0 when nothing has happened."""
        return self._newest

    def add(
        self,
        kind: Literal["start", "stop", "reload", "state", "problem", "mended"],
        component: str,
        what: str,
        *,
        level: Level = "info",
        advice: str = "",
    ) -> None:
        """This happened now."""
        with self._lock:
            now_us = time.time_ns() // 1_000
            self._newest = max(now_us, self._newest + 1)
            at = datetime.fromtimestamp(now_us / 1e6, UTC).isoformat(timespec="milliseconds")
            self._ring.append(
                Happening(
                    number=self._newest,
                    at=at,
                    level=level,
                    component=component,
                    kind=kind,
                    what=what,
                    advice=advice,
                )
            )

    def after(self, number: int, limit: int) -> Sequence[Happening]:
        """The first ``limit`` that came after a number, oldest first."""
        with self._lock:
            found = [one for one in self._ring if one.number > number]
        return found[:limit]

    def last(self, limit: int) -> Sequence[Happening]:
        """The last ``limit``, oldest first."""
        with self._lock:
            return list(islice(self._ring, max(0, len(self._ring) - limit), None))
