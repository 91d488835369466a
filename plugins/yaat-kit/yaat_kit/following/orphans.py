"""Checkpoints whose file is not in sight: kept for long, as it may be mounted or moved back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import attrs

from yaat_kit.following.checkpoint import Checkpoint
from yaat_kit.following.identity import FileId

#: A checkpoint is given up when it was not written for so long, and its file not seen for so long in this run.
_OLD_MS: Final = 7 * 86_400_000
_UNSEEN_SECONDS: Final = 86_400.0
_EVERY_SECONDS: Final = 600.0


@attrs.define(eq=False)
class Orphans:
    """By key, and by the file they belong to. ``inherited`` are those of other sources: they are stored there, not here."""

    stored: dict[bytes, Checkpoint] = attrs.field(factory=dict)
    inherited: set[bytes] = attrs.field(factory=set)
    _by_file: dict[FileId, list[bytes]] = attrs.field(factory=dict)
    _since: dict[bytes, float] = attrs.field(factory=dict)
    _next_check: float = _EVERY_SECONDS

    @classmethod
    def of(
        cls, stored: Mapping[bytes, Checkpoint], inherited: Mapping[bytes, Checkpoint] | None = None
    ) -> Orphans:
        """All that was stored, and what is inherited where that is further: nothing is in sight yet."""
        further = {
            key: one
            for key, one in (inherited or {}).items()
            if key not in stored or one.offset > stored[key].offset
        }
        orphans = cls(inherited=set(further))
        for key, checkpoint in {**stored, **further}.items():
            orphans.add(key, checkpoint)
        return orphans

    def add(self, key: bytes, checkpoint: Checkpoint) -> None:
        """One whose file went out of sight."""
        self.stored[key] = checkpoint
        self._by_file.setdefault(checkpoint.file, []).append(key)

    def knows(self, file: FileId) -> bool:
        """Is there one for this file?"""
        return file in self._by_file

    def unread(self) -> list[tuple[bytes, Checkpoint]]:
        """Those of files that were not read to their end; of what is inherited only what is of late."""
        before = time.time_ns() // 1_000_000 - _OLD_MS
        return [
            (key, one)
            for key, one in self.stored.items()
            if one.unread and (key not in self.inherited or one.written_ms >= before)
        ]

    def adopt(self, key: bytes) -> bool:
        """It is this source's own from now on; was it inherited?"""
        inherited = key in self.inherited
        self.inherited.discard(key)
        return inherited

    def drop(self, key: bytes) -> None:
        """This one is an orphan no more."""
        file = self.stored.pop(key).file
        self._since.pop(key, None)
        self._by_file[file].remove(key)
        if not self._by_file[file]:
            del self._by_file[file]

    def take(self, file: FileId) -> list[tuple[bytes, Checkpoint]]:
        """Those of a file, newest first; they are no orphans any more."""
        keys = self._by_file.pop(file, [])
        for key in keys:
            self._since.pop(key, None)
        taken = [(key, self.stored.pop(key)) for key in keys]
        return sorted(taken, key=lambda pair: pair[1].written_ms, reverse=True)

    def expired(self, now: float) -> list[bytes]:
        """Keys to give up; looked for every ten minutes."""
        if now < self._next_check:
            return []
        self._next_check = now + _EVERY_SECONDS
        before = time.time_ns() // 1_000_000 - _OLD_MS
        old = [
            key
            for key, checkpoint in self.stored.items()
            if now - self._since.setdefault(key, now) > _UNSEEN_SECONDS and checkpoint.written_ms < before
        ]
        for key in old:
            self.drop(key)
        return old
