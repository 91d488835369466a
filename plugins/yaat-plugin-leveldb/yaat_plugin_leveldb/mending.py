"""`repair` of an open store, a step at a time: what does not check out is kept in quarantine and becomes a known hole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from yaat_core.components import Damage
from yaat_plugin_leveldb import index, inspection, keys, records, writing
from yaat_plugin_leveldb.figures import Figures, Holes
from yaat_plugin_leveldb.index import Entry
from yaat_plugin_leveldb.writing import Put


@attrs.frozen(kw_only=True)
class Mended:
    """What to write, what holds afterwards, and what is to be told."""

    puts: Sequence[Put]
    figures: Figures
    told: Sequence[Damage]


def strays(db: Any, held: Figures, found: Sequence[Damage], quarantine: inspection.Quarantine) -> Mended:
    """Records that the index does not know (`checking.verify` gives their last sequence alone) get their entry."""
    puts: list[Put] = []
    told: list[Damage] = []
    for damage in found:
        if damage.first is not None or damage.last is None or damage.last <= held.deleted.upto:
            continue
        data = inspection.raw(db, damage.last)
        try:
            entry = Entry.of(records.check(damage.last, data))
        except records.BadRecord as error:
            lost = Entry(first=damage.last, last=damage.last, time_us=0, size=0, total_bytes=0, memory=0)
            told += filter(None, [quarantine.record(lost, data, str(error))])
            puts.append((keys.record_key(damage.last), None))
        else:
            told.append(Damage("a record had no index entry; it was written again", entry.first, entry.last))
            puts.append(entry.put())
    return Mended(puts=puts, figures=held, told=told)


def bad_records(db: Any, held: Figures, found: Sequence[Damage], quarantine: inspection.Quarantine) -> Mended:
    """Records that don't check out are taken out; they, and what is missing, are holes from now on."""
    puts: list[Put] = []
    told: list[Damage] = []
    holes = list(held.holes)
    for damage in found:
        first, last = damage.first, damage.last
        if first is None or last is None or last <= held.deleted.upto:
            continue
        holes.append((first, last))
        entry = _entry(db, last)
        if entry is None:
            told.append(damage)
            continue
        data = inspection.raw(db, last)
        told.append(quarantine.record(entry, data, damage.what) or damage)
        puts += ((keys.record_key(last), None), (keys.index_key(last), None))
    if not told:
        return Mended(puts=(), figures=held, told=())
    after = attrs.evolve(held, holes=_joined(holes))
    return Mended(puts=[*puts, writing.holes_put(after.holes)], figures=after, told=told)


def oldest(db: Any, held: Figures) -> Figures:
    """The figures with the record that is the oldest now."""
    first = index.oldest(db, held.deleted.upto)
    return attrs.evolve(held, oldest=first.info() if first else None)


def _entry(db: Any, last: int) -> Entry | None:
    data = db.get(keys.index_key(last))
    try:
        return None if data is None else index.parse(keys.index_key(last), data)
    except keys.Unsealed:
        return Entry(first=last, last=last, time_us=0, size=0, total_bytes=0, memory=0)


def _joined(holes: list[tuple[int, int]]) -> Holes:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(holes):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return tuple(joined)
