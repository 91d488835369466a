"""What does not check out: found, kept in `quarantine/`, told."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any, Final

import attrs

from yaat_core.components import Damage, Record
from yaat_core.stats import Counter
from yaat_plugin_leveldb import figures, index, keys, records, store, writing
from yaat_plugin_leveldb.binding import plyvel
from yaat_plugin_leveldb.figures import Figures
from yaat_plugin_leveldb.folder import Folder

log = logging.getLogger("yaat.queue")

#: Records looked at from the end at every opening: a crash damages the newest ones.
_NEWEST: Final = 4


@attrs.frozen
class Quarantine:
    """Where bytes go that did not check out; each is counted and logged once. Without a folder they are only told."""

    folder: Folder | None
    counter: Counter

    def record(self, entry: index.Entry, data: bytes, why: str) -> Damage | None:
        """Keep a bad record; None when that was done before."""
        return self._keep(f"record-{entry.last:020d}.bin", data, f"record {why}", entry.first, entry.last)

    def value(self, key: bytes, data: bytes) -> Damage | None:
        """Keep a bad small value."""
        digest = hashlib.blake2b(key, digest_size=8).hexdigest()
        what = {keys.CURSOR: "cursor", keys.CHECKPOINT: "checkpoint", keys.LEDGER: "drop counter"}
        kind = what.get(key[:1], "value")
        return self._keep(f"value-{digest}.bin", key + b"\n" + data, f"{kind} did not pass its checksum")

    def _keep(
        self, name: str, data: bytes, what: str, first: int | None = None, last: int | None = None
    ) -> Damage | None:
        if self.folder is None:
            return Damage(what, first, last)
        try:
            if self.folder.quarantine(name, data) is None:
                return None
            what = f"{what}; kept as quarantine/{name}"
        except OSError as error:
            what = f"{what}; it could not be kept ({error.strerror})"
        self.counter.add()
        log.error("queue: %s (events %s to %s)", what, first, last)
        return Damage(what, first, last)


def read_record(db: Any, entry: index.Entry, quarantine: Quarantine) -> Record | Damage | None:
    """The record of an entry; `Damage` when it is found bad now, None when that was known."""
    data = raw(db, entry.last)
    try:
        return records.decode(entry.last, data)
    except records.BadRecord as error:
        return quarantine.record(entry, data, str(error))


def raw(db: Any, last: int) -> bytes:
    """A record's bytes as far as they can be had; empty when they can't."""
    try:
        # The record has its own checksum, so that of LevelDB's block is not needed to tell good from bad.
        return db.get(keys.record_key(last), verify_checksums=False, fill_cache=False) or b""
    except plyvel.CorruptionError:
        return b""


def at_opening(db: Any, held: Figures, quarantine: Quarantine) -> tuple[list[Damage], Figures]:
    """Look at the first and the newest records and at where they end; mend the counters when they differ.

    Reads a few records whatever the backlog.
    """
    found: list[Damage] = []
    with closing(index.entries(db, held.deleted.upto, newest_first=True)) as newest:
        looked = list(islice(newest, _NEWEST))
    ends = looked[0].last if looked else held.deleted.upto
    first = index.oldest(db, held.deleted.upto)
    for entry in [*looked, *([first] if first else [])]:
        result = read_record(db, entry, quarantine)
        if isinstance(result, Damage):
            found.append(result)
    more, mended = mend_tail(held, ends)
    return found + more, mended


def mend_tail(held: Figures, ends: int) -> tuple[list[Damage], Figures]:
    """Counters that know less than records or cursors are raised; newest events that are gone become a hole."""
    known = max([ends, *(cursor.done for cursor in held.cursors.values())])
    found: list[Damage] = []
    meta, holes = held.meta, held.holes
    if known > meta.tail:
        found.append(Damage("counters were older than the queue's content", meta.tail + 1, known))
        meta = meta.raised(known)
    covered = max([ends, held.deleted.upto, *(last for _, last in holes)])
    if covered < meta.tail:
        found.append(Damage("newest events are not in the queue", covered + 1, meta.tail))
        holes = (*holes, (covered + 1, meta.tail))
    return found, attrs.evolve(held, meta=meta, holes=holes)


def mend_values(db: Any, quarantine: Quarantine) -> list[Damage]:
    """Take out small values that don't pass their seal (all but the counters, without which nothing goes).

    Raises:
        keys.Unsealed: the counters themselves.
    """
    bad = figures.unsound(db)
    if any(key == keys.META for key, _ in bad):
        raise keys.Unsealed("the counters did not pass their checksum")
    damages = [quarantine.value(key, data) for key, data in bad]
    if bad:
        store.write(db, [(key, None) for key, _ in bad], sync=True)
    if any(key[:1] == keys.LEDGER for key, _ in bad):
        _balance(db)
    return [damage for damage in damages if damage]


def _balance(db: Any) -> None:
    """A lost drop counter: what was read is again what was accepted or dropped."""
    held = figures.load(db)
    meta = attrs.evolve(held.meta, read=held.meta.accepted + sum(held.dropped.values()))
    store.write(db, [meta.put()], sync=True)


def put_notes(damages: Sequence[Damage]) -> writing.Put:
    """Damage to be told at the next opening (or taken back: none)."""
    rows = [(damage.what, damage.first, damage.last) for damage in damages]
    return keys.NOTES, keys.seal(keys.NOTES, rows) if rows else None


def notes(db: Any) -> list[Damage]:
    """Damage that was found and not yet told to a running agent."""
    data = db.get(keys.NOTES)
    if data is None:
        return []
    rows = keys.unseal(keys.NOTES, data, list[tuple[str, int | None, int | None]])
    return [Damage(*row) for row in rows]


def every_value(db: Any, held: Figures) -> Iterator[Damage]:
    """Check all small values and the sums; changes nothing."""
    for key, _ in figures.unsound(db):
        yield Damage(f"value under key {key[:1].decode()} did not pass its checksum")
    meta, dropped = held.meta, sum(held.dropped.values())
    if meta.read != meta.accepted + dropped:
        yield Damage(f"read {meta.read} is not accepted {meta.accepted} and dropped {dropped}")
    if meta.accepted != meta.tail:
        yield Damage(f"accepted {meta.accepted} is not the last sequence {meta.tail}")


def one_record(db: Any, entry: index.Entry) -> Damage | None:
    """Check a record as `verify` does; changes nothing."""
    try:
        records.decode(entry.last, raw(db, entry.last))
    except records.BadRecord as error:
        return Damage(f"record: {error}", entry.first, entry.last)
    return None
