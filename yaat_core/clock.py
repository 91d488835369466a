"""The time by which things are old: the clock of the machine, unless that is set forward while the agent runs.

A clock that jumps ahead, by mistake or since it was wrong before, makes everything look old that was stored before
the jump. So the time for ages goes on as time really passed, until the new time has stood for `TRUSTED_AFTER`, or the
agent starts again. A clock that is set back is believed: then nothing is old too early.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

#: Seconds that the clock may be ahead of the time that passed before it counts as set.
SLACK: Final = 60.0
#: Seconds after which a clock that was set forward is believed.
TRUSTED_AFTER: Final = 86_400.0


def passed() -> float:
    """Seconds since some moment, also those in which the machine slept. Nobody can set it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class AgeClock:
    """Any thread."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = passed) -> None:
        self._wall, self._steady = wall, steady
        self._lock = threading.Lock()
        self._offset = wall() - steady()
        self._ahead_since: float | None = None

    def now(self) -> float:
        """Seconds since 1970, for deciding what is old; never for stamping."""
        return self._look()[0]

    def now_us(self) -> int:
        """The same in microseconds."""
        return int(self.now() * 1e6)

    def ahead(self) -> float:
        """Seconds that the machine's clock is ahead of `now`; 0 when it is believed."""
        now, wall = self._look()
        return max(0.0, wall - now)

    def _look(self) -> tuple[float, float]:
        with self._lock:
            wall, steady = self._wall(), self._steady()
            ahead = wall - (steady + self._offset)
            if ahead > SLACK and self._ahead_since is None:
                self._ahead_since = steady
            if ahead <= SLACK or steady - (self._ahead_since or 0.0) >= TRUSTED_AFTER:
                self._ahead_since = None
                self._offset = wall - steady
            return steady + self._offset, wall


#: The process's.
ages: Final = AgeClock()
