"""One file from its creation, or a truncation, to its end, as it is followed."""

from __future__ import annotations

import os
import time

import attrs

from yaat_kit.following.checkpoint import Checkpoint
from yaat_kit.following.identity import NO_MARK, FileId, Mark
from yaat_kit.lines import Skipping


@attrs.define(eq=False, kw_only=True)
class Generation:
    """What is known of one generation. Times without a unit in their name are seconds of the follower's clock."""

    key: bytes
    path: str
    """The one it was first seen under: its events carry it."""
    file: FileId
    first_seen_ms: int
    offset: int = 0
    """The first byte that is not in an event yet."""
    sent: int = 0
    """As ``offset``, of the events that were handed over."""
    skipping: Skipping = Skipping.ZEROS
    head: Mark = NO_MARK
    tail: Mark = NO_MARK
    place: str | None = None
    """Where it is found now; None when no pattern leads to it any more."""
    descriptor: int | None = None
    size: int = 0
    changed_ns: int = -1
    linked: bool = True
    """False: deleted, only the descriptor keeps it."""
    changed_at: float = 0.0
    used_at: float = 0.0
    looked_through: bool = False
    """Nothing more can be read until the file changes."""
    flushed: bool = False
    """Neither by a flush."""
    partial: bool = False
    """The unread rest ends in an unfinished line."""
    retry_at: float = 0.0
    failures: int = 0
    asleep: bool = False
    """Read through and quiet: only a change of its status wakes it."""
    proven: int = 0
    """The size when the content was last known to be this generation's."""
    left_at: float | None = None
    """When it was first seen to be deleted or out of every pattern's reach."""
    limit: int | None = None
    """Read no further than this (`Follower.stop_at_present_end`)."""

    @classmethod
    def begin(
        cls, path: str, file: FileId, *, offset: int = 0, skipping: Skipping | None = None
    ) -> Generation:
        """A generation that was never seen before."""
        return cls(
            key=os.urandom(16),
            path=path,
            file=file,
            first_seen_ms=time.time_ns() // 1_000_000,
            offset=offset,
            sent=offset,
            skipping=skipping or (Skipping.NOTHING if offset else Skipping.ZEROS),
            place=path,
        )

    @classmethod
    def resume(cls, key: bytes, stored: Checkpoint, *, place: str, file: FileId) -> Generation:
        """One that goes on where ``stored`` says, in a file that may have moved."""
        return cls(
            key=key,
            path=stored.path,
            file=file,
            first_seen_ms=stored.first_seen_ms,
            offset=stored.offset,
            sent=stored.offset,
            skipping=stored.skipping,
            head=stored.head,
            tail=stored.tail,
            place=place,
        )

    def checkpoint(self) -> Checkpoint:
        """Where it stands."""
        return Checkpoint(
            path=self.path,
            file=self.file,
            first_seen_ms=self.first_seen_ms,
            offset=self.offset,
            head=self.head,
            tail=self.tail,
            skipping=self.skipping,
            written_ms=time.time_ns() // 1_000_000,
        )

    @property
    def unread(self) -> int:
        """Bytes that are known to be there and not in an event yet."""
        return max(0, (self.size if self.limit is None else min(self.size, self.limit)) - self.offset)

    def note(self, status: os.stat_result, now: float) -> bool:
        """Take over what a ``stat`` says; was it news?"""
        self.linked = status.st_nlink > 0
        away = not self.linked or self.place is None
        self.left_at = (self.left_at or now) if away else None
        if (status.st_size, status.st_mtime_ns) == (self.size, self.changed_ns):
            return False
        self.size, self.changed_ns = status.st_size, status.st_mtime_ns
        self.changed_at = now
        self.looked_through = self.flushed = self.asleep = False
        return True

    def quiet(self, now: float) -> float:
        """Seconds since anything happened to it."""
        return now - max(self.changed_at, self.left_at or 0.0)

    def close(self) -> None:
        """Give the descriptor back."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
