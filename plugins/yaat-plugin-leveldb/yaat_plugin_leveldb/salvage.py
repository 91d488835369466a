"""What can be had of a store that LevelDB refuses.

The store as it was is kept (as links, so that it takes no space), RepairDB makes something that opens, and
every record then has to pass its own checksum: RepairDB does not check those of the log.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs

from yaat_core.components import Damage
from yaat_core.durable import sync_folder
from yaat_plugin_leveldb import figures, index, inspection, keys, records, store, writing
from yaat_plugin_leveldb.binding import plyvel
from yaat_plugin_leveldb.figures import Deleted, Figures, Meta
from yaat_plugin_leveldb.folder import Folder, clear
from yaat_plugin_leveldb.index import Entry

#: Changes of one write while sifting.
_STEP: Final = 1000


def repair(folder: Folder, settings: store.Settings) -> Any:
    """Keep a copy, run RepairDB, open.

    Raises:
        store.Refused: that did not help.
        StoreUnavailable: no space, no permission, I/O error.
    """
    aside = folder.aside()
    copy = aside / "store"
    _link(folder.store, copy)
    try:
        plyvel.repair_db(str(folder.store), **settings.options())
    except plyvel.Error as error:
        raise store.Refused(store.reason(error)) from error
    db = store.open_store(folder.store, settings)
    _forget_good_tables(folder.store, copy)
    return db


def sift(db: Any, folder: Folder, queue_id: bytes, quarantine: inspection.Quarantine) -> list[Damage]:
    """Keep what passes its checksum, take out the rest, make index and counters agree with it.

    ``queue_id`` is taken when the store's own is lost.

    Raises:
        store.Refused: nothing is left.
    """
    found = _sift_values(db, queue_id, quarantine)
    meta, deleted = _counters(db, queue_id)
    kept: list[Entry] = []
    puts: list[writing.Put] = []
    for last, data in _records(db):
        try:
            entry = Entry.of(records.check(last, data))
        except records.BadRecord as error:
            damage = quarantine.record(_entry(db, last, len(data)), data, str(error))
            found += [damage] if damage else []
            puts.append((keys.record_key(last), None))
        else:
            if last <= deleted.upto:
                puts.append((keys.record_key(last), None))
            else:
                kept.append(entry)
        puts = _flush(db, puts, _STEP)
    if not kept and not meta.write:
        raise store.Refused("nothing could be read any more")
    stale = [(key, None) for key in _index_keys(db)]
    _flush(db, [*puts, *stale, *(entry.put() for entry in kept)], 0)
    return found + _settle(db, meta, deleted, kept)


def _settle(db: Any, meta: Meta, deleted: Deleted, kept: list[Entry]) -> list[Damage]:
    """Counters and holes that fit the records that are left."""
    ends = kept[-1].last if kept else deleted.upto
    if kept:
        meta = attrs.evolve(meta, total_bytes=max(meta.total_bytes, kept[-1].total_bytes))
    store.write(db, [meta.put(), deleted.put()], sync=True)
    found, held = inspection.mend_tail(figures.load(db), ends)
    holes = list(held.holes)
    before = deleted.upto
    for entry in kept:
        if entry.first > before + 1 and not _covered(holes, before + 1, entry.first - 1):
            holes.append((before + 1, entry.first - 1))
            found.append(Damage("events are not in the queue any more", before + 1, entry.first - 1))
        before = max(before, entry.last)
    meta = _balanced(held)
    store.write(db, [meta.put(), writing.holes_put(tuple(sorted(holes)))], sync=True)
    return found


def _balanced(held: Figures) -> Meta:
    """Accepted is the tail and read is accepted and dropped, whatever was lost of the counters."""
    dropped = sum(held.dropped.values())
    return attrs.evolve(held.meta, accepted=held.meta.tail, read=held.meta.tail + dropped)


def _covered(holes: list[tuple[int, int]], first: int, last: int) -> bool:
    return any(start <= first and last <= end for start, end in holes)


def _counters(db: Any, queue_id: bytes) -> tuple[Meta, Deleted]:
    meta, deleted = db.get(keys.META), db.get(keys.DELETED)
    return (
        keys.unseal(keys.META, meta, Meta) if meta else Meta(queue_id=queue_id),
        keys.unseal(keys.DELETED, deleted, Deleted) if deleted else Deleted(),
    )


def _sift_values(db: Any, queue_id: bytes, quarantine: inspection.Quarantine) -> list[Damage]:
    bad = figures.unsound(db)
    found = [quarantine.value(key, data) for key, data in bad]
    store.write(db, [(key, None) for key, _ in bad], sync=True)
    return [damage for damage in found if damage]


def _records(db: Any) -> Iterator[tuple[int, bytes]]:
    with db.iterator(prefix=keys.RECORD, fill_cache=False) as rows:
        for key, data in rows:
            yield keys.last_of(key), data


def _entry(db: Any, last: int, size: int) -> Entry:
    """What the index says of a bad record; if nothing, only its last sequence is known."""
    key = keys.index_key(last)
    try:
        return index.parse(key, db.get(key) or b"")
    except keys.Unsealed:
        return Entry(first=last, last=last, time_us=0, size=size, total_bytes=0, memory=0)


def _index_keys(db: Any) -> list[bytes]:
    with db.iterator(prefix=keys.INDEX, include_value=False) as rows:
        return list(rows)


def _flush(db: Any, puts: list[writing.Put], limit: int) -> list[writing.Put]:
    """Write what has gathered once it is more than ``limit``; what is left to write."""
    if len(puts) <= limit:
        return puts
    store.write(db, puts, sync=True)
    return []


def _link(source: Path, target: Path) -> None:
    """A copy of a store's files as links. RepairDB and LevelDB replace and remove files, but change none."""
    target.mkdir(mode=0o700)
    for file in source.iterdir():
        if file.is_symlink() or not file.is_file() or file.name == "LOCK":
            continue
        try:
            os.link(file, target / file.name)
        except OSError:  # a file system without links
            shutil.copyfile(file, target / file.name)
    sync_folder(target)


def _forget_good_tables(repaired: Path, copy: Path) -> None:
    """What RepairDB took over as it was need not be kept twice; what it put in `lost/` is in the copy."""
    clear(repaired / "lost")
    for file in copy.iterdir():
        twin = repaired / file.name
        if file.suffix in (".ldb", ".sst") and twin.exists() and twin.samefile(file):
            file.unlink()
