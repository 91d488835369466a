"""The source: from the checkpoint on, entry by entry, its cursor written with the events."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Final

import attrs
import trio

from yaat_core.components import Context, Finding, Outlet, Source
from yaat_core.event import EventBatch, now
from yaat_kit.joining import make_joiner
from yaat_kit.multiline import Limits
from yaat_plugin_journald import libsystemd
from yaat_plugin_journald.checkpoint import KEY, Checkpoint
from yaat_plugin_journald.child_reader import ChildReader, Missing, program
from yaat_plugin_journald.config import JournaldConfig
from yaat_plugin_journald.cursors import Cursor
from yaat_plugin_journald.entries import NO_ENTRIES, Entries
from yaat_plugin_journald.events import Maker, fields_of
from yaat_plugin_journald.joining import Joining
from yaat_plugin_journald.library_reader import LibraryReader
from yaat_plugin_journald.losses import Losses, suspicious
from yaat_plugin_journald.matching import alternatives
from yaat_plugin_journald.own import Own
from yaat_plugin_journald.places import Looker, Places
from yaat_plugin_journald.readers import Asked, Reader
from yaat_plugin_journald.selecting import Selection
from yaat_plugin_journald.since import AtCursor, start_of

#: Seconds after which a quiet journal's checkpoint is brought up to date, and journal files are looked at.
_QUIET: Final = 300.0
_LOOK: Final = 30.0
#: Entries that were all left out, after which a checkpoint is written without events.
_PASSED: Final = 20_000
#: journald may write an entry a little after its time.
_MARGIN_US: Final = 5_000_000
#: Seconds between two looks for removed entries while reading is behind.
_LOSS_PAUSE: Final = 5.0


@attrs.frozen
class _Made:
    """A batch, the checkpoint behind it, and the entry after which numbers are skipped, if any."""

    batch: EventBatch
    checkpoint: Checkpoint
    gap_after: Cursor | None


class JournaldSource(Source):
    """Follows the journal with one reader."""

    def __init__(self, config: JournaldConfig, context: Context) -> None:
        self._config = config
        self._context = context
        self._places = Places.of(config, context)
        self._files: Sequence[Finding] = ()
        self._trouble: Finding | None = None
        self._losses = Losses(context.stats, context.log)
        self._passed = 0
        self._next_look_for_losses = 0.0
        stats = context.stats
        self._excluded = stats.counter(
            "yaat_journald_excluded_entries_total", "Entries that were read and left out, as the options say."
        )
        self._cut = stats.counter("yaat_journald_cut_entries_total", "Entries of which a value was cut.")
        self._unreadable = stats.counter(
            "yaat_journald_unreadable_entries_total",
            "Entries of which a value could not be read: a damaged file.",
        )
        self._fields_left_out = stats.counter(
            "yaat_journald_fields_left_out_total", "Fields beyond `max_fields` of an entry."
        )

    async def check(self) -> Sequence[Finding]:
        """Is there a journal, and can it be read?"""
        found = []
        try:
            self._library() or program()
        except Missing as error:
            found.append(Finding(problem=error.what, advice=error.fix))
        return [*found, *await trio.to_thread.run_sync(Looker(self._places).findings)]

    def problems(self) -> Sequence[Finding]:
        """Files that can't be read, and what was lost in the last hour."""
        return [*self._files, *(one for one in (self._trouble, self._losses.finding()) if one is not None)]

    async def run(self, out: Outlet) -> None:
        """Follow until cancelled; with ``once`` read what is there now and return when it is durable."""
        async with trio.open_nursery() as nursery:
            stored = self._stored(out)
            nursery.start_soon(self._look_after_files, Looker(self._places, _time_of(stored)))
            await self._follow(out, stored)
            nursery.cancel_scope.cancel()

    # --- reading ------------------------------------------------------------------------------

    async def _follow(self, out: Outlet, checkpoint: Checkpoint | None) -> None:
        own = Own.found()
        selection = Selection.of(self._config, own)
        reader = self._reader(self._asked(selection, own))
        try:
            if checkpoint is None:
                checkpoint = self._first(own)
                await out.send(EventBatch.empty(), {KEY: checkpoint.encode()})
            elif (cursor := checkpoint.cursor) is not None:
                self._losses.compare(cursor, checkpoint.seen_us, await reader.nearest(cursor))
            await reader.open(checkpoint.start)
            await self._read(out, reader, selection, checkpoint)
        finally:
            with trio.CancelScope(shield=True):
                await reader.close()

    async def _read(self, out: Outlet, reader: Reader, selection: Selection, checkpoint: Checkpoint) -> None:
        maker = Maker(self._config, self._context, checkpoint.first_seen_ms)
        joining = self._joining(checkpoint)
        receipt, unsaid = None, False
        while True:
            entries, ended = await self._next(reader, joining)
            if entries is not None or ended or not joining.due():
                made = await trio.to_thread.run_sync(
                    partial(self._make, entries or NO_ENTRIES, maker, selection, checkpoint, joining, ended)
                )
                if made.gap_after is not None:
                    await self._look_for_losses(reader, made.gap_after, checkpoint)
                unsaid |= made.checkpoint != checkpoint
                checkpoint = made.checkpoint
                if len(made.batch) or self._passed >= _PASSED:
                    receipt = await out.send(made.batch, {KEY: checkpoint.encode()})
                    self._passed, unsaid = 0, False
                if not ended:
                    continue
            checkpoint = attrs.evolve(checkpoint, seen_us=time.time_ns() // 1000 - _MARGIN_US)
            if ended and receipt is None and not unsaid:
                return
            receipt = await out.send(EventBatch.empty(), {KEY: checkpoint.encode()})
            self._passed, unsaid = 0, False
            if ended:
                await receipt.durable()
                return

    async def _next(self, reader: Reader, joining: Joining) -> tuple[Entries | None, bool]:
        """Entries; or none because all is quiet, or something is due; or none because that was the end."""
        with trio.move_on_after(min(_QUIET, joining.due())):
            entries = await reader.next()
            return entries, entries is None
        return None, False

    def _make(
        self,
        entries: Entries,
        maker: Maker,
        selection: Selection,
        before: Checkpoint,
        joining: Joining,
        ended: bool,
    ) -> _Made:
        """In a worker thread."""
        where = entries.places()
        kept = selection.mask(entries)
        if kept is not None:
            left_out = len(entries) - int(kept.sum())
            self._excluded.add(left_out)
            self._passed += left_out
        batch = joining.events(entries, where, kept, maker.batch, ended=ended)
        if missing := joining.missing():
            self._losses.unfinished(missing)
        self._count(entries, maker)
        after = before if joining.replaying else _after(before, entries, joining)
        return _Made(batch, after, suspicious(before.cursor, where))

    def _count(self, entries: Entries, maker: Maker) -> None:
        """What is not as it was."""
        if entries.cut:
            self._cut.add(len(set(entries.cut)))
        if entries.unreadable:
            self._unreadable.add(entries.unreadable)
            self._context.log.warning("%d entries could not be read whole: damaged", entries.unreadable)
        if maker.left_out:
            self._fields_left_out.add(maker.left_out)
            maker.left_out = 0

    def _joining(self, checkpoint: Checkpoint) -> Joining:
        config = self._config
        limits = Limits(lines=config.event_lines, bytes=config.event_bytes)
        return Joining(
            None if config.multiline is None else make_joiner(config.multiline, limits),
            checkpoint.start,
            patience=config.join_timeout,
            most=config.max_field_bytes,
            replay=checkpoint.replay(),
        )

    async def _look_for_losses(self, reader: Reader, last: Cursor, checkpoint: Checkpoint) -> None:
        if trio.current_time() < self._next_look_for_losses:
            return
        self._next_look_for_losses = trio.current_time() + _LOSS_PAUSE
        self._losses.compare(last, checkpoint.seen_us, await reader.nearest(last))

    # --- beginning ----------------------------------------------------------------------------

    def _stored(self, out: Outlet) -> Checkpoint | None:
        stored = out.checkpoints().get(KEY)
        if stored is None:
            return None
        try:
            return Checkpoint.decode(stored)
        except ValueError as error:
            problem = f"the stored position can't be used: {error}"
            self._context.log.warning("%s; reading begins as `since` says", problem)
            self._trouble = Finding(
                problem=problem,
                advice="what lies before `since` and was not read is not read any more",
                level="warn",
            )
            return None

    def _first(self, own: Own) -> Checkpoint:
        present = now()
        start = start_of(self._config.since, present, own.boot)
        return Checkpoint(first_seen_ms=int(present.timestamp() * 1000), start=start)

    def _asked(self, selection: Selection, own: Own) -> Asked:
        fields = fields_of(self._config)
        return Asked(
            places=self._places,
            journal=self._config.journal,
            alternatives=tuple(alternatives(self._config, own.boot)),
            fields=None if fields is None else fields | selection.fields(),
            max_field_bytes=self._config.max_field_bytes,
            once=self._context.once,
        )

    def _library(self) -> bool:
        """Is libsystemd to be used?"""
        wanted = self._config.reader
        if wanted == "libsystemd" and not libsystemd.available():
            fix = "install it (Debian: libsystemd0), or write `reader: auto`"
            raise Missing(f"{libsystemd.NAME} can't be loaded", fix=fix)
        return wanted == "libsystemd" or (wanted == "auto" and libsystemd.available())

    def _reader(self, asked: Asked) -> Reader:
        if self._library():
            return LibraryReader(asked)
        program()
        return ChildReader(asked, self._context.log)

    async def _look_after_files(self, looker: Looker) -> None:
        told: set[str] = set()
        while True:
            self._files = await trio.to_thread.run_sync(looker.findings)
            problems = {finding.problem for finding in self._files}
            for problem in problems - told:
                self._context.log.warning("%s", problem)
            told = problems
            await trio.sleep(_LOOK)


def _after(before: Checkpoint, entries: Entries, joining: Joining) -> Checkpoint:
    """The checkpoint behind these entries, which does not pass what waits."""
    last = before.cursor if not len(entries) else Cursor.parse(entries.cursors[-1])
    if last is None:
        return before
    if (first := joining.first) is not None:
        return attrs.evolve(before, start=first, read=last.text, waiting=joining.names())
    return attrs.evolve(before, start=AtCursor(last.text), read=None, waiting={})


def _time_of(stored: Checkpoint | None) -> int:
    """From when on entries are read, as far as that is known."""
    cursor = stored.cursor if stored is not None else None
    return cursor.us if cursor is not None else 0
