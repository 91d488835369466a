"""Counters of the kernel as rates: over the time that really passed, and right when a counter wraps or begins anew."""

from __future__ import annotations

import time
from typing import Final

import attrs

_WRAPS: Final = (2**32, 2**64)
#: A counter that falls from the last so-manieth of its range has wrapped; from below it began anew.
_NEAR: Final = 4


def clock() -> float:
    """Seconds since boot, time asleep included: what rates are over."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def growth(before: float, after: float) -> float | None:
    """How much a counter grew; None when it began anew (a device was plugged in again, a module loaded again)."""
    if after >= before:
        return after - before
    for bound in _WRAPS:
        if bound - bound / _NEAR <= before < bound and after < bound / _NEAR:
            return after + bound - before
    return None


@attrs.define
class _Seen:
    value: float
    at: float
    round: int


class Rates:
    """The last value of each counter by its key. What is not seen in a round is forgotten after it."""

    def __init__(self) -> None:
        self._seen: dict[object, _Seen] = {}
        self._round = 0

    def begin(self) -> None:
        """A new round."""
        self._seen = {key: one for key, one in self._seen.items() if one.round == self._round}
        self._round += 1

    def grown(self, key: object, value: float, now: float) -> tuple[float, float] | None:
        """``(growth, seconds)`` since the last round; None when that is not known."""
        before = self._seen.get(key)
        self._seen[key] = _Seen(value, now, self._round)
        if before is None or now <= before.at:
            return None
        grew = growth(before.value, value)
        return None if grew is None else (grew, now - before.at)

    def per_second(self, key: object, value: float, now: float) -> float | None:
        """The rate since the last round; None when that is not known."""
        grown = self.grown(key, value, now)
        return None if grown is None else grown[0] / grown[1]
