"""An open database, and the transactions on it. One thread at a time.

After any `duckdb.Error` the connection is dead: DuckDB may raise on a COMMIT that is durable, and invalidates an
instance whose log it could not write. Whoever calls closes the store, opens it again, and looks at `sequence`.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np

from yaat_core.components import Position, SinkPosition
from yaat_core.event import EventBatch
from yaat_plugin_duckdb import layout, ledger
from yaat_plugin_duckdb.engine import wal_path

#: Microseconds between two notes of how old the rows are.
_AGE_STEP_US: Final = 10_000_000
_PRIVATE: Final = 0o600

#: Errors that are the fault of the rows, not of the store.
ROW_ERRORS: Final = (duckdb.DataError, duckdb.InvalidInputException)


class Store:
    """A database whose tables are there. ``sequence`` is the last one that is committed."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, *, fresh: bool) -> None:
        self.path = path
        self.fresh = fresh
        self.sequence = ledger.sequence(connection)
        self.owner = ledger.owner(connection)
        self._root = connection
        self._writer = connection.cursor()
        self._aged_us = ledger.youngest_us(connection)
        self._guard_files()

    def append(self, batch: EventBatch, sequences: Any, position: Position) -> None:
        """Store rows (with their sequences), position and checkpoints in one transaction."""
        last = max(position.last, self.sequence)
        with _Transaction(self._writer) as connection:
            if len(batch):
                layout.insert(connection, batch, sequences)
            ledger.advance(connection, last)
            ledger.put_checkpoints(connection, position.checkpoints, last)
            aged_us = self._note_age(connection, last)
        self.sequence, self._aged_us = last, aged_us
        self._guard_files()

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
        with _Transaction(self._writer) as connection:
            ledger.set_owner(connection, layout.FORMAT, owner)
        self.owner = owner

    def checkpoint(self) -> None:
        """Move what is in the log into the file."""
        with _Transaction(self._writer) as connection:
            aged_us = self._note_age(connection, self.sequence)
        self._aged_us = aged_us
        self._writer.execute("CHECKPOINT")
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
        with _Transaction(self._writer) as connection:
            ((gone,),) = connection.execute(
                f"DELETE FROM {layout.TABLE} WHERE sequence <= ?", [upto]
            ).fetchall()
            connection.execute("DELETE FROM yaat_ages WHERE sequence <= ?", [upto])
        return int(gone)

    def used_bytes(self) -> int:
        """Bytes that the database takes of its file; blocks that are free for reuse don't count."""
        rows = self._writer.execute("SELECT used_blocks * block_size FROM pragma_database_size()").fetchall()
        return int(rows[0][0])

    def wal_bytes(self) -> int:
        """Size of the log."""
        try:
            return wal_path(self.path).stat().st_size
        except FileNotFoundError:
            return 0

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Another connection to the same instance, for a query. Any thread."""
        return self._root.cursor()

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


class _Transaction:
    """BEGIN and COMMIT. After an error nothing is undone here: the connection is dead anyway."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def __enter__(self) -> duckdb.DuckDBPyConnection:
        self._connection.execute("BEGIN TRANSACTION")
        return self._connection

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        if kind is None:
            self._connection.execute("COMMIT")
