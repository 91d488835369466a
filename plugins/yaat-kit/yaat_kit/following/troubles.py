"""What can't be read now: told once, tried again with growing pauses."""

from __future__ import annotations

import logging
import os
from typing import Final

import attrs

_FIRST: Final = 1.0
_LONGEST: Final = 60.0


@attrs.define
class _Trouble:
    text: str
    retry_at: float
    pause: float = _FIRST


@attrs.define(eq=False)
class Troubles:
    """By path. A path that fails in another way than before is told again."""

    log: logging.Logger
    known: dict[str, _Trouble] = attrs.field(factory=dict)

    def add(self, path: str, error: OSError, now: float) -> None:
        """It failed."""
        text = error.strerror or type(error).__name__
        trouble = self.known.get(path)
        if trouble is None or trouble.text != text:
            self.known[path] = _Trouble(text, now + _FIRST)
            self.log.warning("can't read %r: %s; the other files go on, this one is tried again", path, text)
        else:
            trouble.pause = min(2 * trouble.pause, _LONGEST)
            trouble.retry_at = now + trouble.pause

    def due(self, path: str, now: float) -> bool:
        """May it be tried (again)?"""
        trouble = self.known.get(path)
        return trouble is None or now >= trouble.retry_at

    def over(self, path: str) -> None:
        """It works, or is gone."""
        if self.known.pop(path, None) is not None and os.path.exists(path):
            self.log.info("%r can be read again", path)

    def __len__(self) -> int:
        return len(self.known)
