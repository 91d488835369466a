"""A token bucket: so much in a second, and so much at once."""

from __future__ import annotations

from typing import Final

#: Sums of floating point numbers that miss by this much are right.
_SLACK: Final = 1e-6


class Bucket:
    """Holds ``burst`` tokens at most, and gets ``rate`` a second. Times are of a clock that only goes forward.

    What costs more than the bucket holds passes when it is full, and leaves a debt: else it could never pass.
    """

    __slots__ = ("_at", "_tokens", "burst", "rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = burst
        self._at = now

    def level(self, now: float) -> float:
        """Tokens that it holds; below 0: the debt."""
        if now > self._at:
            self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
            self._at = now
        return self._tokens

    def wait(self, cost: float, now: float) -> float:
        """Seconds until ``cost`` may be taken; 0: now."""
        missing = min(cost, self.burst) - self.level(now)
        return missing / self.rate if missing > _SLACK else 0.0

    def take(self, cost: float, now: float) -> None:
        """Take it, whatever is there."""
        self._tokens = self.level(now) - cost

    def until_full(self, now: float) -> float:
        """Seconds until it is full again."""
        return max(0.0, (self.burst - self.level(now)) / self.rate)
