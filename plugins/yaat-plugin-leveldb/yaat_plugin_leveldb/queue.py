"""`LevelDBQueue`: the durable queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from typing import Any, Final, NoReturn

from yaat_core.components import (
    Appended,
    Context,
    Damage,
    Queue,
    QueueState,
    QueueWrite,
    Record,
    RecordInfo,
    StoredCheckpoint,
)
from yaat_core.config.options import Size
from yaat_core.cursor import Cursor
from yaat_core.errors import StoreUnavailable
from yaat_core.faults import reached
from yaat_plugin_leveldb import (
    checking,
    figures,
    index,
    inspection,
    keys,
    mending,
    records,
    store,
    writing,
)
from yaat_plugin_leveldb.binding import plyvel
from yaat_plugin_leveldb.config import LevelDBConfig
from yaat_plugin_leveldb.figures import Figures
from yaat_plugin_leveldb.folder import Folder
from yaat_plugin_leveldb.handle import Handle
from yaat_plugin_leveldb.opening import Opened, Opening
from yaat_plugin_leveldb.reading import Reader
from yaat_plugin_leveldb.view import LevelDBView

#: Records deleted in one write.
_DELETE_STEP: Final = 1024
#: Deleted bytes after which their space is given back.
_COMPACT_AFTER: Final = 32 * 2**20


class LevelDBQueue(Queue):
    """Writes one at a time, each one LevelDB batch; reads from any thread.

    After a failed write the store is closed, since LevelDB would lose what is written behind a torn entry
    of its log. `recover` opens it again and tells by the number of the last write whether the failed one is in.
    On a disk that is almost full nothing is appended, but reading, cursors and deleting go on, so that sinks
    can make room.
    """

    def __init__(self, config: LevelDBConfig, context: Context) -> None:
        folder = Folder(context.path(config.path))
        count = context.stats.counter(
            "yaat_queue_damaged_total", "Records and values that did not check out."
        )
        self._opening = Opening(
            folder=folder,
            settings=store.Settings(write_buffer=config.write_buffer, cache=config.cache),
            quarantine=inspection.Quarantine(folder, count),
        )
        self._reserve = int(config.reserve)
        self._log = context.log
        self._seconds = context.stats.histogram("yaat_queue_append_seconds", "A synced write of the queue.")
        self._reopened = context.stats.counter("yaat_queue_reopened_total", "Reopenings after a failure.")
        self._handle = Handle()
        self._reader = Reader(self._reading, self._opening.quarantine)
        self._writing = threading.RLock()
        self._figures: Figures | None = None
        self._fresh = False
        self._noted = False
        self._pending: writing.Plan | None = None
        self._landed: Appended | None = None
        self._suspect = ""
        self._freed = 0

    # --- opening and closing

    def open(self) -> Sequence[Damage]:
        with self._writing:
            if self._handle.is_open:
                return ()
            opened = self._opening.open()
            self._enter(opened)
            self._fresh = opened.figures.untouched
            self._noted = bool(opened.damages)
            self._pending = self._landed = None
            self._opening.folder.ensure_reserve(self._reserve, self._opening.settings.write_buffer)
            return opened.damages

    @property
    def fresh(self) -> bool:
        return self._fresh

    def close(self) -> None:
        with self._writing:
            self._handle.close()

    def recover(self) -> Appended | None:
        with self._writing:
            if self._suspect:
                self._handle.close()
            if not self._handle.is_open:
                self._reopen()
            self._require_room()
            return self._landed

    # --- writing

    def append(self, write: QueueWrite) -> Appended:
        pieces = records.split(write.batch)
        with self._writing:
            self._landed = None  # of an earlier append; this one may be refused before it is tried
            self._require_room()
            plan = writing.append(self._held, write, pieces)
            self._pending = plan
            puts = [*plan.puts, inspection.put_notes(())] if self._noted else plan.puts
            began = time.perf_counter()
            self._write(puts, plan.figures, sync=True)
            self._seconds.observe(time.perf_counter() - began)
            self._pending, self._noted = None, False
            return plan.appended

    def put_cursors(self, cursors: Mapping[str, Cursor | None], *, sync: bool = False) -> None:
        with self._writing:
            puts, after = writing.cursors(self._held, cursors)
            self._write(puts, after, sync=sync)

    def delete_upto(self, sequence: int) -> None:
        with self._writing:
            before = self._held.deleted.size
            while self._delete_step(sequence):
                pass
            self._freed += self._held.deleted.size - before
            if self._freed >= _COMPACT_AFTER:
                self._freed = 0
                self._compact()

    def adopt(
        self,
        *,
        queue_id: bytes | None,
        tail: int,
        checkpoints: Mapping[str, Mapping[bytes, StoredCheckpoint]],
    ) -> None:
        with self._writing:
            puts, after = writing.adopt(
                self._held, queue_id=queue_id, tail=tail, checkpoints=list(self._later(checkpoints))
            )
            taken = after.meta.queue_id != self._held.meta.queue_id
            self._write(puts, after, sync=True)
            if taken:
                self._mark(after.meta.queue_id)

    # --- reading

    def read(self, after: int, *, max_rows: int, max_bytes: int) -> Sequence[Record]:
        return self._reader.read(after, max_rows=max_rows, max_bytes=max_bytes)

    def infos(self, after: int, *, limit: int) -> Sequence[RecordInfo]:
        return self._reader.infos(after, limit)

    def state(self) -> QueueState:
        return self._held.state()

    def checkpoints(self, component: str) -> Mapping[bytes, StoredCheckpoint]:
        return self._reader.checkpoints(component)

    def checkpointed(self) -> Sequence[str]:
        return self._reader.checkpointed()

    # --- looking after it

    def verify(self) -> Sequence[Damage]:
        try:
            return checking.verify(self._handle.use, lambda: self._held)
        except plyvel.Error as error:
            raise store.unavailable(error, self._opening.folder.store) from error

    def view(self) -> Queue:
        """As `yaat_core.maintenance.Viewable.view`."""
        folder, counter = self._opening.folder, self._opening.quarantine.counter
        return LevelDBView(folder, self._opening.settings, inspection.Quarantine(None, counter))

    def repair(self) -> Sequence[Damage]:
        """As `yaat_core.maintenance.Repairable.repair`. Others go on meanwhile, but for the moments of mending."""
        try:
            return self._mended()
        except StoreUnavailable:
            with self._writing:
                if not self._suspect:
                    raise
                self._handle.close()
                return [*self._reopen(), *self._mended()]

    # --- inside

    @property
    def _held(self) -> Figures:
        if self._figures is None:
            raise StoreUnavailable("the queue was never opened")
        return self._figures

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        """The open store; what LevelDB finds wrong while it is read has it reopened by `recover`."""
        with self._handle.use() as db:
            try:
                yield db
            except (plyvel.Error, keys.Unsealed) as error:
                self._log.error("queue can't be read: %s", store.reason(error))
                if store.means_damage(error):
                    self._suspect = store.reason(error)
                raise store.unavailable(error, self._opening.folder.store) from error

    def _write(self, puts: Sequence[writing.Put], after: Figures, *, sync: bool) -> None:
        """One write. After any failure the store is closed: what LevelDB made of it is unknown."""
        try:
            with self._handle.use() as db:
                store.write(db, puts, sync=sync)
        except BaseException as error:  # noqa: BLE001 - whatever it was, the store is in doubt
            self._fail(error)
        self._figures = after

    def _fail(self, error: BaseException) -> NoReturn:
        self._handle.close()
        if isinstance(error, plyvel.Error) and store.means_damage(error):
            self._suspect = store.reason(error)
        if isinstance(error, StoreUnavailable) or not isinstance(error, Exception):
            raise error
        raise store.unavailable(error, self._opening.folder.store) from error

    def _mended(self) -> list[Damage]:
        with self._writing, self._reading() as db:
            told = inspection.mend_values(db, self._opening.quarantine)
            if told:
                self._figures = figures.load(db)
        for step in (mending.strays, mending.bad_records):
            found = self._checked()
            with self._writing, self._reading() as db:
                mended = step(db, self._held, found, self._opening.quarantine)
                if mended.puts:
                    self._write(mended.puts, mended.figures, sync=True)
                    self._figures = mending.oldest(db, self._held)
                told += mended.told
        return told

    def _checked(self) -> Sequence[Damage]:
        """As `verify`; but what LevelDB itself can't read has the store reopened."""
        return checking.everything(self._reading, lambda: self._held)

    def _reopen(self) -> Sequence[Damage]:
        before = self._held
        suspect = self._suspect
        opened = self._opening.reopen_damaged(suspect) if suspect else self._opening.open()
        self._suspect = ""
        self._landed = self._fate(opened.figures)
        self._pending = None
        marked = opened.figures.meta.queue_id
        opened = checking.keep_acknowledged(opened, before)
        if opened.figures.meta.queue_id != marked:
            self._mark(opened.figures.meta.queue_id)
        self._enter(opened)
        self._noted = False
        self._reopened.add()
        for damage in opened.damages:
            self._log.error("queue: %s (events %s to %s)", damage.what, damage.first, damage.last)
        return opened.damages

    def _fate(self, found: Figures) -> Appended | None:
        """Whether the failed append is in."""
        plan = self._pending
        if plan is None:
            return self._landed
        last, has_events = plan.appended.last, plan.appended.last >= plan.appended.first
        landed = found.meta.write >= plan.figures.meta.write or (has_events and found.meta.tail >= last)
        return plan.appended if landed else None

    def _enter(self, opened: Opened) -> None:
        self._handle.open(opened.db)
        self._figures = opened.figures

    def _mark(self, queue_id: bytes) -> None:
        try:
            self._opening.folder.write_marker(queue_id)
        except OSError as error:
            raise store.unavailable(error, self._opening.folder.store) from error

    def _require_room(self) -> None:
        """Room to reopen with and to go on deleting, or no append.

        Raises:
            StoreUnavailable: the queue is closed, or its disk too full.
        """
        folder, spare = self._opening.folder, self._opening.settings.write_buffer
        if not self._handle.is_open:
            raise StoreUnavailable("the queue is closed", fix="it reopens by itself when it can")
        if not folder.ensure_reserve(self._reserve, spare) or folder.room() < spare:
            missing = Size(spare + (0 if folder.has_reserve else self._reserve))
            raise StoreUnavailable(
                f"the disk of {folder.path} is full: {Size(folder.room())} free, {missing} needed",
                where=str(folder.path),
                effect="sources wait; what was accepted is kept, and sinks go on",
                fix="free space on that disk; it goes on by itself",
            )

    def _delete_step(self, sequence: int) -> bool:
        """Delete some records; True when there may be more."""
        held = self._held
        if min(sequence, held.meta.tail) <= held.deleted.upto:
            return False
        with self._reading() as db, closing(index.entries(db, held.deleted.upto)) as entries:
            ahead = list(islice(entries, _DELETE_STEP + 1))
        gone = [entry for entry in ahead[:_DELETE_STEP] if entry.last <= sequence]
        kept = ahead[len(gone)] if len(ahead) > len(gone) else None
        puts, after = writing.delete(held, gone, kept, sequence)
        if after.deleted == held.deleted:
            return False
        self._write(puts, after, sync=False)
        return len(gone) == _DELETE_STEP

    def _compact(self) -> None:
        """Give the space of deleted records back."""
        reached("queue.compact.before")
        with self._reading() as db:
            db.compact_range(start=keys.record_key(0), stop=keys.record_key(self._held.deleted.upto))
        reached("queue.compact.after")

    def _later(
        self, theirs: Mapping[str, Mapping[bytes, StoredCheckpoint]]
    ) -> Iterator[tuple[str, bytes, StoredCheckpoint]]:
        """Those of a sink's checkpoints that are later than ours."""
        for component, stored in theirs.items():
            mine = self.checkpoints(component)
            for key, checkpoint in stored.items():
                if key not in mine or checkpoint.sequence > mine[key].sequence:
                    yield component, key, checkpoint
