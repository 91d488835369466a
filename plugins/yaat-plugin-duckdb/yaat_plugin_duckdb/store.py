"""An open database, and the transactions on it. One thread at a time.

Rows go into the newest of its files alone, with the position and the checkpoints: DuckDB commits to one file at a time.
After any `duckdb.Error` the connection is dead: DuckDB may raise on a COMMIT that is durable, and invalidates an
instance whose log it could not write. Whoever calls closes the store, opens it again, and looks at `sequence`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import attrs
import duckdb
import numpy as np

from yaat_core.components import Position, SinkPosition
from yaat_core.event import EventBatch
from yaat_core.faults import reached
from yaat_plugin_duckdb import engine, layout, ledger
from yaat_plugin_duckdb.known import Known, begin, guard
from yaat_plugin_duckdb.places import Partition, Places

#: Microseconds between two notes of how old the rows are.
_AGE_STEP_US: Final = 10_000_000

#: Errors that are the fault of the rows, not of the store.
ROW_ERRORS: Final = (duckdb.DataError, duckdb.InvalidInputException)


@attrs.define
class _Uncommitted:
    """What is stored but not committed."""

    last: int
    rows: int = 0
    checkpoints: dict[str, dict[bytes, bytes | None]] = attrs.field(factory=dict)
    accepted_us: int = 0
    replays: ledger.Replays | None = None
    refused: ledger.Refused = attrs.field(factory=ledger.Refused)


class Store:
    """A database whose files are attached and have their tables. ``sequence`` is the last one that is committed."""

    def __init__(
        self, root: duckdb.DuckDBPyConnection, places: Places, files: Sequence[Known], *, fresh: bool
    ) -> None:
        self.fresh = fresh
        self.sealed: list[Known] = list(files[:-1])
        """The files that nothing is written to any more, the oldest first."""
        self._root = root
        self._places = places
        self._open: _Uncommitted | None = None
        self._take(files[-1])
        self._show(self.sealed)
        self._written = -self.current.bytes()

    def _take(self, newest: Known) -> None:
        """Rows go into this file from now on."""
        self.current: Partition = newest.partition
        self.sequence = newest.sequence
        self.owner = newest.owner
        self._place = newest.place
        self._began_us, self._noted_us = newest.began_us, newest.aged_us
        self._aged_us = newest.aged_us
        self._writer = engine.cursor(self._root, self.current)
        self.refused = ledger.refused(self._writer)
        guard(self.current)

    # --- rows

    @property
    def reached(self) -> int:
        """The last sequence that is stored, committed or not."""
        return self._open.last if self._open else self.sequence

    @property
    def open_rows(self) -> int | None:
        """Rows that are stored and not committed; None when no transaction is open."""
        return self._open.rows if self._open else None

    def put(
        self, batch: EventBatch, sequences: Any, position: Position, dead: Sequence[tuple[int, str]] = ()
    ) -> None:
        """Store rows (with their sequences) and what belongs to the position, in the open transaction or a new one.

        ``dead``: rows of the position that are not among them, since they are refused, with the reasons.
        """
        if self._open is None:
            self._writer.execute("BEGIN TRANSACTION")
            self._open = _Uncommitted(self.sequence)
        one = self._open
        if len(batch):
            layout.insert(self._writer, batch, sequences)
        one.last = max(one.last, position.last)
        one.rows += len(batch)
        one.accepted_us = max(one.accepted_us, accepted_us(position))
        if dead:
            rows = tuple((position.first + row, reason) for row, reason in dead)
            one.refused = ledger.Refused(position.first, position.last, rows)
        for component, written in position.checkpoints.items():
            one.checkpoints.setdefault(component, {}).update(written)

    def put_again(self, batch: EventBatch, position: Position) -> None:
        """Store the rows of a dead letter, as rows of this moment: the position stays where it is."""
        here = attrs.evolve(position, last=self.reached, checkpoints={})
        self.put(batch, np.full(len(batch), self.reached), here)
        if self._open is not None:
            total = self.replays().total + len(batch)
            self._open.replays = ledger.Replays(position.replay, len(batch), total)

    def replays(self) -> ledger.Replays:
        """What is stored of dead letters that were delivered again."""
        return ledger.replays(self._writer)

    def commit(self) -> None:
        """Rows, position, checkpoints and what was refused, of the open transaction, all at once."""
        one = self._open
        if one is None:
            raise RuntimeError("no transaction is open")
        ledger.advance(self._writer, one.last)
        ledger.put_checkpoints(self._writer, one.checkpoints, one.last)
        aged_us = max(self._aged_us, one.accepted_us)
        noted_us = aged_us if aged_us - self._noted_us >= _AGE_STEP_US else self._noted_us
        if noted_us != self._noted_us:
            ledger.note_age(self._writer, one.last, noted_us)
        if one.replays is not None:
            ledger.note_replays(self._writer, one.replays)
        # What comes next is delivered when the core has settled what was before it.
        refused = one.refused if one.last > self.sequence else self.refused
        if refused != self.refused:
            ledger.note_refused(self._writer, refused)
        reached("duckdb.commit.before")
        self._writer.execute("COMMIT")
        reached("duckdb.commit.after")
        self.sequence, self.refused, self._open = one.last, refused, None
        self._aged_us, self._noted_us = aged_us, noted_us
        self._began_us = self._began_us or noted_us
        guard(self.current)

    def discard(self) -> None:
        """Forget what is stored and not committed."""
        if self._open is not None:
            self._writer.execute("ROLLBACK")
            self._open = None

    def refusal(self, batch: EventBatch) -> str | None:
        """What the database has against these rows, None for nothing. Stores nothing."""
        self._writer.execute("BEGIN TRANSACTION")
        try:
            layout.insert(self._writer, batch, np.zeros(len(batch), np.int64))
        except ROW_ERRORS as error:
            return str(error).partition("\n")[0]
        finally:
            self._writer.execute("ROLLBACK")
        return None

    # --- whose they are, and up to where

    def position(self) -> SinkPosition | None:
        """What is stored; None when the database is nobody's yet."""
        if self.owner.queue_id is None:
            return None
        return SinkPosition(
            queue_id=self.owner.queue_id,
            sequence=self.sequence,
            checkpoints=ledger.checkpoints(self._writer),
            replayed=self.replays().total,
            refused=self.refused.piece,
        )

    def give_to(self, owner: ledger.Owner) -> None:
        """Store whose rows these are."""
        with _transaction(self._writer) as connection:
            ledger.set_owner(connection, layout.FORMAT, owner)
        self.owner = owner

    def strangers(self) -> list[Known]:
        """Files that belong to somebody else than the newest one."""
        return [one for one in self.sealed if one.owner != self.owner]

    def missing(self) -> list[int]:
        """Numbers of files that should be there and are not."""
        there = {one.partition.number for one in self.sealed}
        return [number for number in range(self._place.oldest, self.current.number) if number not in there]

    def gaps(self) -> list[tuple[int, int]]:
        """Sequences, (first, last), between two files that follow each other: one of them is of an older copy."""
        bases = [*(one.place for one in self.sealed[1:]), self._place] if self.sealed else []
        return [
            (one.sequence + 1, place.base)
            for one, place in zip(self.sealed, bases, strict=True)
            if one.partition.number + 1 == place.number and one.sequence < place.base
        ]

    # --- files

    def checkpoint(self) -> None:
        """Move what is in the log into the file."""
        if self._aged_us != self._noted_us:
            with _transaction(self._writer) as connection:
                ledger.note_age(connection, self.sequence, self._aged_us)
            self._noted_us = self._aged_us
        reached("duckdb.checkpoint.before")
        self._writer.execute(f"CHECKPOINT {self.current.alias}")
        reached("duckdb.checkpoint.after")
        guard(self.current)

    def age_us(self, now_us: int) -> int:
        """How long ago the first rows of the newest file were accepted; 0 when it has none."""
        return abs(now_us - self._began_us) if self._began_us else 0

    def rotate(self) -> bool:
        """Begin a new file, so that this one can be removed as a whole one day. False: its log is not moved yet."""
        if self._open is not None or self.owner.queue_id is None or self.sequence == self._place.base:
            return False
        try:
            self.checkpoint()
        except duckdb.TransactionException:
            # A query is in its way, and ends.
            return False
        if self.current.wal_bytes():
            return False
        old = Known(
            partition=self.current,
            owner=self.owner,
            place=self._place,
            sequence=self.sequence,
            began_us=self._began_us,
            aged_us=self._aged_us,
        )
        reached("duckdb.rotate.before")
        new = self._places.next(self.current)
        engine.attach(self._root, new, writable=True)
        newest = begin(self._root, new, self.owner, [*self.sealed, old])
        reached("duckdb.rotate.after")
        self._written += self.current.bytes()
        self._writer.close()
        self.sealed.append(old)
        self._take(newest)
        self._show(self.sealed)
        return True

    def retire(self, old: Sequence[Known]) -> int:
        """Remove sealed files, and give their space back; returns how many rows they had.

        A crash leaves each of them whole, to be retired again, or gone.
        """
        kept = [one for one in self.sealed if one not in old]
        rows = sum(self._rows(one.partition) for one in old)
        oldest = min([*(one.partition.number for one in kept), self.current.number])
        place = attrs.evolve(self._place, oldest=max(oldest, self._place.oldest))
        with _transaction(self._writer) as connection:
            ledger.set_place(connection, place)
        self._place = place
        self.checkpoint()
        self._show(kept)
        self.sealed = kept
        for one in old:
            engine.detach(self._root, one.partition)
            reached("duckdb.retire.before")
            self._places.remove(one.partition)
        return rows

    def bytes(self) -> int:
        """Bytes of all files, with their logs."""
        parts = [*(one.partition for one in self.sealed), self.current]
        return sum(partition.bytes() + partition.wal_bytes() for partition in parts)

    def written(self) -> int:
        """By how many bytes the files grew since this store was opened."""
        return self._written + self.current.bytes()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Another connection to the same instance, for a query: it sees the views over all files. Any thread."""
        return self._root.cursor()

    def close(self) -> None:
        """Close. What is only in the log stays there."""
        self._writer.close()
        self._root.close()

    def _show(self, sealed: Sequence[Known]) -> None:
        """Make the views that users see: over these files and the newest one."""
        show(self._root, [*(one.partition for one in sealed), self.current])

    def _rows(self, partition: Partition) -> int:
        table = f"{partition.alias}.main.{layout.TABLE}"
        ((rows,),) = self._root.execute(f"SELECT count(*) FROM {table}").fetchall()
        return int(rows)


def show(root: duckdb.DuckDBPyConnection, partitions: Sequence[Partition]) -> None:
    """Make the views over these files, in the instance itself."""
    tables = [f"{partition.alias}.main.{layout.TABLE}" for partition in partitions]
    with _transaction(root) as connection:
        for statement in layout.views(tables):
            connection.execute(statement)


def accepted_us(position: Position) -> int:
    """When the newest of a piece's events was accepted; now, when nobody said."""
    return position.accepted_us or time.time_ns() // 1_000


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """BEGIN and COMMIT. After an error nothing is undone here: the connection is dead anyway."""
    connection.execute("BEGIN TRANSACTION")
    yield connection
    connection.execute("COMMIT")
