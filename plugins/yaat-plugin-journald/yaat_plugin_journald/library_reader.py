"""The journal through libsystemd."""

from __future__ import annotations

import time

import trio

from yaat_plugin_journald import libsystemd
from yaat_plugin_journald.cursors import Cursor
from yaat_plugin_journald.entries import Entries
from yaat_plugin_journald.libsystemd import Journal
from yaat_plugin_journald.places import Places
from yaat_plugin_journald.readers import BATCH_BYTES, BATCH_ROWS, POLL, RESCAN, Asked, Nearest
from yaat_plugin_journald.since import AtBoot, AtCursor, AtTime, Start


def opened(places: Places, journal: str) -> Journal:
    """The journal that is meant, before its first entry.

    Raises:
        OSError: it can't be opened.
    """
    wanted = {"system": libsystemd.SYSTEM, "user": libsystemd.CURRENT_USER}.get(journal, 0)
    if places.patterns:
        return Journal.of_files(places.files())
    if places.directory:
        return Journal.of_directory(places.directory, wanted)
    flags = wanted | (0 if places.merge else libsystemd.LOCAL_ONLY)
    if places.namespace == "*":
        return Journal.of_system(None, flags | libsystemd.ALL_NAMESPACES)
    if places.namespace and places.namespace.startswith("+"):
        return Journal.of_system(places.namespace[1:], flags | libsystemd.WITH_DEFAULT_NAMESPACE)
    return Journal.of_system(places.namespace, flags)


class LibraryReader:
    """See `Reader`. Calls that may wait for a disk are made in a worker thread, one at a time."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._collector = asked.collector()
        self._journal: Journal | None = None
        self._start: Start = AtTime(0)
        self._pending = False
        self._files: list[str] = []
        self._next_rescan = 0.0

    async def nearest(self, cursor: Cursor) -> Nearest:
        """As `Reader`."""
        return await trio.to_thread.run_sync(self._nearest, cursor)

    async def open(self, start: Start) -> None:
        """As `Reader`."""
        self._start = start
        await trio.to_thread.run_sync(self._open)

    async def next(self) -> Entries | None:
        """As `Reader`."""
        while True:
            entries = await trio.to_thread.run_sync(self._read)
            if len(entries):
                return entries
            if self._asked.once:
                return None
            await self._wait()

    async def close(self) -> None:
        """As `Reader`."""
        journal, self._journal = self._journal, None
        if journal is not None:
            journal.close()

    async def _wait(self) -> None:
        assert self._journal is not None
        descriptor = self._journal.descriptor()
        if descriptor is None:
            await trio.sleep(POLL)
            return
        with trio.move_on_after(2 * POLL):
            await trio.lowlevel.wait_readable(descriptor)

    def _nearest(self, cursor: Cursor) -> Nearest:
        journal = opened(self._asked.places, self._asked.journal)
        try:
            journal.seek_cursor(cursor.text)
            if not journal.first():
                return Nearest(False)
            if journal.is_at(cursor.text):
                return Nearest(True)
            return Nearest(False, Cursor.parse(journal.cursor()))
        finally:
            journal.close()

    def _open(self) -> None:
        """At the place that was reached."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        self._files = self._asked.places.files()
        self._next_rescan = time.monotonic() + RESCAN
        journal = opened(self._asked.places, self._asked.journal)
        self._journal = journal
        journal.descriptor()  # from here on changes are told, so that none falls between
        journal.match(self._asked.alternatives)
        match self._start:
            case AtCursor(cursor):
                journal.seek_cursor(cursor)
                self._pending = journal.first() and not journal.is_at(cursor)
            case AtTime(us):
                journal.seek_time(us) if us else journal.seek_head()
                self._pending = journal.first()
            case AtBoot(boot):
                journal.seek_boot(boot)
                self._pending = journal.first()

    def _read(self) -> Entries:
        """What is there now, up to a batch."""
        if self._journal is None or self._must_open_again():
            self._open()
        journal, collector = self._journal, self._collector
        assert journal is not None
        if journal.descriptor() is not None:
            journal.process()
        more = self._pending or journal.next()
        self._pending = False
        while more:
            collector.entry(journal.cursor())
            journal.collect(collector, self._asked.max_field_bytes)
            if len(collector.cursors) >= BATCH_ROWS or collector.bytes >= BATCH_BYTES:
                break
            more = journal.next()
        entries = collector.take()
        if len(entries):
            self._start = AtCursor(entries.cursors[-1].decode("ascii"))
        return entries

    def _must_open_again(self) -> bool:
        """Where the library tells nothing of new files: those of a pattern, and the folders of a journal that was not there."""
        if time.monotonic() < self._next_rescan:
            return False
        self._next_rescan = time.monotonic() + RESCAN
        files = self._asked.places.files()
        changed = files != self._files and (bool(self._asked.places.patterns) or not self._files)
        self._files = files
        return changed
