"""How many lines fit a format, over all and lately."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from yaat_core.components import Finding

_WINDOW: Final = 1_000
"""So many lines are judged together."""
_MOST: Final = 0.9
"""Share of lines that do not fit from which on something must be wrong."""


class Tally:
    """Counts, and judges the last whole `_WINDOW` of lines."""

    def __init__(self) -> None:
        self.lines = self.unmatched = 0
        self._lines = self._unmatched = 0
        self._share = 0.0
        self._stream = ""

    def add(self, lines: int, unmatched: int, stream: str) -> None:
        """Some more lines of a stream, and how many of them did not fit."""
        self.lines += lines
        self.unmatched += unmatched
        self._lines += lines
        self._unmatched += unmatched
        if self._lines >= _WINDOW:
            self._share, self._stream = self._unmatched / self._lines, stream
            self._lines = self._unmatched = 0

    def told(self) -> str:
        """In a few words."""
        return f"{self.unmatched:,} of {self.lines:,} lines do not fit" if self.lines else ""

    def problems(self) -> Sequence[Finding]:
        """Nearly nothing fits."""
        if self._share < _MOST:
            return ()
        of = f", of {self._stream!r}," if self._stream else ""
        return [
            Finding(
                problem=f"{self._share:.0%} of the last lines{of} do not fit this format; they stay as they are",
                advice="compare `format` and its options with what the program writes; `format: auto` finds out by itself",
                level="warn",
            )
        ]
