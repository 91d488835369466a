"""All generations together: which of them may be read, and whose turn it is.

Everything here is synchronous and made for one worker thread at a time. The caller alternates:

    follower.scan(now)             new, moved and vanished files; about twice a second
    follower.turn(now)             a bounded amount of events, from as many files as have any
    follower.registrations()       checkpoints to hand over together with what comes next
    follower.sent(piece)           when a piece was handed over
    follower.pause(now)            for how long there is nothing to do

``now`` is seconds of any clock that only goes forward.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs
import msgspec

from yaat_core.components import Checkpoints
from yaat_kit.following.checkpoint import Checkpoint
from yaat_kit.following.copies import SETTLE_SECONDS, Copies
from yaat_kit.following.descriptors import Descriptors, Gone
from yaat_kit.following.discovery import Finder, matches
from yaat_kit.following.generation import Generation
from yaat_kit.following.identity import FileId
from yaat_kit.following.orphans import Orphans
from yaat_kit.following.reader import WINDOW, ContentChanged, Look, Piece, Reader
from yaat_kit.following.roster import Roster
from yaat_kit.following.tally import Tally
from yaat_kit.following.troubles import Troubles

#: Key of the checkpoint that holds the patterns of the last run.
PATTERNS_KEY: Final = b"patterns"
#: Files of one turn at most.
_TURN_FILES: Final = 64
#: A file that changed within this time is looked at every ``poll``, others every `_QUIET_POLL`.
_ACTIVE_SECONDS: Final = 10.0
_QUIET_POLL: Final = 1.0
#: Looking at all files, and at those that changed, takes at most this share of the time.
_LOOK_SHARE: Final = 0.02
_ACTIVE_SHARE: Final = 0.1
#: A file without a name, or out of every pattern's reach, is let go after so much quiet.
_DELETED_SECONDS: Final = 10.0
_MOVED_SECONDS: Final = 300.0
_LONGEST_PAUSE: Final = 60.0


@attrs.frozen(kw_only=True)
class Selection:
    """Which files: absolute patterns, exclusions, folders (real paths) that are never read from."""

    paths: Sequence[str]
    exclude: Sequence[str] = ()
    forbidden: Sequence[str] = ()
    start_at_end: bool = False


@attrs.frozen(kw_only=True)
class Pace:
    """How often and how patiently, seconds; ``max_open_files`` is a bound."""

    poll: float = 0.1
    partial_timeout: float = 5.0
    join_timeout: float = 0.5
    max_open_files: int = 512


class Follower:
    """Follows files from their stored checkpoints on."""

    def __init__(
        self,
        selection: Selection,
        reader: Reader,
        pace: Pace,
        stored: Mapping[bytes, bytes],
        *,
        tally: Tally,
        log: logging.Logger,
        once: bool = False,
    ) -> None:
        """``stored`` are the checkpoints to resume from. With ``once``, every file is read to the end
        that it has at the first scan, the last line as it is."""
        self._reader = reader
        self._pace = pace
        self._tally = tally
        self._log = log
        self._once = once
        self._folders = Troubles(log)
        self._descriptors = Descriptors(pace.max_open_files)
        self._denied: dict[str, OSError] = {}
        self._roster = Roster(
            finder=Finder(selection.paths, selection.exclude, on_error=self._denied.__setitem__),
            descriptors=self._descriptors,
            copies=Copies(0.0 if once else SETTLE_SECONDS),
            orphans=Orphans.of(_decoded(stored, log)),
            troubles=Troubles(log),
            tally=tally,
            log=log,
            start_at_end=_start_rule(selection, stored.get(PATTERNS_KEY)),
            forbidden=_inside(selection.forbidden),
            fingerprint_bytes=reader.fingerprint_bytes,
            alignment=2 if reader.encoding == "utf-16" else 1,
        )
        patterns = msgspec.json.encode(list(selection.paths))
        if stored.get(PATTERNS_KEY) != patterns:
            self._roster.put_pending({PATTERNS_KEY: patterns})
        self._ready: deque[Generation] = deque()
        self._queued: set[Generation] = set()
        self._active: set[Generation] = set()
        self._next_look = 0.0
        self._next_active_look = 0.0
        self._limited = False
        self._scarce = False

    # --- what the caller does -----------------------------------------------------------------

    def scan(self, now: float) -> bool:
        """Find files that are new, moved or gone; True when any is new."""
        self._denied.clear()
        new = self._roster.scan(now)
        for folder, error in self._denied.items():
            if self._folders.due(folder, now):
                self._folders.add(folder, error, now)
        for folder in set(self._folders.known) - set(self._denied):
            self._folders.over(folder)
        if self._once and not self._limited:
            self._limited = True
            for generation in new:
                generation.limit = generation.size
        for generation in new:
            self._active.add(generation)
            self._queue(generation, now)
        return bool(new)

    def turn(self, now: float) -> list[Piece]:
        """Events of the files whose turn it is; nothing when no file has any."""
        self._look_around(now)
        pieces: list[Piece] = []
        budget, files = WINDOW, _TURN_FILES
        while self._ready and budget > 0 and files:
            generation = self._ready.popleft()
            self._queued.discard(generation)
            look = self._read(generation, now)
            files -= 1
            if look is not None:
                pieces += look.pieces
                budget -= look.bytes
                self._queue(generation, now)
        self._gauge()
        return pieces

    def registrations(self) -> Checkpoints:
        """Checkpoints of generations that began or ended since the last call."""
        return self._roster.take_pending()

    def sent(self, piece: Piece) -> None:
        """The piece was handed over."""
        piece.generation.sent = piece.checkpoint.offset

    def pause(self, now: float) -> float:
        """Seconds until `turn` may have something."""
        if self._ready:
            return 0.0
        until = min(self._next_look, self._next_active_look) if self._active else self._next_look
        return max(0.0, until - now)

    def close(self) -> None:
        """Close every descriptor."""
        self._descriptors.close()

    # --- looking ------------------------------------------------------------------------------

    def _look_around(self, now: float) -> None:
        whole = now >= self._next_look
        if not whole and now < self._next_active_look:
            return
        began = time.perf_counter()
        for generation in list(self._roster.generations.values() if whole else self._active):
            if not (generation.asleep and _unchanged(generation)):
                self._look(generation, now)
        took = time.perf_counter() - began
        self._next_active_look = now + max(self._pace.poll, took / _ACTIVE_SHARE)
        if whole:
            self._next_look = now + max(_QUIET_POLL, self._pace.poll, took / _LOOK_SHARE)

    def _look(self, generation: Generation, now: float) -> None:
        if generation.retry_at > now:
            return
        status = self._status(generation)
        if status is None:
            self._missed(generation, now)
            return
        if FileId.of(status) != generation.file:
            return
        if generation.note(status, now):
            self._active.add(generation)
        if not self._queue(generation, now):
            self._rest(generation, now)

    def _status(self, generation: Generation) -> os.stat_result | None:
        """Its status, None when it is gone without a descriptor."""
        try:
            if generation.descriptor is not None:
                return os.fstat(generation.descriptor)
            return None if generation.place is None else os.stat(generation.place)
        except OSError:
            return None

    def _queue(self, generation: Generation, now: float) -> bool:
        """Put it into the line, if it may have events."""
        if generation in self._queued:
            return True
        if generation.looked_through and not self._flush_due(generation, now):
            return False
        self._queued.add(generation)
        self._ready.append(generation)
        return True

    def _flush_due(self, generation: Generation, now: float) -> bool:
        if generation.flushed or not generation.unread or not generation.looked_through:
            return False
        patience = self._pace.partial_timeout if generation.partial else self._pace.join_timeout
        return now - generation.changed_at >= patience

    def _rest(self, generation: Generation, now: float) -> None:
        """Nothing to read now: is it over, or no longer active?"""
        done = generation.sent >= generation.offset and (generation.flushed or not generation.unread)
        if not done:
            return
        if generation.quiet(now) >= _ACTIVE_SECONDS:
            self._active.discard(generation)
            generation.asleep = True
        if not generation.linked and generation.quiet(now) >= _DELETED_SECONDS:
            self._retire(generation, forget=True)
        elif generation.linked and generation.place is None and generation.quiet(now) >= _MOVED_SECONDS:
            self._retire(generation, forget=False)

    def _missed(self, generation: Generation, now: float) -> None:
        """Closed, and not where it was. The next scan may meet it elsewhere; without a place it is
        looked for once more, as it may have grown before it was moved."""
        if generation.place is None and generation.sent >= generation.offset:
            generation.looked_through = False
            self._queue(generation, now)

    def _retire(self, generation: Generation, *, forget: bool) -> None:
        self._roster.retire(generation, forget=forget)
        self._active.discard(generation)

    # --- reading ------------------------------------------------------------------------------

    def _read(self, generation: Generation, now: float) -> Look | None:
        if generation.key not in self._roster.generations:
            return None
        final = self._flush_due(generation, now)
        try:
            self._descriptors.open(generation, now)
            look = self._reader.look(generation, final=final)
        except ContentChanged:
            self._renew(generation, now)
            return None
        except Gone:
            generation.looked_through = True
            if generation.place is None:
                self._roster.lose(generation.path, generation.unread)
                self._retire(generation, forget=generation.unread > 0)
            return None
        except OSError as error:
            self._failed(generation, error, now)
            return None
        generation.failures = 0
        generation.flushed = final
        generation.proven = generation.size
        self._count(look)
        return look

    def _renew(self, generation: Generation, now: float) -> None:
        new = self._roster.renew(generation, now)
        self._active.discard(generation)
        self._active.add(new)
        self._queue(new, now)

    def _failed(self, generation: Generation, error: OSError, now: float) -> None:
        generation.failures += 1
        generation.retry_at = now + min(2.0 ** (generation.failures - 1), _LONGEST_PAUSE)
        self._active.add(generation)
        self._tell(generation, error)
        if generation.linked and generation.place is not None:
            self._descriptors.release(generation)

    def _tell(self, generation: Generation, error: OSError) -> None:
        """Once for each file, once for all when the process has no descriptors left."""
        text = error.strerror or type(error).__name__
        scarce = error.errno in (errno.EMFILE, errno.ENFILE)
        if scarce and not self._scarce:
            self._log.warning("files can't be opened: %s; raise the limit, or lower max_open_files", text)
        elif not scarce and generation.failures == 1:
            self._log.warning(
                "reading %r failed: %s; tried again, the other files go on", generation.path, text
            )
        self._scarce = self._scarce or scarce

    def _count(self, look: Look) -> None:
        cut = sum(int((piece.events.cut > 0).sum()) for piece in look.pieces)
        self._tally.divided_events.add(sum(int(piece.events.divided.sum()) for piece in look.pieces))
        self._tally.read_bytes.add(look.bytes)
        if cut or look.dropped:
            self._tally.truncated_lines.add(cut)
            self._tally.truncated_bytes.add(
                look.dropped + sum(int(piece.events.cut.sum()) for piece in look.pieces)
            )
        if look.zeros:
            self._tally.hole_bytes.add(look.zeros)

    def _gauge(self) -> None:
        generations = self._roster.generations.values()
        self._tally.files.set(len(generations))
        self._tally.open_files.set(len(self._descriptors.held))
        failing = sum(generation.failures > 0 for generation in self._active)
        self._tally.unreadable_files.set(len(self._roster.troubles) + len(self._folders) + failing)
        self._tally.lag_bytes.set(sum(generation.unread for generation in self._active))


def _unchanged(generation: Generation) -> bool:
    """Is it open, still where it was, and neither written to nor deleted?"""
    if generation.descriptor is None or generation.place is None:
        return False
    try:
        status = os.fstat(generation.descriptor)
    except OSError:
        return False
    same = status.st_size == generation.size and status.st_mtime_ns == generation.changed_ns
    return same and status.st_nlink > 0


def _decoded(stored: Mapping[bytes, bytes], log: logging.Logger) -> dict[bytes, Checkpoint]:
    checkpoints = {}
    for key, value in stored.items():
        if key == PATTERNS_KEY:
            continue
        try:
            checkpoints[key] = Checkpoint.decode(value)
        except ValueError as error:
            log.warning("a stored checkpoint can't be used, its file is read from the beginning: %s", error)
    return checkpoints


def _start_rule(selection: Selection, before: bytes | None) -> Callable[[str], bool]:
    """Whether a file that was never seen starts at its end: one that an earlier run would have
    found was created since, and is read whole."""
    known: list[str] = msgspec.json.decode(before, type=list[str]) if before else []

    def at_end(path: str) -> bool:
        return selection.start_at_end and not any(matches(pattern, path) for pattern in known)

    return at_end


def _inside(folders: Sequence[str]) -> Callable[[str], bool]:
    prefixes = tuple(os.path.realpath(folder).rstrip("/") + "/" for folder in folders)
    return lambda path: path.startswith(prefixes) if prefixes else False
