"""All generations together: which of them may be read, and whose turn it is.

Everything here is synchronous and made for one worker thread at a time. The caller alternates:

    follower.scan(now)             new, moved and vanished files; about twice a second
    follower.notice(paths, now)    something happened to these: look at them without waiting
    follower.turn(now)             a bounded amount of events, from as many files as have any
    follower.registrations()       checkpoints to hand over together with what comes next
    follower.sent(piece)           when a piece was handed over
    follower.pause(now)            for how long there is nothing to do

``now`` is seconds of any clock that only goes forward.
"""

from __future__ import annotations

import logging
import os
import time
from collections import deque
from collections.abc import Collection, Mapping, Sequence

import msgspec

from yaat_core.components import Checkpoints, Finding
from yaat_kit.encodings import encoding_of
from yaat_kit.following import pacing
from yaat_kit.following.aged import Aged
from yaat_kit.following.checkpoint import Checkpoint
from yaat_kit.following.copies import SETTLE_SECONDS, Copies
from yaat_kit.following.descriptors import Descriptors, Gone, none_left
from yaat_kit.following.discovery import Finder
from yaat_kit.following.generation import Generation
from yaat_kit.following.identity import FileId
from yaat_kit.following.orphans import Orphans
from yaat_kit.following.pacing import Pace
from yaat_kit.following.reader import WINDOW, ContentChanged, Look, Piece, Reader
from yaat_kit.following.reclaim import reclaim
from yaat_kit.following.refusals import Refusals
from yaat_kit.following.renumbered import renumbered
from yaat_kit.following.roster import Roster
from yaat_kit.following.starting import PATTERNS_KEY, Selection, Stored
from yaat_kit.following.tally import Tally
from yaat_kit.following.troubles import Troubles, what_is_wrong


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
        inherited: Mapping[bytes, Checkpoint] | None = None,
    ) -> None:
        """``stored`` are the checkpoints to resume from; of files that have none or an older one, those ``inherited`` from
        other sources, which do not follow these files any more. With ``once``, every file is read to the end
        that it has at the first scan, the last line as it is."""
        self._reader = reader
        self._pace = pace
        self._tally = tally
        self._log = log
        self._once = once
        self._folders = Troubles(log)
        self._descriptors = Descriptors(pace.max_open_files, log)
        self._denied: dict[str, OSError] = {}
        before = Stored.read(stored, log)
        self._finder = Finder(selection.paths, selection.exclude, on_error=self._denied.__setitem__)
        self._roster = Roster(
            finder=self._finder,
            descriptors=self._descriptors,
            copies=Copies(0.0 if once else SETTLE_SECONDS),
            orphans=Orphans.of(renumbered(before.checkpoints), renumbered(inherited or {})),
            troubles=Troubles(log),
            tally=tally,
            log=log,
            start_at_end=before.start_rule(selection),
            refusals=Refusals.of(selection.forbidden),
            aged=Aged(selection.older_than),
            reads_archives=selection.archives,
            fingerprint_bytes=reader.fingerprint_bytes,
            alignment=encoding_of(reader.encoding, b"").unit,
        )
        patterns = msgspec.json.encode(list(selection.paths))
        if stored.get(PATTERNS_KEY) != patterns:
            self._roster.put_pending({PATTERNS_KEY: patterns})
        self._roster.put_pending(dict.fromkeys(before.broken))
        self._ready: deque[Generation] = deque()
        self._packed: deque[Generation] = deque()
        self._queued: set[Generation] = set()
        self._active: set[Generation] = set()
        self._next_look = 0.0
        self._next_active_look = 0.0
        self._next_report = 0.0
        self._limited = False
        self._reclaimed = False
        self._findings: Sequence[Finding] = ()
        self.watched = False
        """Does the system tell of changes (`notice`)? Then looking around is only a safety net."""

    # --- what the caller does -----------------------------------------------------------------

    def scan(self, now: float) -> bool:
        """Find files that are new, moved or gone; True when any is new."""
        self._denied.clear()
        new = self._roster.scan(now)
        self._descriptors.probe()
        for folder, error in self._denied.items():
            if none_left(error):
                self._descriptors.note(error, now)
            elif self._folders.due(folder, now):
                self._folders.add(folder, error, now)
        for folder in set(self._folders.known) - set(self._denied):
            self._folders.over(folder)
        self._begin(new, now)
        self._limited = True
        self._report()
        return bool(new)

    def notice(self, paths: Collection[str], now: float) -> bool:
        """Look at these paths at the next turn. True when one of them leads to no file that is followed: scan."""
        self._roster.unsettle(self._roster.aged.touched(paths))
        strange = False
        for path in paths:
            generation = self._roster.known(path)
            if generation is None:
                strange = True
            else:
                self._look(generation, now)
        return strange

    def turn(self, now: float) -> list[Piece]:
        """Events of the files whose turn it is; nothing when no file has any."""
        self._look_around(now)
        self._unpack(now)
        pieces: list[Piece] = []
        budget, files = WINDOW, pacing.TURN_FILES
        while self._ready and budget > 0 and files:
            generation = self._ready.popleft()
            self._queued.discard(generation)
            look = self._read(generation, now)
            files -= 1
            if look is not None:
                pieces += look.pieces
                budget -= look.bytes
                self._queue(generation, now)
        pieces += self._read_packed(now)
        if not pieces or now >= self._next_report:
            self._next_report = now + pacing.REPORT_SECONDS
            self._report()
        return pieces

    def registrations(self) -> Checkpoints:
        """Checkpoints of generations that began or ended since the last call."""
        return self._roster.take_pending()

    def sent(self, piece: Piece) -> None:
        """The piece was handed over."""
        piece.generation.sent = piece.checkpoint.offset

    def pause(self, now: float) -> float:
        """Seconds until `turn` may have something."""
        if self._ready or self._packed or self._roster.archives.busy:
            return 0.0
        until = min(self._next_look, self._next_active_look) if self._active else self._next_look
        if self._roster.archives:
            until = min(until, now + pacing.QUIET_POLL)
        return max(0.0, until - now)

    def findings(self) -> Sequence[Finding]:
        """What is wrong now, as of the last scan or turn; for any thread."""
        return self._findings

    def concerns(self, path: str) -> bool:
        """May a change of this path matter? For any thread."""
        return self._finder.concerns(path)

    def folders(self) -> frozenset[str]:
        """The folders in which something may happen that concerns the files."""
        return self._finder.folders()

    def close(self) -> None:
        """Close every descriptor."""
        self._roster.archives.close()
        self._descriptors.close()

    # --- looking ------------------------------------------------------------------------------

    def _look_around(self, now: float) -> None:
        whole = now >= self._next_look
        if not whole and now < self._next_active_look:
            return
        began = time.perf_counter()
        for generation in list(self._roster.generations.values() if whole else self._active):
            if not (generation.asleep and generation.unchanged()):
                self._look(generation, now)
        took = time.perf_counter() - began
        self._next_active_look = now + max(self._pace.poll, took / pacing.ACTIVE_SHARE)
        if whole:
            quiet, share = (
                (pacing.WATCHED_POLL, pacing.WATCHED_SHARE)
                if self.watched
                else (pacing.QUIET_POLL, pacing.LOOK_SHARE)
            )
            self._next_look = now + max(quiet, self._pace.poll, took / share)

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
        (self._packed if generation.codec else self._ready).append(generation)
        return True

    def _begin(self, new: Sequence[Generation], now: float) -> None:
        for generation in new:
            if self._once and generation.codec is None:
                generation.limit = generation.size
            self._active.add(generation)
            self._queue(generation, now)

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
        if generation.quiet(now) >= pacing.ACTIVE_SECONDS:
            self._active.discard(generation)
            generation.asleep = True
        if not generation.linked and generation.quiet(now) >= pacing.DELETED_SECONDS:
            # What is compressed now is to be known again.
            self._retire(generation, forget=not self._roster.reads_archives)
        elif generation.linked and generation.place is None and generation.quiet(now) >= pacing.MOVED_SECONDS:
            self._retire(generation, forget=False)

    def _missed(self, generation: Generation, now: float) -> None:
        """Closed, and not where it was. The next scan may meet it elsewhere; without a place it is
        looked for once more, as it may have grown before it was moved."""
        if generation.codec and generation.place is None and generation.looked_through:
            self._retire(generation, forget=False)
        elif generation.place is None and generation.sent >= generation.offset:
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
                self._roster.miss(generation, now)
                self._active.discard(generation)
            return None
        except OSError as error:
            self._failed(generation, error, now)
            return None
        generation.failures = 0
        generation.flushed = final or (generation.codec is not None and generation.looked_through)
        generation.proven = generation.size
        self._count(look)
        return look

    def _unpack(self, now: float) -> None:
        """Decide about compressed files, while none is being read; then look for what is missing."""
        if not self._packed and self._roster.archives:
            try:
                settled = self._roster.archives.step(now)
            except OSError as error:
                self._log.warning("a compressed file can't be read: %s", error)
                settled = None
            if settled is not None:
                self._begin([self._roster.admit(settled, now)], now)
        if self._limited and not self._reclaimed and not self._roster.archives:
            self._reclaimed = True
            self._begin(reclaim(self._roster, self._finder.selects, now), now)

    def _read_packed(self, now: float) -> Sequence[Piece]:
        """Of the compressed files, the first one until its end: memory holds one decoder."""
        if not self._packed:
            return ()
        generation = self._packed[0]
        look = self._read(generation, now)
        if look is None or generation.looked_through:
            self._packed.popleft()
            self._queued.discard(generation)
            self._finish_packed(generation, had_events=bool(look and look.pieces))
        return () if look is None else look.pieces

    def _finish_packed(self, generation: Generation, *, had_events: bool) -> None:
        if generation.unpacked is None or not generation.looked_through:
            return
        damage = generation.unpacked.damage
        if damage:
            self._tally.damaged_archives.add()
            length = generation.unpacked.length
            self._log.warning(
                "%r is damaged: %s; %d bytes could be unpacked", generation.path, damage, length
            )
        if not had_events:
            self._roster.put_pending({generation.key: generation.checkpoint().encode()})
        self._descriptors.release(generation)

    def _renew(self, generation: Generation, now: float) -> None:
        new = self._roster.renew(generation, now)
        self._active.discard(generation)
        self._active.add(new)
        self._queue(new, now)

    def _failed(self, generation: Generation, error: OSError, now: float) -> None:
        generation.failures += 1
        generation.retry_at = now + min(2.0 ** (generation.failures - 1), pacing.LONGEST_PAUSE)
        generation.trouble = error.strerror or type(error).__name__
        self._active.add(generation)
        self._tell(generation, error)
        if generation.linked and generation.place is not None:
            self._descriptors.release(generation)

    def _tell(self, generation: Generation, error: OSError) -> None:
        """Once for each file; that there are no descriptors is told by who opens them."""
        if generation.failures == 1 and not none_left(error):
            self._log.warning(
                "reading %r failed: %s; tried again, the other files go on",
                generation.path,
                generation.trouble,
            )

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

    def _report(self) -> None:
        generations, active = self._roster.generations.values(), self._active
        failing = [generation for generation in active if generation.failures > 0]
        self._tally.files.set(len(generations))
        self._tally.open_files.set(len(self._descriptors.held))
        self._tally.unreadable_files.set(len(self._roster.troubles) + len(self._folders) + len(failing))
        self._tally.lag_bytes.set(sum(generation.unread for generation in active))
        self._findings = what_is_wrong(self._descriptors, failing, [self._roster.troubles, self._folders])
