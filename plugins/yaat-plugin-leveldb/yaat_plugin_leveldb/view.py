"""The queue as it lies in its folder, for looking: nothing of it is changed, not even its names or times.

LevelDB can't open a store without writing: it moves its log into a table, begins a new log and deletes old files.
So it opens a folder of its own: links to the tables, which it only reads, and copies of the few small files that
say what is in them (some megabytes). That folder lies where temporary files go, so that a full or read-only disk
can be looked at, and is removed by `close`.
"""

from __future__ import annotations

import errno
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

from yaat_core.components import (
    Appended,
    Damage,
    Queue,
    QueueState,
    QueueWrite,
    Record,
    RecordInfo,
    StoredCheckpoint,
)
from yaat_core.cursor import Cursor
from yaat_core.errors import StoreDamaged, StoreUnavailable, UsageError
from yaat_plugin_leveldb import checking, figures, index, inspection, keys, store
from yaat_plugin_leveldb.binding import plyvel
from yaat_plugin_leveldb.figures import Figures
from yaat_plugin_leveldb.folder import Folder, refuse_newer
from yaat_plugin_leveldb.handle import Handle
from yaat_plugin_leveldb.reading import Reader

_TABLES: Final = (".ldb", ".sst")
_REPAIR: Final = "`yaat queue repair` mends it and says what is lost; a copy of what it mends is kept"


class LevelDBView(Queue):
    """See `yaat_core.maintenance.Viewable`. What is damaged is told by `open` and `verify`.

    A store that LevelDB or its counters do not let in can be verified and nothing else.
    """

    def __init__(self, folder: Folder, settings: store.Settings, quarantine: inspection.Quarantine) -> None:
        self._folder = folder
        self._settings = settings
        self._reader = Reader(self._reading, quarantine)
        self._handle = Handle()
        self._copy: Path | None = None
        self._figures: Figures | None = None
        self._refused = ""

    # --- looking

    def open(self) -> Sequence[Damage]:
        told = self._marked()
        if not self._refused:
            self._copy = self._copied()
            try:
                told += self._opened(self._copy)
            except (plyvel.Error, keys.Unsealed) as error:
                told += self._refuse(store.reason(error))
        return told

    @property
    def fresh(self) -> bool:
        return self._held.untouched

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

    def verify(self) -> Sequence[Damage]:
        if self._refused:
            return ()
        try:
            return checking.verify(self._handle.use, lambda: self._held)
        except plyvel.Error as error:
            raise store.unavailable(error, self._folder.store) from error

    def close(self) -> None:
        self._handle.close()
        if self._copy is not None:
            shutil.rmtree(self._copy, ignore_errors=True)
            self._copy = None

    # --- not here

    def append(self, write: QueueWrite) -> Appended:
        _only_looking()

    def recover(self) -> Appended | None:
        _only_looking()

    def put_cursors(self, cursors: Mapping[str, Cursor | None], *, sync: bool = False) -> None:
        _only_looking()

    def delete_upto(self, sequence: int) -> None:
        _only_looking()

    def adopt(
        self,
        *,
        queue_id: bytes | None,
        tail: int,
        checkpoints: Mapping[str, Mapping[bytes, StoredCheckpoint]],
    ) -> None:
        _only_looking()

    # --- inside

    def _marked(self) -> list[Damage]:
        """What the files around the store say."""
        told: list[Damage] = []
        try:
            marked, there = True, self._folder.store.is_dir()
            try:
                marked = self._folder.marker() is not None
            except ValueError as error:
                told.append(Damage(str(error)))
            if there and self._folder.repairing:
                told += self._refuse("a repair was interrupted, and goes on at the next start")
        except OSError as error:
            raise self._unreadable(error) from error
        if not there and not marked:
            raise UsageError(
                f"there is no queue in {self._folder.path} yet",
                fix="`yaat run` makes it; `yaat config show` says where it is looked for",
            )
        if not there:
            told += self._refuse("the store is gone")
        if not marked:
            told.append(Damage("the marker `initialised` is missing"))
        return told

    def _copied(self) -> Path:
        copy = Path(tempfile.mkdtemp(prefix="yaat-queue-"))
        try:
            (copy / "store").mkdir()
            for file in sorted(self._folder.store.iterdir()):
                target = copy / "store" / file.name
                if file.suffix in _TABLES:
                    target.symlink_to(file.absolute())
                elif (
                    file.suffix == ".log" or file.name.startswith(("CURRENT", "MANIFEST-"))
                ) and file.is_file():
                    shutil.copyfile(file, target)
        except OSError as error:
            shutil.rmtree(copy, ignore_errors=True)
            raise self._unreadable(error) from error
        return copy

    def _opened(self, copy: Path) -> list[Damage]:
        try:
            db = store.open_store(copy / "store", self._settings)
        except store.Refused as refused:
            return self._refuse(f"LevelDB finds damage: {refused}")
        self._handle.open(db)
        refuse_newer(figures.stored_meta(db).format, self._folder.path)
        bad = [
            f"value under key {key[:1].decode()} did not pass its checksum" for key, _ in figures.unsound(db)
        ]
        if bad:
            return [damage for what in bad for damage in self._refuse(what)]
        held = figures.load(db)
        newest = next(iter(index.entries(db, held.deleted.upto, newest_first=True)), None)
        told, self._figures = inspection.mend_tail(held, newest.last if newest else held.deleted.upto)
        return told

    def _refuse(self, why: str) -> list[Damage]:
        self._refused = self._refused or why
        return [Damage(why)]

    @property
    def _held(self) -> Figures:
        if self._refused:
            raise self._damaged(self._refused)
        if self._figures is None:
            raise StoreUnavailable("the queue was not opened")
        return self._figures

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        assert self._held
        with self._handle.use() as db:
            try:
                yield db
            except (plyvel.Error, keys.Unsealed) as error:
                raise self._damaged(store.reason(error)) from error

    def _damaged(self, why: str) -> StoreDamaged:
        return StoreDamaged(
            f"the queue is damaged: {why}",
            where=str(self._folder.path),
            effect="it was only looked at; nothing was changed",
            fix=_REPAIR,
        )

    def _unreadable(self, error: OSError) -> StoreUnavailable:
        denied = error.errno in (errno.EACCES, errno.EPERM)
        return StoreUnavailable(
            f"the queue can't be looked at: {error.strerror or error}",
            where=str(error.filename or self._folder.path),
            effect="nothing was changed",
            fix="run the command as the agent's user (sudo -u)"
            if denied
            else f"it takes some megabytes in {tempfile.gettempdir()}; TMPDIR names another place",
        )


def _only_looking() -> NoReturn:
    raise UsageError("the queue is open for looking only")
