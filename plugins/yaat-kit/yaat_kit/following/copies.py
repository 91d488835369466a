"""Copies of files: what `copytruncate` leaves behind is not read twice, and its unread rest is not lost.

A copy is recognised by its name (``app.log.1`` of ``app.log``) and its bytes. While the original still
is what it was, the copy waits: the original is truncated soon, or the copy stays what it is and counts as read.
"""

from __future__ import annotations

import enum
import os
from typing import Final

import attrs

from yaat_kit.following.checkpoint import Checkpoint
from yaat_kit.following.generation import Generation
from yaat_kit.following.identity import original_path
from yaat_kit.following.places import family_of

#: A copy that has not changed for so long is finished.
SETTLE_SECONDS: Final = 2.0
#: A truncated generation waits so long for its copy to turn up.
ENDED_SECONDS: Final = 10.0
#: The same, when the copy may be compressed first.
PACKED_SECONDS: Final = 3600.0
_COMPARED: Final = 1024


@attrs.frozen(kw_only=True)
class Ended:
    """A generation whose file has other content now.

    ``place`` is where that file is, ``lost`` how many unread bytes the generation is known to have had.
    """

    key: bytes
    place: str
    checkpoint: Checkpoint
    until: float
    lost: int = 0


class Verdict(enum.Enum):
    """What a file is that looks like a copy by its name."""

    OTHER = enum.auto()
    """A file of its own."""
    WAIT = enum.auto()
    """Not to be told yet."""
    READ = enum.auto()
    """A copy of what was read already."""


def content_is(descriptor: int, size: int, stored: Checkpoint) -> bool:
    """Does a file hold the bytes that a checkpoint marks?"""
    if stored.packed:
        # What is in it is compared when it is read on; if nothing was added, it was read.
        return size >= stored.size and stored.head.matches(os.pread(descriptor, stored.head.length, 0))
    if size < stored.offset:
        return False
    head = os.pread(descriptor, stored.head.length, 0)
    tail = os.pread(descriptor, stored.tail.length, stored.offset - stored.tail.length)
    return stored.head.matches(head) and stored.tail.matches(tail)


@attrs.define(eq=False)
class Copies:
    """Files that may be copies and generations that may have one."""

    settle_seconds: float = SETTLE_SECONDS
    ended: list[Ended] = attrs.field(factory=list)
    _waiting: dict[str, tuple[int, float]] = attrs.field(factory=dict)

    def take_over(self, path: str, descriptor: int, size: int) -> Ended | None:
        """The ended generation whose content ``path`` holds, if any; it is ended no more."""
        if original_path(path) is None:
            return None
        for ended in self.ended:
            stored = ended.checkpoint
            if not stored.packed and (
                family_of(ended.place) == family_of(path)
                and stored.offset
                and content_is(descriptor, size, stored)
            ):
                self.ended.remove(ended)
                return ended
        return None

    def judge(self, path: str, descriptor: int, size: int, original: Generation, now: float) -> Verdict:
        """Is ``path`` a copy of ``original``, which is open, and still what it was?"""
        if original.descriptor is None or not original.offset:
            return Verdict.OTHER
        if not _same_so_far(descriptor, size, original.descriptor):
            return self._decided(path, Verdict.OTHER)
        known, since = self._waiting.get(path, (-1, now))
        if known != size:
            self._waiting[path] = (size, now)
            since = now
        if now - since < self.settle_seconds:
            return Verdict.WAIT
        if not size:
            return self._decided(path, Verdict.OTHER)
        if original.sent >= size:
            return self._decided(path, Verdict.READ)
        return Verdict.WAIT if self.settle_seconds else Verdict.OTHER

    def expired(self, now: float) -> list[Ended]:
        """Ended generations whose copy did not turn up in time; they are forgotten."""
        gone = [ended for ended in self.ended if now >= ended.until]
        self.ended = [ended for ended in self.ended if now < ended.until]
        return gone

    def _decided(self, path: str, verdict: Verdict) -> Verdict:
        self._waiting.pop(path, None)
        return verdict


def _same_so_far(copy: int, size: int, original: int) -> bool:
    """Do the first and the last bytes of the copy stand in the original as well?"""
    count = min(size, _COMPARED)
    return all(os.pread(copy, count, at) == os.pread(original, count, at) for at in (0, max(0, size - count)))
