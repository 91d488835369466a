"""An open database, and the transactions on it. One thread at a time.

After any `duckdb.Error` the connection is dead: DuckDB may raise on a COMMIT that is durable, and invalidates an
instance whose log it could not write. Whoever calls closes the store, opens it again, and looks at `sequence`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import duckdb
import numpy as np

from yaat_core.components import Position, SinkPosition
from yaat_core.event import EventBatch
from yaat_core.faults import reached
from yaat_plugin_duckdb import layout, ledger
from yaat_plugin_duckdb.engine import DATABASE, cursor, wal_path

#: Microseconds between two notes of how old the rows are.
_AGE_STEP_US: Final = 10_000_000
_PRIVATE: Final = 0o600

#: Errors that are the fault of the rows, not of the store.
ROW_ERRORS: Final = (duckdb.DataError, duckdb.InvalidInputException)


@attrs.define
class _Uncommitted:
    """What is stored but not committed."""

    last: int
    rows: int = 0
    checkpoints: dict[str, dict[bytes, bytes | None]] = attrs.field(factory=dict)


class Store:
    """A database whose tables are there. ``sequence`` is the last one that is committed."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, *, fresh: bool) -> None:
        self.path = path
        self.fresh = fresh
        self.sequence = ledger.sequence(connection)
        self.owner = ledger.owner(connection)
        self._root = connection
        self._writer = cursor(connection)
        self._aged_us = ledger.youngest_us(connection)
        self._open: _Uncommitted | None = None
        self._guard_files()

    @property
    def reached(self) -> int:
        """The last sequence that is stored, committed or not."""
        return self._open.last if self._open else self.sequence

    @property
    def open_rows(self) -> int | None:
        """Rows that are stored and not committed; None when no transaction is open."""
        return self._open.rows if self._open else None

    def put(self, batch: EventBatch, sequences: Any, position: Position) -> None:
        """Store rows (with their sequences) and what belongs to the position, in the open transaction or a new one."""
        if self._open is None:
            self._writer.execute("BEGIN TRANSACTION")
            self._open = _Uncommitted(self.sequence)
        one = self._open
        if len(batch):
            layout.insert(self._writer, batch, sequences)
        one.last = max(one.last, position.last)
        one.rows += len(batch)
        for component, written in position.checkpoints.items():
            one.checkpoints.setdefault(component, {}).update(written)

    def commit(self) -> None:
        """Rows, position and checkpoints of the open transaction, all at once."""
        one = self._open
        if one is None:
            raise RuntimeError("no transaction is open")
        ledger.advance(self._writer, one.last)
        ledger.put_checkpoints(self._writer, one.checkpoints, one.last)
        aged_us = self._note_age(self._writer, one.last)
        reached("duckdb.commit.before")
        self._writer.execute("COMMIT")
        reached("duckdb.commit.after")
        self.sequence, self._aged_us, self._open = one.last, aged_us, None
        self._guard_files()

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

    def position(self) -> SinkPosition | None:
        """What is stored; None when the database is nobody's yet."""
        if self.owner.queue_id is None:
            return None
        return SinkPosition(
            queue_id=self.owner.queue_id,
            sequence=self.sequence,
            checkpoints=ledger.checkpoints(self._writer),
        )

    def give_to(self, owner: ledger.Owner) -> None:
        """Store whose rows these are."""
        with _transaction(self._writer) as connection:
            ledger.set_owner(connection, layout.FORMAT, owner)
        self.owner = owner

    def checkpoint(self) -> None:
        """Move what is in the log into the file."""
        with _transaction(self._writer) as connection:
            aged_us = self._note_age(connection, self.sequence)
        self._aged_us = aged_us
        reached("duckdb.checkpoint.before")
        self._writer.execute(f"CHECKPOINT {DATABASE}")
        reached("duckdb.checkpoint.after")
        self._guard_files()

    def expired(self, horizon_us: int) -> int:
        """The highest sequence that was stored at ``horizon_us`` or before, 0 for none."""
        return ledger.stored_before(self._writer, horizon_us)

    def span(self) -> tuple[int, int]:
        """Lowest stored sequence, and how many rows there are."""
        rows = self._writer.execute(
            f"SELECT coalesce(min(sequence), 0), count(*) FROM {layout.TABLE}"
        ).fetchall()
        return int(rows[0][0]), int(rows[0][1])

    def forget(self, upto: int) -> int:
        """Remove the rows up to a sequence; returns how many. Their space is free after the next CHECKPOINT."""
        with _transaction(self._writer) as connection:
            ((gone,),) = connection.execute(
                f"DELETE FROM {layout.TABLE} WHERE sequence <= ?", [upto]
            ).fetchall()
            connection.execute("DELETE FROM yaat_ages WHERE sequence <= ?", [upto])
        return int(gone)

    def used_bytes(self) -> int:
        """Bytes that the database takes of its file; blocks that are free for reuse don't count."""
        rows = self._writer.execute(
            "SELECT used_blocks * block_size FROM pragma_database_size() WHERE database_name = current_database()"
        ).fetchall()
        return int(rows[0][0])

    def wal_bytes(self) -> int:
        """Size of the log."""
        try:
            return wal_path(self.path).stat().st_size
        except FileNotFoundError:
            return 0

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Another connection to the same instance, for a query. Any thread."""
        return cursor(self._root)

    def close(self) -> None:
        """Close. What is only in the log stays there."""
        self._writer.close()
        self._root.close()

    def _note_age(self, connection: duckdb.DuckDBPyConnection, last: int) -> int:
        now_us = time.time_ns() // 1_000
        if abs(now_us - self._aged_us) < _AGE_STEP_US:
            return self._aged_us
        ledger.note_age(connection, last, now_us)
        return now_us

    def _guard_files(self) -> None:
        for file in (self.path, wal_path(self.path)):
            try:
                file.chmod(_PRIVATE)
            except FileNotFoundError:
                continue


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """BEGIN and COMMIT. After an error nothing is undone here: the connection is dead anyway."""
    connection.execute("BEGIN TRANSACTION")
    yield connection
    connection.execute("COMMIT")
