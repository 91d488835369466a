"""What is known of each file of a database: whose it is, where it stands, how far it goes, how old its rows are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs

from yaat_core import durable
from yaat_plugin_duckdb import layout, ledger
from yaat_plugin_duckdb.engine import cursor
from yaat_plugin_duckdb.places import Partition

_PRIVATE: Final = 0o600


@attrs.frozen(kw_only=True)
class Known:
    """A file, as it was when this was read."""

    partition: Partition
    owner: ledger.Owner
    place: ledger.Place
    sequence: int
    """The last sequence that is stored."""
    began_us: int
    """When its first rows were accepted; 0 when it has none."""
    aged_us: int
    """When its last rows were accepted."""


def read(connection: Any, partition: Partition, format: int) -> Known:
    """What an attached file of that format says."""
    began_us, aged_us = ledger.ages_us(connection)
    return Known(
        partition=partition,
        owner=ledger.owner(connection),
        place=ledger.place(connection, format),
        sequence=ledger.sequence(connection),
        began_us=began_us,
        aged_us=aged_us,
    )


def begin(root: Any, partition: Partition, owner: ledger.Owner, before: Sequence[Known]) -> Known:
    """Fill a new, attached file that goes on where ``before`` end. A crash leaves it whole, or without tables.

    Raises:
        duckdb.Error: as DuckDB says.
    """
    place = ledger.Place(
        number=partition.number,
        oldest=before[-1].place.oldest if before else partition.number,
        base=max((one.sequence for one in before), default=0),
    )
    known, replays, refused = _checkpoints(root, before), _replays(root, before), _refused(root, before)
    with cursor(root, partition) as writing:
        writing.execute("BEGIN TRANSACTION")
        for statement in layout.statements():
            writing.execute(statement)
        ledger.create(writing, layout.FORMAT, owner, place)
        ledger.adopt_checkpoints(writing, known)
        if replays.total:
            ledger.note_replays(writing, replays)
        if refused.rows:
            ledger.note_refused(writing, refused)
        writing.execute("COMMIT")
        writing.execute(f"CHECKPOINT {partition.alias}")
    guard(partition)
    durable.sync_folder(partition.path.parent)
    return Known(partition=partition, owner=owner, place=place, sequence=place.base, began_us=0, aged_us=0)


def caught_up(root: Any, files: Sequence[Known]) -> Known:
    """The newest file, with the position of the furthest: an older copy of it may have been put back."""
    newest, furthest = files[-1], max(one.sequence for one in files)
    if newest.sequence == furthest:
        return newest
    known, replays, refused = _checkpoints(root, files), _replays(root, files), _refused(root, files)
    with cursor(root, newest.partition) as writing:
        writing.execute("BEGIN TRANSACTION")
        ledger.advance(writing, furthest)
        writing.execute("DELETE FROM yaat_checkpoints")
        ledger.adopt_checkpoints(writing, known)
        if replays.total:
            ledger.note_replays(writing, replays)
        ledger.note_refused(writing, refused)
        writing.execute("COMMIT")
    return attrs.evolve(newest, sequence=furthest)


def guard(partition: Partition) -> None:
    """For its owner's eyes only."""
    for file in (partition.path, partition.wal):
        try:
            file.chmod(_PRIVATE)
        except FileNotFoundError:
            continue


def _replays(root: Any, files: Sequence[Known]) -> ledger.Replays:
    """Those of the file that has most of them: the total only grows."""
    found = [ledger.Replays()]
    for one in files:
        with cursor(root, one.partition) as reading:
            found.append(ledger.replays(reading))
    return max(found, key=lambda replays: replays.total)


def _refused(root: Any, files: Sequence[Known]) -> ledger.Refused:
    """Those of the file that goes furthest."""
    if not files:
        return ledger.Refused()
    with cursor(root, _furthest(files).partition) as reading:
        return ledger.refused(reading)


def _checkpoints(root: Any, files: Sequence[Known]) -> Any:
    """Those of the file that goes furthest."""
    if not files:
        return {}
    with cursor(root, _furthest(files).partition) as reading:
        return ledger.checkpoints(reading)


def _furthest(files: Sequence[Known]) -> Known:
    """The newest of those with the highest position: one that has just begun knows all that the one before it did."""
    return max(reversed(files), key=lambda one: one.sequence)
