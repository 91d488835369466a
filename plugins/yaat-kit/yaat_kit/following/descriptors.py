"""Descriptors within a bound: what is read through and quiet for longest is closed first."""

from __future__ import annotations

import errno
import heapq
import logging
import os
import resource
from collections.abc import Iterable
from typing import Final

import attrs

from yaat_kit.following.copies import content_is
from yaat_kit.following.generation import Generation
from yaat_kit.following.identity import FileId, open_regular

#: So long after the process ran out of descriptors the bound is what it was again.
_RECOVERY_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 2.0


class Gone(OSError):
    """The file of a generation is nowhere to be found."""


@attrs.define(eq=False)
class Descriptors:
    """Opens generations, ``limit`` at most at a time (and at most half of what the process may open).

    When the process has none left all the same, half of those held here are given back, and the bound stays there
    for a minute. ``scarce`` tells that none can be had even so.
    """

    limit: int
    log: logging.Logger
    held: set[Generation] = attrs.field(factory=set)
    scarce: str = ""
    retry_at: float = 0.0
    """Not worth trying to open strangers before."""
    _bound: int = attrs.field(init=False)
    _until: float = 0.0

    def __attrs_post_init__(self) -> None:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY:
            self.limit = max(1, min(self.limit, soft // 2))
        self._bound = self.limit

    def open(self, generation: Generation, now: float) -> None:
        """Make sure that it is open.

        Raises:
            Gone: its file was moved out of sight or deleted.
            OSError: it can't be opened.
        """
        generation.used_at = now
        if generation.descriptor is None:
            self.hold(generation, self._find_again(generation, now), now)

    def open_path(self, path: str, now: float) -> tuple[int, os.stat_result]:
        """As `open_regular`, within the bound."""
        self._make_room(now)
        try:
            opened = open_regular(path)
        except OSError as error:
            if not none_left(error) or not self._give_back(now):
                self.note(error, now)
                raise
            opened = self._once_more(path, now)
        self._over()
        return opened

    def probe(self) -> None:
        """While they are scarce: are there any again?"""
        if self.scarce:
            try:
                os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
            except OSError:
                return
            self._over()

    def hold(self, generation: Generation, descriptor: int, now: float) -> None:
        """Take charge of an open descriptor."""
        self._make_room(now)
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

    def _once_more(self, path: str, now: float) -> tuple[int, os.stat_result]:
        try:
            return open_regular(path)
        except OSError as error:
            self.note(error, now)
            raise

    def _over(self) -> None:
        if self.scarce:
            self.scarce = ""
            self.log.info("files can be opened again")

    def note(self, error: OSError, now: float) -> None:
        """Something could not be opened: is it for want of descriptors?"""
        if none_left(error):
            self.retry_at = now + _RETRY_SECONDS
        if none_left(error) and not self.scarce:
            self.scarce = error.strerror or "no descriptors left"
            self.log.warning(
                "files can't be opened: %s; raise the limit, or lower max_open_files", self.scarce
            )

    def _give_back(self, now: float) -> bool:
        """Close half of what can be found again; was there any?"""
        spare = [generation for generation in self.held if generation.linked and generation.place is not None]
        for generation in heapq.nsmallest(-(-len(spare) // 2), spare, key=_worth):
            self.release(generation)
        self._bound, self._until = max(1, len(self.held)), now + _RECOVERY_SECONDS
        return bool(spare)

    def _make_room(self, now: float) -> None:
        """Several at a time, so that choosing them costs little for each."""
        if now >= self._until:
            self._bound = self.limit
        if len(self.held) >= self._bound:
            for generation in heapq.nsmallest(1 + self._bound // 8, self.held, key=_worth):
                self.release(generation)

    def _find_again(self, generation: Generation, now: float) -> int:
        for path in _candidates(generation):
            try:
                descriptor, status = self.open_path(path, now)
            except (FileNotFoundError, NotADirectoryError):
                continue
            if FileId.of(status) == generation.file and (
                path == generation.place or _is_it(descriptor, status, generation)
            ):
                return descriptor
            os.close(descriptor)
        raise Gone(f"moved away or deleted: {generation.path}")


def none_left(error: OSError) -> bool:
    """Has the process, or the machine, no descriptors left?"""
    return error.errno in (errno.EMFILE, errno.ENFILE)


def _worth(generation: Generation) -> tuple[bool, bool, float]:
    """What has no name any more is lost when closed; what has unread bytes may be deleted meanwhile."""
    return (not generation.linked or generation.place is None, generation.unread > 0, generation.used_at)


def _is_it(descriptor: int, status: os.stat_result, generation: Generation) -> bool:
    """Does a file that only its inode speaks for, which may be used again, hold what was read?"""
    return generation.head.length > 0 and content_is(descriptor, status.st_size, generation.checkpoint())


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
