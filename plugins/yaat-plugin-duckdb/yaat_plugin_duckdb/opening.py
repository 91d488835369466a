"""Opening a database, whatever its files went through.

A log that DuckDB refuses, or a file that is damaged, is renamed, and the others go on without it: events that were not
yet CHECKPOINTed are still in the queue, and a crash loop would help nobody.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, NoReturn

import attrs
import duckdb

from yaat_core.errors import StoreDamaged, StoreForeign
from yaat_plugin_duckdb import layout, ledger
from yaat_plugin_duckdb.diagnosis import (
    Trouble,
    diagnose,
    require_format,
    set_aside,
    set_files_aside,
    unavailable,
)
from yaat_plugin_duckdb.engine import Limits, attach, connect, cursor
from yaat_plugin_duckdb.extent import shortened
from yaat_plugin_duckdb.known import Known, begin, caught_up, read
from yaat_plugin_duckdb.places import Partition, Places
from yaat_plugin_duckdb.store import Store

#: Files of one database that may be set aside in one opening.
_MOST_DAMAGED: Final = 100


@attrs.frozen
class Opened:
    """A store, and the files that had to be set aside for it."""

    store: Store
    set_aside: tuple[Path, ...]
    had_log: bool
    """Rows were found that are in a log alone."""


class _Damaged(Exception):
    """A file was set aside: begin again without it."""


def open_store(places: Places, limits: Limits, owner: ledger.Owner) -> Opened:
    """Open the database, or make one that belongs to ``owner``.

    Raises:
        StoreNewer, StoreForeign: it is not for us, and untouched.
        StoreUnavailable, StateInUse: can't be opened now.
        StoreDamaged: can't be opened, and can't be set aside.
    """
    try:
        places.prepare()
        aside = set_files_aside(places.strays())
    except OSError as error:
        raise unavailable(error, places.path) from error
    for _ in range(_MOST_DAMAGED):
        had_log = any(partition.wal_bytes() for partition in places.present())
        try:
            store = _Opening(places, limits, owner, aside).opened()
        except _Damaged:
            continue
        except OSError as error:
            raise unavailable(error, places.path) from error
        return Opened(store, tuple(aside), had_log)
    raise StoreDamaged(
        "the database can't be opened, though its damaged files were set aside",
        where=str(places.path),
        fix="look at the log, and move the files away",
    )


@attrs.define
class _Opening:
    """One attempt."""

    places: Places
    limits: Limits
    owner: ledger.Owner
    aside: list[Path]

    def opened(self) -> Store:
        root = connect(self.places, self.limits)
        try:
            return self._all(root)
        except BaseException:
            root.close()
            raise

    def _all(self, root: Any) -> Store:
        present = [partition for partition in self.places.present() if not _removed_empty(partition)]
        files = [known for partition in present if (known := self._known(root, partition, present[-1]))]
        fresh = not files
        if len(files) < len(present) or not present:
            files.append(self._begun(root, present[-1] if present else None, files))
        if all(one.owner == files[-1].owner for one in files):
            files[-1] = caught_up(root, files)
        return Store(root, self.places, files, fresh=fresh)

    def _known(self, root: Any, partition: Partition, newest: Partition) -> Known | None:
        """What a file says of itself; None for the newest one when a crash left it without tables."""
        try:
            if reason := shortened(root, partition):
                self._set_aside(partition, "file", reason)
            attach(root, partition, writable=partition == newest)
            with cursor(root, partition) as reading:
                format = ledger.format_of(reading)
                if format is None and partition == newest:
                    return None
                require_format(format or 0, partition.path)
                if format == 1 and partition == newest and self._may_be_ours(ledger.owner(reading)):
                    reading.execute("BEGIN TRANSACTION")
                    ledger.upgrade(reading, layout.FORMAT)
                    reading.execute("COMMIT")
                    format = layout.FORMAT
                known = read(reading, partition, format or 0)
        except duckdb.Error as error:
            self._set_aside(partition, diagnose(error, partition.path), str(error))
        _require_place(known, self.places)
        return known

    def _may_be_ours(self, found: ledger.Owner) -> bool:
        """Else nothing is written: who asks for the position hears whose it is."""
        return found.queue_id is None or attrs.evolve(found, queue_id=None) == self.owner

    def _set_aside(self, partition: Partition, trouble: Trouble, reason: str) -> NoReturn:
        self.aside += set_aside(partition, trouble, reason)
        raise _Damaged

    def _begun(self, root: Any, empty: Partition | None, files: list[Known]) -> Known:
        """A new file after ``files``; ``empty`` is there and attached already, and has no tables."""
        partition = empty or self.places.at(1)
        try:
            if empty is None:
                attach(root, partition, writable=True)
            return begin(root, partition, files[-1].owner if files else self.owner, files)
        except duckdb.Error as error:
            raise unavailable(error, partition.path) from error


def _removed_empty(partition: Partition) -> bool:
    """A file of no bytes is what a crash leaves that came before DuckDB wrote the first of them."""
    if partition.path.is_file() and not partition.bytes():
        partition.path.unlink()
        return True
    return False


def _require_place(known: Known, places: Places) -> None:
    number = known.partition.number
    if known.place.number != number:
        raise StoreForeign(
            f"file {known.place.number} of a database lies in the place of file {number}",
            where=str(known.partition.path),
            cause="it was copied or renamed; it was not touched",
            fix=f"move it to {places.at(known.place.number).path}, or away",
        )
