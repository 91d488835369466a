"""Compressed files that were not seen before: is their content read already, in part, or not at all?

What rotation compressed is recognised by name (``app.log.2.gz`` of ``app.log``) and by content: the bytes at the
beginning, those before the offset of what was read, and the length. Comparing takes bounded steps, one file at a time.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

import attrs

from yaat_kit.following.checkpoint import Checkpoint
from yaat_kit.following.descriptors import Gone
from yaat_kit.following.generation import Generation
from yaat_kit.following.identity import NO_MARK, TAIL_BYTES, FileId, Mark, open_regular
from yaat_kit.following.packing import Unpacked, codec_of, plain_name
from yaat_kit.following.places import family_of

#: A compressed file that has not changed for so long is finished; one that ends too early gets more time.
SETTLE_SECONDS: Final = 2.0
_UNFINISHED_NS: Final = 30_000_000_000
_STEP_BYTES: Final = 4 << 20
_COMPARED: Final = 1024


@attrs.frozen(eq=False, kw_only=True)
class Rival:
    """A generation that an archive may hold. Of one whose file is there, ``live``, ``read`` gives bytes (count, offset)."""

    key: bytes
    stored: Checkpoint
    live: Generation | None = None
    read: Callable[[int, int], bytes] | None = None


@attrs.frozen(eq=False, kw_only=True)
class Settled:
    """What an archive is: its content goes on for ``rival`` from where that stands, or begins anew at ``offset``.

    ``offset`` is not 0 when it was read already. The descriptor is the taker's.
    """

    path: str
    descriptor: int
    unpacked: Unpacked
    rival: Rival | None
    offset: int = 0
    tail: Mark = NO_MARK


@attrs.define(eq=False)
class _Waiting:
    path: str
    file: FileId
    size: int = -1
    changed_ns: int = -1
    since: float = 0.0
    copy_of: Generation | None = None
    length: int = 0

    def due(self, now: float, patience: float) -> bool:
        """Has it been quiet for long enough, and is what it is a copy of read to where it ends?"""
        status = os.stat(self.path)
        self.file = FileId.of(status)
        if (status.st_size, status.st_mtime_ns) != (self.size, self.changed_ns):
            self.size, self.changed_ns, self.since = status.st_size, status.st_mtime_ns, now
            self.copy_of = None
        if now - self.since < patience and not self.old:
            return False
        original = self.copy_of
        return original is None or original.sent >= self.length or original.retired

    @property
    def old(self) -> bool:
        """Was it written so long ago that nobody can be at it still?"""
        return time.time_ns() - self.changed_ns > _UNFINISHED_NS


@attrs.define(eq=False)
class Archives:
    """The compressed files that wait for a decision. ``rivals`` gives what a path may be a copy of."""

    rivals: Callable[[str], Sequence[Rival]]
    settle_seconds: float = SETTLE_SECONDS
    _waiting: dict[FileId, _Waiting] = attrs.field(factory=dict)
    _line: deque[FileId] = attrs.field(factory=deque)
    _current: _Comparison | None = None

    def add(self, path: str, status: os.stat_result) -> None:
        """One that was never seen before, or that was renamed since."""
        file = FileId.of(status)
        if file in self._waiting:
            self._waiting[file].path = path
        else:
            self._waiting[file] = _Waiting(path, file)
            self._line.append(file)

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def busy(self) -> bool:
        """Is one being compared?"""
        return self._current is not None

    def step(self, now: float) -> Settled | None:
        """Do a bounded piece of work; what was decided with it.

        Raises:
            OSError: one can't be read; it waits no more.
        """
        if self._current is None:
            self._current = self._next(now)
        if self._current is None:
            return None
        current = self._current
        try:
            if not current.step():
                return None
        except BaseException:
            self._drop(current)
            raise
        self._current = None
        return self._decide(current, now)

    def close(self) -> None:
        """Give back what is open."""
        if self._current is not None:
            self._current.close()
            self._current = None

    def _next(self, now: float) -> _Comparison | None:
        for _ in range(len(self._line)):
            file = self._line.popleft()
            waiting = self._waiting[file]
            try:
                due = waiting.due(now, self.settle_seconds)
            except OSError:
                del self._waiting[file]
                continue
            if waiting.file != file:
                # Another file stands there now: the next scan meets it.
                del self._waiting[file]
                continue
            self._line.append(file)
            if due:
                return self._compare(waiting)
        return None

    def _compare(self, waiting: _Waiting) -> _Comparison:
        try:
            descriptor, status = open_regular(waiting.path)
        except OSError:
            self._forget(waiting)
            raise
        waiting.file = FileId.of(status)
        return _Comparison(waiting, descriptor, self.rivals(waiting.path), at_once=not self.settle_seconds)

    def _decide(self, current: _Comparison, now: float) -> Settled | None:
        """Take what was found, or wait on."""
        waiting, unpacked, rival = current.waiting, current.unpacked, current.found
        unfinished = unpacked.damage is not None and self.settle_seconds > 0 and not waiting.old
        if unfinished or current.gone_meanwhile:
            waiting.since = now
            current.close()
            return None
        if rival is not None and rival.live is not None:
            if rival.live.sent < unpacked.length:
                waiting.copy_of, waiting.length = rival.live, unpacked.length
                current.close()
                return None
            tail = unpacked.pread(TAIL_BYTES, max(0, unpacked.length - TAIL_BYTES))
            self._forget(waiting)
            return Settled(
                path=waiting.path,
                descriptor=current.descriptor,
                unpacked=unpacked,
                rival=None,
                offset=unpacked.length,
                tail=Mark.of(tail),
            )
        self._forget(waiting)
        return Settled(path=waiting.path, descriptor=current.descriptor, unpacked=unpacked, rival=rival)

    def _drop(self, current: _Comparison) -> None:
        current.close()
        self._current = None
        self._forget(current.waiting)

    def _forget(self, waiting: _Waiting) -> None:
        for file in [file for file, one in self._waiting.items() if one is waiting]:
            del self._waiting[file]
            self._line.remove(file)


@attrs.define(eq=False)
class _Comparison:
    """One archive beside its rivals, read through once in steps: when one of them begins as it does, or when it is so
    new that it may not be complete."""

    waiting: _Waiting
    descriptor: int
    rivals: Sequence[Rival]
    at_once: bool = attrs.field(kw_only=True)
    """Does it count as complete, however new it is?"""
    found: Rival | None = None
    gone_meanwhile: bool = False
    """A file that it was compared with was deleted: there is nothing to be told yet."""
    unpacked: Unpacked = attrs.field(init=False)
    _work: Generator[None, None, Rival | None] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        codec = codec_of(self.waiting.path)
        assert codec is not None
        try:
            self.unpacked = Unpacked(self.descriptor, codec)
        except BaseException:
            os.close(self.descriptor)
            raise
        self._work = self._compare()

    def step(self) -> bool:
        """Work on for a while; True when it is decided."""
        try:
            next(self._work)
        except StopIteration as end:
            self.found = end.value
            return True
        return False

    def close(self) -> None:
        self._work.close()
        os.close(self.descriptor)

    def _compare(self) -> Generator[None, None, Rival | None]:
        unpacked = self.unpacked
        head = unpacked.pread(max([_COMPARED, *(rival.stored.head.length for rival in self.rivals)]), 0)
        try:
            alike = [rival for rival in self.rivals if _begins(rival, head)]
        except Gone:
            self.gone_meanwhile = True
            return None
        if not alike and (self.waiting.old or self.at_once):
            return None
        gone: Rival | None = None
        for rival in sorted(alike, key=lambda rival: rival.stored.offset):
            stored = rival.stored
            if rival.live is None and stored.head.length:
                yield from self._advance(stored.offset)
                tail = unpacked.pread(stored.tail.length, stored.offset - stored.tail.length)
                gone = rival if unpacked.length >= stored.offset and stored.tail.matches(tail) else gone
        yield from self._advance(None)
        last = unpacked.pread(_COMPARED, max(0, unpacked.length - _COMPARED))
        try:
            live = [rival for rival in alike if _holds(rival, last, unpacked.length)]
        except Gone:
            self.gone_meanwhile = True
            return None
        return live[0] if live else gone

    def _advance(self, upto: int | None) -> Generator[None, None, None]:
        """Unpack up to there, or to the end."""
        step = self.unpacked.length
        while (upto is None or self.unpacked.length < upto) and self.unpacked.advance(upto):
            if self.unpacked.length - step >= _STEP_BYTES:
                step = self.unpacked.length
                yield


def _begins(rival: Rival, head: bytes) -> bool:
    """Does the archive begin as the rival does?"""
    if rival.read is None:
        return rival.stored.head.matches(head)
    return rival.read(len(head), 0) == head


def _holds(rival: Rival, last: bytes, length: int) -> bool:
    """Are the archive's last bytes found at the same place in a file that is there?"""
    return rival.read is not None and length > 0 and rival.read(len(last), length - len(last)) == last


def rivals_of(
    path: str,
    generations: Iterable[Generation],
    gone: Mapping[bytes, Checkpoint],
    read: Callable[[Generation, int, int], bytes],
) -> list[Rival]:
    """What the compressed file at ``path`` may be a copy of, to judge by the names."""
    family = family_of(plain_name(path))
    live = [
        Rival(key=one.key, stored=one.checkpoint(), live=one, read=partial(read, one))
        for one in generations
        if one.codec is None and family in (family_of(one.path), family_of(one.place or one.path))
    ]
    return live + [
        Rival(key=key, stored=stored)
        for key, stored in gone.items()
        if not stored.packed and family_of(stored.path) == family
    ]
