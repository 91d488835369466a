"""One file from its creation, or a truncation, to its end, as it is followed."""

from __future__ import annotations

import os
import time

import attrs

from yaat_kit.following.checkpoint import Checkpoint
from yaat_kit.following.identity import NO_MARK, FileId, Mark
from yaat_kit.following.packing import Codec, Unpacked, codec_named
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
    retired: bool = False
    """It is followed no more."""
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
    trouble: str = ""
    """Why it failed the last time."""
    asleep: bool = False
    """Read through and quiet: only a change of its status wakes it."""
    proven: int = 0
    """The size when the content was last known to be this generation's."""
    left_at: float | None = None
    """When it was first seen to be deleted or out of every pattern's reach."""
    limit: int | None = None
    """Read no further than this (`run --once`)."""
    record: int = -1
    """Events that end before the offset; -1: nobody counted them."""
    codec: Codec | None = None
    """Of a compressed file: ``offset`` and ``tail`` are those of its content, ``head`` and ``size`` the file's own."""
    unopened: bool = False
    """Reading goes on in its middle, and nobody in this run has seen its first lines."""
    unpacked: Unpacked | None = None
    """The content of a compressed file that is being read."""

    @classmethod
    def begin(
        cls,
        path: str,
        file: FileId,
        *,
        offset: int = 0,
        skipping: Skipping | None = None,
        codec: Codec | None = None,
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
            record=-1 if offset else 0,
            codec=codec,
            unopened=offset > 0,
        )

    @classmethod
    def resume(cls, key: bytes, stored: Checkpoint, *, place: str | None, file: FileId) -> Generation:
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
            record=stored.record,
            unopened=stored.offset > 0,
            codec=codec_named(stored.packed) if stored.packed else None,
        )

    def settle(self, status: os.stat_result) -> None:
        """Its file has not changed since it was read to its end."""
        self.size, self.changed_ns = status.st_size, status.st_mtime_ns
        self.looked_through = self.flushed = True

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
            packed=self.codec.name if self.codec else "",
            size=0 if self.codec and not self.looked_through else self.size,
            record=self.record,
        )

    @property
    def unread(self) -> int:
        """Bytes that are known to be there and not in an event yet; of a compressed file, as they are stored."""
        if self.codec:
            used = self.unpacked.consumed if self.unpacked else 0
            return 0 if self.looked_through else max(1, self.size - used)
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

    def unchanged(self) -> bool:
        """Is it open, still where it was, and neither written to nor deleted?"""
        if self.descriptor is None or self.place is None:
            return False
        try:
            status = os.fstat(self.descriptor)
        except OSError:
            return False
        same = (status.st_size, status.st_mtime_ns) == (self.size, self.changed_ns)
        return same and status.st_nlink > 0

    def quiet(self, now: float) -> float:
        """Seconds since anything happened to it."""
        return now - max(self.changed_at, self.left_at or 0.0)

    def pread(self, count: int, offset: int) -> bytes:
        """``count`` bytes of the content from ``offset`` on, fewer at the end.

        Raises:
            OSError: it can't be read.
        """
        if self.descriptor is None:
            raise ValueError(f"not open: {self.path}")
        if self.codec is None:
            return os.pread(self.descriptor, count, offset)
        if self.unpacked is None:
            self.unpacked = Unpacked(self.descriptor, self.codec)
        return self.unpacked.pread(count, offset)

    def close(self) -> None:
        """Give the descriptor back."""
        self.unpacked = None
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None
