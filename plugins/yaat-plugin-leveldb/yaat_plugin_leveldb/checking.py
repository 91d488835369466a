"""`verify`, and the check that a reopened store still has all that was acknowledged."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from itertools import islice
from typing import Any, Final

import attrs

from yaat_core.components import Damage
from yaat_plugin_leveldb import index, inspection, keys, store, writing
from yaat_plugin_leveldb.binding import plyvel
from yaat_plugin_leveldb.figures import Deleted, Figures, Meta, summed
from yaat_plugin_leveldb.opening import Opened

#: Records checked between two chances for others to close the store.
_STEP: Final = 16

Reading = Callable[[], AbstractContextManager[Any]]


def verify(reading: Reading, held: Callable[[], Figures]) -> list[Damage]:
    """Read everything up to the present tail and check it. Changes nothing; others go on meanwhile.

    What LevelDB itself can't read is one damage, told alone.
    """
    try:
        return everything(reading, held)
    except plyvel.Error as error:
        if not store.means_damage(error):
            raise
        return [Damage(f"LevelDB can't read everything: {store.reason(error)}")]


def everything(reading: Reading, held: Callable[[], Figures]) -> list[Damage]:
    """As `verify`; what LevelDB itself can't read is raised."""
    tail = held().meta.tail
    with reading() as db:
        found = list(inspection.every_value(db, held()))
    before = held().deleted.upto
    while before < tail:
        with reading() as db:
            with closing(index.entries(db, before)) as entries:
                ahead = list(islice(entries, _STEP))
            for entry in ahead:
                found += _hole(held(), before, min(entry.first - 1, tail))
                damage = inspection.one_record(db, entry)
                # A record that was deleted since the index was read is no damage.
                if damage and entry.last > held().deleted.upto:
                    found.append(damage)
                before = max(before, entry.last)
            found += _strays(db, ahead)
        if len(ahead) < _STEP:
            return found + _hole(held(), before, tail)
    return found


def _hole(held: Figures, before: int, last: int) -> list[Damage]:
    """Events between two records that should be there."""
    first = max(before, held.deleted.upto) + 1
    if last < first or any(start <= first and last <= end for start, end in held.holes):
        return []
    return [Damage("events are not in the queue", first, last)]


def _strays(db: Any, ahead: list[index.Entry]) -> list[Damage]:
    """Records without an index entry among those looked at."""
    if not ahead:
        return []
    known = {entry.last for entry in ahead}
    start, stop = keys.record_key(ahead[0].last), keys.record_key(ahead[-1].last)
    with db.iterator(start=start, stop=stop, include_value=False, fill_cache=False) as rows:
        lasts = [keys.last_of(key) for key in rows]
    return [Damage("a record has no index entry", None, last) for last in lasts if last not in known]


def keep_acknowledged(opened: Opened, before: Figures) -> Opened:
    """A store that came back with less than was acknowledged: no sequence is given twice, the rest is told.

    The queue keeps its id and goes on behind the acknowledged tail; the missing events become a hole that
    sinks count as lost.
    """
    held, known = opened.figures, before.meta
    found = held.meta
    if found.queue_id == known.queue_id and found.write >= known.write and found.tail >= known.tail:
        return opened
    damage = Damage("acknowledged events are not in the queue any more", found.tail + 1, known.tail)
    ledger = {**held.ledger, **before.ledger}
    dropped = summed(ledger)
    tail = max(found.tail, known.tail)
    meta = Meta(
        queue_id=known.queue_id,
        write=max(found.write, known.write),
        tail=tail,
        total_bytes=max(found.total_bytes, known.total_bytes),
        read=tail + sum(dropped.values()),
        accepted=tail,
    )
    gone = held.oldest is None
    figures = attrs.evolve(
        held,
        meta=meta,
        deleted=Deleted(upto=tail, size=meta.total_bytes) if gone else held.deleted,
        ledger=ledger,
        dropped=dropped,
        holes=() if gone else (*held.holes, *([(found.tail + 1, tail)] if tail > found.tail else [])),
        cursors=before.cursors,
    )
    told = [*opened.damages, damage]
    puts = [meta.put(), figures.deleted.put(), writing.holes_put(figures.holes), inspection.put_notes(told)]
    puts += [writing.cursor_put(name, cursor) for name, cursor in figures.cursors.items()]
    puts += [writing.ledger_put(name, count) for name, count in ledger.items()]
    store.write(opened.db, puts, sync=True)
    return Opened(db=opened.db, figures=figures, damages=told)
