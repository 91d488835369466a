"""Which generations there are, and which of them a path leads to.

A scan meets paths. Those it knows by device and inode keep their generation, wherever they
moved. Others go on with a stored checkpoint when their bytes are those it marks, take over a truncated
generation when they are the copy that `copytruncate` made of it, or begin a new one.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Iterable, Mapping

import attrs

from yaat_core.components import Checkpoints
from yaat_kit.following.aged import Aged
from yaat_kit.following.archives import SETTLE_SECONDS, Archives, Rival, Settled, rivals_of
from yaat_kit.following.checkpoint import Checkpoint
from yaat_kit.following.copies import ENDED_SECONDS, PACKED_SECONDS, Copies, Ended, Verdict, content_is
from yaat_kit.following.descriptors import Descriptors, Gone, none_left
from yaat_kit.following.discovery import Finder, Token
from yaat_kit.following.generation import Generation
from yaat_kit.following.identity import TAIL_BYTES, FileId, Mark, NotRegular, original_path
from yaat_kit.following.orphans import Orphans
from yaat_kit.following.packing import codec_of
from yaat_kit.following.places import Places
from yaat_kit.following.refusals import Refusals
from yaat_kit.following.starting import last_line_end
from yaat_kit.following.tally import Tally
from yaat_kit.following.troubles import Troubles


@attrs.define(eq=False, kw_only=True)
class Roster:
    """All generations, by key, by file and by place.

    ``start_at_end`` tells for a path that was never seen before, at the first scan, whether only
    what is written from now on counts. ``refusals`` which files must not be.
    """

    finder: Finder
    descriptors: Descriptors
    copies: Copies
    orphans: Orphans
    troubles: Troubles
    tally: Tally
    log: logging.Logger
    start_at_end: Callable[[str], bool]
    refusals: Refusals
    aged: Aged
    reads_archives: bool = False
    fingerprint_bytes: int
    alignment: int = 1
    """Bytes of one character at least."""
    generations: dict[bytes, Generation] = attrs.field(factory=dict)
    _by_file: dict[FileId, Generation] = attrs.field(factory=dict)
    _places: Places = attrs.field(factory=Places)
    _settled: dict[str, Token] = attrs.field(factory=dict)
    _pending: dict[bytes, bytes | None] = attrs.field(factory=dict)
    _scanned: bool = False
    archives: Archives = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        settle = min(self.copies.settle_seconds, SETTLE_SECONDS)
        self.archives = Archives(self._rivals, settle)

    def scan(self, now: float) -> list[Generation]:
        """Look which files there are; returns the generations that are new here."""
        found = self.finder.find()
        self.unsettle(self.aged.woken(now))
        if (found == self._settled or now < self.descriptors.retry_at) and not self.troubles.known:
            self._expire(now)
            return []
        before = set(self.generations)
        news = [path for path, token in found.items() if self._settled.get(path) != token]
        news = [path for path in news if self.troubles.due(path, now)]
        strangers = [path for path in news if not self._recognise(path, found, now)]
        # Files that are known by inode come first: what is left may be their copy.
        for path in sorted(strangers, key=self._turn_of):
            if not self._attempt(path, found[path], now):
                break
        self._drop_places(found)
        self._expire(now)
        self._scanned = True
        return [generation for key, generation in self.generations.items() if key not in before]

    def take_pending(self) -> Checkpoints:
        """Checkpoints of generations that began or ended, to be handed over with what comes next."""
        pending, self._pending = self._pending, {}
        return pending

    def put_pending(self, checkpoints: Checkpoints) -> None:
        """To be handed over, too."""
        self._pending.update(checkpoints)

    def renew(self, generation: Generation, now: float) -> Generation:
        """The file has other content now: that is a new generation, from the file's first byte on."""
        place = generation.place or generation.path
        lost = 0 if generation.codec else max(0, generation.proven - generation.offset)
        self._end(generation.key, generation.checkpoint(), place, lost, now)
        new = Generation.begin(place, generation.file, codec=generation.codec)
        new.place = generation.place
        new.limit = None if generation.limit is None else generation.size
        descriptor = generation.descriptor
        generation.descriptor = None
        self.descriptors.held.discard(generation)
        self._remove(generation)
        self.add(new, descriptor, now)
        return new

    def miss(self, generation: Generation, now: float) -> None:
        """Its file can't be found. What was not read of it may turn up in a compressed file; else it is lost."""
        unread = generation.unread
        if self.reads_archives and generation.codec is None:
            stored = generation.checkpoint()
            self.descriptors.release(generation)
            self._remove(generation)
            until = now + PACKED_SECONDS
            self.copies.ended.append(
                Ended(key=generation.key, place=generation.path, checkpoint=stored, until=until, lost=unread)
            )
        else:
            self.lose(generation.path, unread)
            self.retire(generation, forget=unread > 0)

    def retire(self, generation: Generation, *, forget: bool) -> None:
        """Follow it no more. ``forget`` its checkpoint as well, for a file that can't come back."""
        self.descriptors.release(generation)
        self._remove(generation)
        if forget:
            self._pending[generation.key] = None
        else:
            self.orphans.add(generation.key, generation.checkpoint())

    def unsettle(self, paths: Iterable[str]) -> None:
        """Look at these anew at the next scan."""
        for path in paths:
            self._settled.pop(path, None)

    def known(self, path: str) -> Generation | None:
        """The generation of the file that is at ``path`` now."""
        try:
            return self._by_file.get(FileId.of(os.stat(path)))
        except OSError:
            return None

    def admit(self, settled: Settled, now: float) -> Generation:
        """Follow a compressed file from where its content was read before."""
        status, rival = os.fstat(settled.descriptor), settled.rival
        file = FileId.of(status)
        if rival is None:
            generation = Generation.begin(
                settled.path, file, offset=settled.offset, codec=codec_of(settled.path)
            )
            generation.tail = settled.tail
        else:
            self._unlist(rival.key)
            generation = Generation.resume(rival.key, rival.stored, place=settled.path, file=file)
            generation.codec = codec_of(settled.path)
        generation.head = Mark.of(os.pread(settled.descriptor, self.fingerprint_bytes, 0))
        generation.unpacked = settled.unpacked
        if settled.offset:
            generation.settle(status)
        self.add(generation, settled.descriptor, now)
        self._pending[generation.key] = generation.checkpoint().encode()
        return generation

    # --- one path ---------------------------------------------------------------------------

    def _recognise(self, path: str, found: Mapping[str, Token], now: float) -> bool:
        """Is it a file that is followed already, or nothing to follow?"""
        try:
            status = os.stat(path)
        except FileNotFoundError:
            return True
        except OSError as error:
            self.troubles.add(path, error, now)
            return True
        if not stat.S_ISREG(status.st_mode):
            self.log.warning("%r is not a regular file and is not read", path)
            self._settled[path] = found[path]
            return True
        generation = self._by_file.get(FileId.of(status))
        if generation is not None and self._is_other(generation, path):
            self.miss(generation, now)
            generation = None
        if generation is None:
            if not self.orphans.knows(FileId.of(status)) and self.aged.take(path, status):
                self._settled[path] = found[path]
                return True
            return False
        place = generation.place
        if place is None or place not in found or self._settled.get(place) != found[place]:
            self._places.put(generation, path)
        self._settled[path] = found[path]
        return True

    def _is_other(self, generation: Generation, path: str) -> bool:
        """Was its inode, while it was closed, used again for a file of another kind, to judge by the name?"""
        packed = self.reads_archives and codec_of(path) is not None
        return generation.descriptor is None and packed != (generation.codec is not None)

    def _attempt(self, path: str, token: Token, now: float) -> bool:
        """Try to follow a stranger; False: the process has no descriptors left."""
        try:
            if self._meet(path, now):
                self._settled[path] = token
            self.troubles.over(path)
        except FileNotFoundError:
            return True
        except NotRegular:
            self._settled[path] = token
        except OSError as error:
            if none_left(error):
                return False
            self.troubles.add(path, error, now)
        return True

    def _meet(self, path: str, now: float) -> bool:
        """Open a stranger and decide what it is; False: that is not to be told yet."""
        descriptor, status = self.descriptors.open_path(path, now)
        try:
            # Another path of this scan may have led to the same file.
            settled = FileId.of(status) in self._by_file or self._refused(path, status)
            generation = None if settled else self._stored(path, descriptor, status, now)
            packed = self.reads_archives and codec_of(path) is not None
            if generation is None and not settled and packed:
                generation = self._passed_over(path, descriptor, status)
                settled = generation is None
            if not settled:
                generation = (
                    generation
                    or self._taken_over(path, descriptor, status)
                    or self._begun(path, descriptor, status, now)
                )
        except OSError:
            os.close(descriptor)
            raise
        if generation is None:
            os.close(descriptor)
            return settled
        self.add(generation, descriptor, now)
        return True

    def _passed_over(self, path: str, descriptor: int, status: os.stat_result) -> Generation | None:
        """A compressed file that counts as read because it was there at the first start; None: it is to be looked into."""
        if self._scanned or not self.start_at_end(path):
            self.archives.add(path, status)
            return None
        begun = Generation.begin(path, FileId.of(status), codec=codec_of(path))
        begun.head = Mark.of(os.pread(descriptor, self.fingerprint_bytes, 0))
        begun.settle(status)
        self._pending[begun.key] = begun.checkpoint().encode()
        return begun

    def _refused(self, path: str, status: os.stat_result) -> bool:
        why = self.refusals.why(path, status)
        if why:
            self.log.warning("%r %s and is not read", path, why)
        return why is not None

    def _stored(self, path: str, descriptor: int, status: os.stat_result, now: float) -> Generation | None:
        """Go on with the checkpoint of this very file, when its bytes still are what it says."""
        file, resumed = FileId.of(status), None
        for key, stored in self.orphans.take(file):
            inherited = self.orphans.adopt(key)
            if content_is(descriptor, status.st_size, stored):
                if resumed is None:
                    resumed = Generation.resume(key, stored, place=path, file=file)
                    if stored.packed and stored.size == status.st_size:
                        resumed.settle(status)
                if inherited or resumed.key != key:
                    self._pending[key] = stored.encode() if resumed.key == key else None
            elif not inherited:
                self._end(key, stored, stored.path, 0, now)
        return resumed

    def _taken_over(self, path: str, descriptor: int, status: os.stat_result) -> Generation | None:
        """Go on in the copy of a file that was truncated."""
        ended = self.copies.take_over(path, descriptor, status.st_size)
        if ended is None:
            return None
        resumed = Generation.resume(ended.key, ended.checkpoint, place=path, file=FileId.of(status))
        self._pending[ended.key] = resumed.checkpoint().encode()
        return resumed

    def _begun(self, path: str, descriptor: int, status: os.stat_result, now: float) -> Generation | None:
        """Begin a new generation, behind what a copy's original had already; None: wait."""
        offset = 0
        verdict = self._copy_verdict(path, descriptor, status.st_size, now)
        if verdict is Verdict.WAIT:
            return None
        if verdict is Verdict.READ:
            offset = status.st_size
        elif not self._scanned and self.start_at_end(path):
            offset = last_line_end(descriptor, status.st_size, self.alignment)
        begun = Generation.begin(path, FileId.of(status), offset=offset)
        begun.head = Mark.of(os.pread(descriptor, self.fingerprint_bytes, 0))
        before = min(offset, TAIL_BYTES)
        begun.tail = Mark.of(os.pread(descriptor, before, offset - before))
        self._pending[begun.key] = begun.checkpoint().encode()
        return begun

    def _copy_verdict(self, path: str, descriptor: int, size: int, now: float) -> Verdict:
        original = original_path(path)
        if original is None:
            return Verdict.OTHER
        try:
            # One that is truncated already, and perhaps renamed since, ends at its next look.
            if any(not self._intact(relative, now) for relative in self._places.family(path)):
                return Verdict.WAIT
            source = self._places.at(original)
            if source is None:
                return Verdict.OTHER
            self.descriptors.open(source, now)
            return self.copies.judge(path, descriptor, size, source, now)
        except Gone:
            return Verdict.WAIT

    def _intact(self, generation: Generation, now: float) -> bool:
        self.descriptors.open(generation, now)
        descriptor = generation.descriptor
        assert descriptor is not None
        return content_is(descriptor, os.fstat(descriptor).st_size, generation.checkpoint())

    def _turn_of(self, path: str) -> tuple[bool, int]:
        """Files that are known by inode come first: others may be their copies. Of compressed ones the oldest."""
        try:
            status = os.stat(path)
        except OSError:
            return (True, 0)
        return (not self.orphans.knows(FileId.of(status)), status.st_mtime_ns if codec_of(path) else 0)

    def _rivals(self, path: str) -> list[Rival]:
        gone = dict(self.orphans.stored) | {ended.key: ended.checkpoint for ended in self.copies.ended}
        return rivals_of(path, self.generations.values(), gone, self._read_at)

    def _read_at(self, generation: Generation, count: int, offset: int) -> bytes:
        if generation.retired:
            raise Gone(f"read to its end: {generation.path}")
        self.descriptors.open(generation, generation.used_at)
        assert generation.descriptor is not None
        return os.pread(generation.descriptor, count, offset)

    def _unlist(self, key: bytes) -> None:
        """A checkpoint whose file was gone belongs to a file again."""
        if key in self.orphans.stored:
            self.orphans.drop(key)
        self.copies.ended = [ended for ended in self.copies.ended if ended.key != key]

    # --- the books ----------------------------------------------------------------------------

    def add(self, generation: Generation, descriptor: int | None, now: float) -> None:
        """Follow it, with a descriptor if it is open."""
        self.generations[generation.key] = generation
        self._by_file[generation.file] = generation
        if generation.place is not None:
            self._places.put(generation, generation.place)
        generation.used_at = now
        if descriptor is not None:
            self.descriptors.hold(generation, descriptor, now)
            generation.note(os.fstat(descriptor), now)

    def _remove(self, generation: Generation) -> None:
        generation.retired = True
        del self.generations[generation.key]
        if self._by_file.get(generation.file) is generation:
            del self._by_file[generation.file]
        if generation.place is not None:
            self._places.clear(generation.place)

    def _drop_places(self, found: Mapping[str, Token]) -> None:
        for path in [path for path in self._settled if path not in found]:
            del self._settled[path]
            self._places.clear(path)
        self.aged.forget([path for path in self.aged if path not in found])
        for path in [path for path in self.troubles.known if path not in found]:
            self.troubles.over(path)

    def _end(self, key: bytes, stored: Checkpoint, place: str, lost: int, now: float) -> None:
        self.tally.truncations.add()
        self.log.info("%r was truncated or written anew; read from its beginning", place)
        patience = PACKED_SECONDS if self.reads_archives else ENDED_SECONDS
        ended = Ended(key=key, place=place, checkpoint=stored, until=now + patience, lost=lost)
        self.copies.ended.append(ended)

    def _expire(self, now: float) -> None:
        for ended in self.copies.expired(now):
            self._pending[ended.key] = None
            self.lose(ended.place, ended.lost)
        for key in self.orphans.expired(now):
            self._pending[key] = None

    def lose(self, path: str, count: int) -> None:
        """Bytes that were written and can't be read any more."""
        if count:
            self.tally.unread_bytes.add(count)
            self.log.warning("%d bytes of %r were gone before they were read", count, path)
