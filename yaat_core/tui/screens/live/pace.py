"""How much of what passes is shown, over the last seconds."""

from __future__ import annotations

import collections
import time
from typing import Final

import attrs

from yaat_core.taps import TapBatch

#: Seconds that the numbers are of.
_OVER: Final = 3.0


@attrs.define
class Pace:
    """Of one stream."""

    hidden: int = 0
    """Events that the redaction drops, since the beginning."""
    _heard: collections.deque[tuple[float, float, int, int]] = attrs.field(factory=collections.deque)

    def heard(self, batch: TapBatch) -> None:
        """Count it."""
        now = time.monotonic()
        self.hidden += batch.hidden
        self._heard.append((now, batch.seconds, batch.shown, batch.shown + batch.skipped))
        while self._heard and now - self._heard[0][0] > _OVER:
            self._heard.popleft()

    def told(self) -> str:
        """``showing 200 of 1,900/s``."""
        now = time.monotonic()
        recent = [one for one in self._heard if now - one[0] <= _OVER]
        seconds = max(sum(one[1] for one in recent), 1.0)
        shown, matching = sum(one[2] for one in recent), sum(one[3] for one in recent)
        said = f"{round(shown / seconds):,}/s"
        if matching > shown:
            said = f"showing {round(shown / seconds):,} of {round(matching / seconds):,}/s"
        return said + (f", {self.hidden:,} dropped by the redaction" if self.hidden else "")
