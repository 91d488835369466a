"""A queue write turned into one LevelDB batch, and the figures that hold once it is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from yaat_core.components import Appended, LedgerEntry, QueueWrite, StoredCheckpoint
from yaat_core.cursor import Cursor
from yaat_plugin_leveldb import keys, records
from yaat_plugin_leveldb.figures import Deleted, Figures, Holes, summed
from yaat_plugin_leveldb.index import Entry

#: Key and value; None deletes.
Put = tuple[bytes, bytes | None]

_HOUR_US: Final = 3_600_000_000
#: Hours that the drop ledger keeps apart; older ones are added up under hour 0.
_KEPT_HOURS: Final = 168


@attrs.frozen(kw_only=True)
class Plan:
    """What to write, and what holds afterwards."""

    puts: Sequence[Put]
    figures: Figures
    appended: Appended


def append(figures: Figures, write: QueueWrite, pieces: Sequence[records.Piece]) -> Plan:
    """Records, checkpoints, ledger and counters of one queue write."""
    puts: list[Put] = []
    first, total = figures.meta.tail + 1, figures.meta.total_bytes
    oldest = figures.oldest
    for number, piece in enumerate(pieces, 1):
        # A checkpoint covers all events of the write, so it travels with the last of them.
        written = write.checkpoints if number == len(pieces) else {}
        data = records.encode(
            piece, first=first, time_us=write.time_us, bytes_before=total, checkpoints=written
        )
        entry = _entry(piece, first, write.time_us, total, data)
        puts += ((keys.record_key(entry.last), data), entry.put())
        oldest = oldest or entry.info()
        first, total = entry.last + 1, entry.total_bytes
    tail = first - 1
    ledger, ledger_puts = _ledger(figures.ledger, write.drops, write.time_us // _HOUR_US)
    meta = attrs.evolve(
        figures.meta,
        write=figures.meta.write + 1,
        tail=tail,
        total_bytes=total,
        read=figures.meta.read + write.read,
        accepted=figures.meta.accepted + tail - figures.meta.tail,
    )
    after = attrs.evolve(
        figures,
        meta=meta,
        oldest=oldest,
        ledger=ledger,
        dropped=summed(ledger) if ledger_puts else figures.dropped,
    )
    puts += [*_checkpoints(write, tail), *ledger_puts, meta.put()]
    return Plan(puts=puts, figures=after, appended=Appended(figures.meta.tail + 1, tail))


def cursors(figures: Figures, changed: Mapping[str, Cursor | None]) -> tuple[list[Put], Figures]:
    """Cursors stored or deleted."""
    puts = [cursor_put(name, cursor) for name, cursor in changed.items()]
    kept = {name: cursor for name, cursor in {**figures.cursors, **changed}.items() if cursor is not None}
    return puts, attrs.evolve(figures, cursors=kept)


def cursor_put(name: str, cursor: Cursor | None) -> Put:
    """One cursor's key and value."""
    key = keys.cursor_key(name)
    return key, None if cursor is None else keys.seal(key, cursor)


def delete(
    figures: Figures, gone: Sequence[Entry], kept: Entry | None, sequence: int
) -> tuple[list[Put], Figures]:
    """Records ``gone`` taken away on the way to ``sequence``; ``kept`` is the first one that stays.

    The cursors go with it: a delete that survives a power cut must not be younger than the cursors that
    allowed it, or what was delivered would look lost.
    """
    if kept is None:
        deleted = Deleted(upto=min(sequence, figures.meta.tail), size=figures.meta.total_bytes)
    else:
        deleted = Deleted(upto=min(sequence, kept.first - 1), size=kept.total_bytes - kept.size)
    holes = tuple(hole for hole in figures.holes if hole[1] > deleted.upto)
    puts: list[Put] = []
    for entry in gone:
        puts += ((keys.record_key(entry.last), None), (keys.index_key(entry.last), None))
    puts += (cursor_put(name, cursor) for name, cursor in figures.cursors.items())
    if holes != figures.holes:
        puts.append(holes_put(holes))
    puts.append(deleted.put())
    oldest = kept.info() if kept else None
    return puts, attrs.evolve(figures, deleted=deleted, holes=holes, oldest=oldest)


def adopt(
    figures: Figures,
    *,
    queue_id: bytes | None,
    tail: int,
    checkpoints: Iterable[tuple[str, bytes, StoredCheckpoint]],
) -> tuple[list[Put], Figures]:
    """Go on behind ``tail``, with these checkpoints."""
    before = figures.meta
    meta = attrs.evolve(before.raised(tail), write=before.write + 1)
    if queue_id is not None and not before.tail:
        meta = attrs.evolve(meta, queue_id=queue_id)
    deleted, holes = figures.deleted, figures.holes
    if meta.tail > before.tail:
        if figures.oldest is None:
            deleted = attrs.evolve(deleted, upto=meta.tail)
        else:
            holes = (*holes, (before.tail + 1, meta.tail))
    puts: list[Put] = [meta.put(), deleted.put(), holes_put(holes)]
    puts += (_checkpoint(component, key, stored) for component, key, stored in checkpoints)
    return puts, attrs.evolve(figures, meta=meta, deleted=deleted, holes=holes)


def holes_put(holes: Holes) -> Put:
    """The known holes."""
    return keys.HOLES, keys.seal(keys.HOLES, holes) if holes else None


def ledger_put(name: keys.LedgerKey, count: int | None) -> Put:
    """One drop counter (None deletes)."""
    key = keys.ledger_key(name)
    return key, None if count is None else keys.seal(key, count)


def _entry(piece: records.Piece, first: int, time_us: int, before: int, data: bytes) -> Entry:
    return Entry(
        first=first,
        last=first + piece.count - 1,
        time_us=time_us,
        size=len(data),
        total_bytes=before + len(data),
        memory=piece.memory,
    )


def _checkpoint(component: str, key: bytes, stored: StoredCheckpoint) -> Put:
    full = keys.checkpoint_prefix(component) + key
    return full, keys.seal(full, (stored.sequence, stored.value))


def _checkpoints(write: QueueWrite, tail: int) -> list[Put]:
    puts: list[Put] = []
    for component, written in write.checkpoints.items():
        for key, value in written.items():
            if value is None:
                puts.append((keys.checkpoint_prefix(component) + key, None))
            else:
                puts.append(_checkpoint(component, key, StoredCheckpoint(value, tail)))
    return puts


def _ledger(
    ledger: Mapping[keys.LedgerKey, int], drops: Sequence[LedgerEntry], hour: int
) -> tuple[Mapping[keys.LedgerKey, int], list[Put]]:
    """The ledger with these drops in this hour, and what of it changed."""
    if not drops:
        return ledger, []
    after = dict(ledger)
    changed: set[keys.LedgerKey] = set()
    for drop in drops:
        name = (drop.component, drop.reason, drop.rule, hour)
        after[name] = after.get(name, 0) + drop.count
        changed.add(name)
    if not changed <= ledger.keys():
        changed |= _fold(after, hour - _KEPT_HOURS)
    puts: list[Put] = []
    for name in changed:
        puts.append(ledger_put(name, after.get(name)))
    return after, puts


def _fold(ledger: dict[keys.LedgerKey, int], before: int) -> set[keys.LedgerKey]:
    """Add hours before ``before`` up under hour 0, in place; which entries that touched."""
    touched: set[keys.LedgerKey] = set()
    for name in [name for name in ledger if 0 < name[3] < before]:
        total = (*name[:3], 0)
        ledger[total] = ledger.get(total, 0) + ledger.pop(name)
        touched |= {name, total}
    return touched
