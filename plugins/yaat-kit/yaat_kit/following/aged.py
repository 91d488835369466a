"""Files that were not written to for long and are not begun, until they are written to again."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from typing import Final

import attrs

_EVERY_SECONDS: Final = 10.0
_SHARE: Final = 0.002


@attrs.define(eq=False)
class Aged:
    """Older than ``seconds`` (None: no file is too old)."""

    seconds: float | None = None
    _seen: dict[str, tuple[int, int]] = attrs.field(factory=dict)
    _next_check: float = 0.0

    def take(self, path: str, status: os.stat_result) -> bool:
        """Is the file too old? Then it is watched for changes."""
        if self.seconds is None or time.time() - status.st_mtime <= self.seconds:
            return False
        self._seen[path] = (status.st_mtime_ns, status.st_size)
        return True

    def woken(self, now: float) -> list[str]:
        """Those that were written to since, or are gone; they are forgotten here. Looked for every ten seconds."""
        if not self._seen or now < self._next_check:
            return []
        began = time.perf_counter()
        woken = [path for path in self._seen if self._changed(path)]
        self.forget(woken)
        self._next_check = now + max(_EVERY_SECONDS, (time.perf_counter() - began) / _SHARE)
        return woken

    def touched(self, paths: Collection[str]) -> list[str]:
        """Those of ``paths`` that are watched; they are forgotten here."""
        touched = [path for path in paths if path in self._seen]
        if touched:
            self.forget(touched)
        return touched

    def forget(self, paths: Collection[str]) -> None:
        """These are looked at anew."""
        for path in paths:
            self._seen.pop(path, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._seen)

    def _changed(self, path: str) -> bool:
        try:
            status = os.stat(path)
        except OSError:
            return True
        return (status.st_mtime_ns, status.st_size) != self._seen[path]
