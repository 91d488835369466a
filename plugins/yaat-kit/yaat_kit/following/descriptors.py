"""Descriptors within a bound: what is read through and quiet for longest is closed first."""

from __future__ import annotations

import heapq
import os
import resource
from collections.abc import Iterable

import attrs

from yaat_kit.following.generation import Generation
from yaat_kit.following.identity import FileId, open_regular


class Gone(OSError):
    """The file of a generation is nowhere to be found."""


@attrs.define(eq=False)
class Descriptors:
    """Opens generations, ``limit`` at most at a time (and at most half of what the process may open)."""

    limit: int
    held: set[Generation] = attrs.field(factory=set)

    def __attrs_post_init__(self) -> None:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY:
            self.limit = max(1, min(self.limit, soft // 2))

    def open(self, generation: Generation, now: float) -> None:
        """Make sure that it is open.

        Raises:
            Gone: its file was moved out of sight or deleted.
            OSError: it can't be opened.
        """
        generation.used_at = now
        if generation.descriptor is None:
            self._make_room()
            self.hold(generation, _find_again(generation))

    def hold(self, generation: Generation, descriptor: int) -> None:
        """Take charge of an open descriptor."""
        self._make_room()
        generation.descriptor = descriptor
        self.held.add(generation)

    def release(self, generation: Generation) -> None:
        """Close it."""
        generation.close()
        self.held.discard(generation)

    def close(self) -> None:
        """Close all."""
        for generation in list(self.held):
            self.release(generation)

    def _make_room(self) -> None:
        """Several at a time, so that choosing them costs little for each."""
        if len(self.held) >= self.limit:
            for generation in heapq.nsmallest(1 + self.limit // 8, self.held, key=_worth):
                self.release(generation)


def _worth(generation: Generation) -> tuple[bool, bool, float]:
    """What has no name any more is lost when closed; what has unread bytes may be deleted meanwhile."""
    return (not generation.linked or generation.place is None, generation.unread > 0, generation.used_at)


def _find_again(generation: Generation) -> int:
    for path in _candidates(generation):
        try:
            descriptor, status = open_regular(path)
        except (FileNotFoundError, NotADirectoryError):
            continue
        if FileId.of(status) == generation.file:
            return descriptor
        os.close(descriptor)
    raise Gone(f"moved away or deleted: {generation.path}")


def _candidates(generation: Generation) -> Iterable[str]:
    """Where it was, then where its inode is now in the same folder."""
    if generation.place is not None:
        yield generation.place
    folder = os.path.dirname(generation.place or generation.path)
    try:
        with os.scandir(folder) as entries:
            same = [entry.path for entry in entries if entry.inode() == generation.file.inode]
    except (FileNotFoundError, NotADirectoryError):
        return
    yield from same
