"""From a folder in any condition to an open store, with a word for everything that was not right."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any, TypeVar

import attrs

from yaat_core.components import Damage
from yaat_core.errors import StoreDamaged, StoreUnavailable
from yaat_plugin_leveldb import figures, inspection, keys, salvage, store
from yaat_plugin_leveldb.binding import plyvel
from yaat_plugin_leveldb.figures import Figures
from yaat_plugin_leveldb.folder import Folder, Marker, clear, refuse_newer

log = logging.getLogger("yaat.queue")
T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Opened:
    """An open store, what it holds, and what was found damaged."""

    db: Any
    figures: Figures
    damages: list[Damage]


@attrs.frozen(kw_only=True)
class Opening:
    """Opens one queue's folder."""

    folder: Folder
    settings: store.Settings
    quarantine: inspection.Quarantine

    def open(self) -> Opened:
        """Open, or create, or salvage, or set aside and begin anew.

        Raises:
            StateInUse, StoreNewer, StoreDamaged, StoreUnavailable: as `Queue.open`.
        """
        return self._with_room(self._open)

    def reopen_damaged(self, why: str) -> Opened:
        """Open a store in which damage was met while it was in use.

        Raises:
            As `open`.
        """
        return self._with_room(lambda: self._salvaged(self._marker()[0], why))

    def _with_room(self, attempt: Callable[[], T]) -> T:
        """On a full disk the reserve makes room: opening writes a little, and deleting does later."""
        folder = self.folder
        if _plainly(lambda: folder.path.exists() and folder.room() < self.settings.write_buffer, folder):
            _plainly(folder.drop_reserve, folder)
        try:
            return _plainly(attempt, folder)
        except StoreUnavailable as error:
            try:
                folder.drop_reserve()
            except OSError:
                raise error from None  # whoever may not even do that has the trouble that was told
            return _plainly(attempt, folder)

    def _open(self) -> Opened:
        self.folder.prepare()
        marker, told = self._marker()
        path = self.folder.store
        if not path.is_dir() or not any(path.iterdir()) or not (marker or told or store.holds_data(path)):
            return self._absent(marker, told)
        if self.folder.repairing:
            return self._salvaged(marker, "a repair was interrupted", told)
        try:
            db = store.open_store(path, self.settings)
        except store.Refused as refused:
            return self._salvaged(marker, str(refused), told)
        try:
            return self._look(db, marker, told)
        except BaseException as error:
            db.close()
            if not isinstance(error, (keys.Unsealed, plyvel.Error)) or not store.means_damage(error):
                raise
            return self._salvaged(marker, store.reason(error), told)

    def _look(self, db: Any, marker: Marker | None, told: list[Damage]) -> Opened:
        """The quick look at a store that opened."""
        refuse_newer(figures.stored_meta(db).format, self.folder.path)
        notes = self._notes(db)
        values = inspection.mend_values(db, self.quarantine)
        held = figures.load(db)
        found, mended = inspection.at_opening(db, held, self.quarantine)
        if marker is None and not held.untouched and not told:
            found.append(Damage("the marker `initialised` was missing; it was written again"))
        if marker is not None and marker.queue_id != held.meta.queue_id:
            found.append(Damage("the queue is another one than the marker names"))
        return self._finish(db, mended, [*notes, *told, *values, *found], marker)

    def _finish(self, db: Any, held: Figures, damages: list[Damage], marker: Marker | None) -> Opened:
        """Store what was mended and found, so that it is told until an agent has gone on from here."""
        if damages:
            puts = [held.meta.put(), inspection.put_notes(damages)]
            if held.holes:
                puts.append((keys.HOLES, keys.seal(keys.HOLES, held.holes)))
            store.write(db, puts, sync=True)
        if marker is None or marker.queue_id != held.meta.queue_id:
            self.folder.write_marker(held.meta.queue_id)
        self.folder.end_repair()
        return Opened(db=db, figures=held, damages=damages)

    def _marker(self) -> tuple[Marker | None, list[Damage]]:
        try:
            return self.folder.marker(), []
        except ValueError as error:
            return None, [Damage(f"{error}; it was written again")]

    def _absent(self, marker: Marker | None, told: list[Damage]) -> Opened:
        """Nothing is there: rightly so (create), or not (create, and say so)."""
        if marker is not None or told:
            return self._anew([*told, Damage("the store was gone; a new one was made")])
        clear(self.folder.store)
        return self._anew([])

    def _salvaged(self, marker: Marker | None, why: str, told: list[Damage] | None = None) -> Opened:
        log.error("queue in %s is damaged (%s): repairing", self.folder.path, why)
        found = [*(told or []), Damage(f"LevelDB found damage: {why}; a copy is kept in quarantine-*/")]
        queue_id = marker.queue_id if marker else os.urandom(16)
        self.folder.begin_repair()
        try:
            db = salvage.repair(self.folder, self.settings)
            try:
                found += salvage.sift(db, self.folder, queue_id, self.quarantine)
                return self._finish(db, figures.load(db), found, None)
            except BaseException:
                db.close()
                raise
        except (store.Refused, keys.Unsealed, plyvel.Error) as error:
            if not store.means_damage(error):
                raise
            log.error("queue in %s can't be repaired (%s): beginning anew", self.folder.path, error)
            return self._anew([*found, Damage("it could not be repaired; a new queue was made")])

    def _anew(self, damages: list[Damage]) -> Opened:
        """A new store; what is there is set aside."""
        path = self.folder.store
        if path.exists() or path.is_symlink():
            os.replace(path, self.folder.aside() / "store-as-found")
        store.create_store(path, os.urandom(16), self.settings)
        try:
            db = store.open_store(path, self.settings)
        except store.Refused as error:
            raise StoreDamaged(f"a store just made does not open: {error}", where=str(path)) from error
        return self._finish(db, figures.load(db), damages, None)

    def _notes(self, db: Any) -> list[Damage]:
        try:
            return inspection.notes(db)
        except keys.Unsealed:
            return [Damage("a note of earlier damage could not be read")]


def _plainly(attempt: Callable[[], T], folder: Folder) -> T:
    try:
        return attempt()
    except (OSError, plyvel.Error) as error:
        raise store.unavailable(error, folder.store) from error
