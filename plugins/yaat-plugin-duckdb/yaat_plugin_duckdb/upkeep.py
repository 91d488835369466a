"""Housekeeping between transactions: CHECKPOINTs, the next file, old files, memory. One thread at a time."""

from __future__ import annotations

import math
import time
from typing import Final

import duckdb

from yaat_core.components import Context, Position
from yaat_plugin_duckdb.complaints import first_line
from yaat_plugin_duckdb.config import DuckDBConfig
from yaat_plugin_duckdb.holder import Holder
from yaat_plugin_duckdb.inspection import Inspection
from yaat_plugin_duckdb.retention import Retention
from yaat_plugin_duckdb.store import Store, accepted_us

#: Seconds before housekeeping that failed is tried again.
_REST: Final = 10.0
#: Bytes that the files may grow before the instance is closed and opened again: DuckDB keeps native memory, outside of its
#: limit, for what it wrote, about a tenth of that (DuckDB 2.0.1).
_GROWTH: Final = 64 * 2**20


class Upkeep:
    """Of one sink's database."""

    def __init__(self, config: DuckDBConfig, context: Context, holder: Holder) -> None:
        self.retention = Retention(config, context)
        self.ours = False
        """The database is bound to this queue: before that nothing in it is touched."""
        self._interval = config.checkpoint_interval
        self._checkpoint_bytes = min(int(config.checkpoint_bytes), self.retention.file_bytes)
        self._holder = holder
        self._inspection = Inspection(context, holder)
        self._log = context.log
        self._unlogged = 0
        self._tidied = -math.inf
        self._rests_until = -math.inf
        self._moving = context.stats.histogram(
            "yaat_duckdb_checkpoint_seconds", "Time that a checkpoint takes."
        )

    def is_tidy(self) -> None:
        """Nothing waits to be moved: count the interval from now on."""
        self._tidied = time.monotonic()

    def took(self, size: int) -> None:
        """So many bytes went past the log, or will."""
        self._unlogged += size

    def make_way(self, store: Store, position: Position) -> None:
        """Begin the next file when what comes belongs there, going by its accept time."""
        if store.open_rows is None and self.retention.is_full(store, accepted_us(position)):
            self._rotate(store)

    def tidy(self) -> None:
        """What is due."""
        store, now = self._holder.store, time.monotonic()
        if store is None or store.open_rows is not None or now < self._rests_until or not self.ours:
            return
        try:
            self._inspection.step(store)
        except (duckdb.Error, OSError) as error:
            self._fail(error)
        if self._holder.store is store:
            self._move_when_due(store, now)

    def _move_when_due(self, store: Store, now: float) -> None:
        waited = now - self._tidied >= self._interval
        if waited or store.current.wal_bytes() + self._unlogged >= self._checkpoint_bytes:
            self.move_now(store)

    def move_now(self, store: Store) -> bool:
        """As `move_to_file`; whether it could be done."""
        try:
            self.move_to_file(store)
            self._holder.problems.look(store)
            self._refresh(store)
        except duckdb.TransactionException as error:
            # Somebody else's transaction is in the way of the CHECKPOINT; it will end.
            self._rest(error)
            self._log.info("no checkpoint now: %s", first_line(error))
        except (duckdb.Error, OSError) as error:
            self._fail(error)
        else:
            return True
        return False

    def move_to_file(self, store: Store) -> None:
        """CHECKPOINT, the next file when this one is full, and retention.

        Raises:
            duckdb.Error, OSError: the store is worth nothing any more, but for a `TransactionException`.
        """
        self._tidied = time.monotonic()
        self._unlogged = 0
        if store.current.wal_bytes():
            began = time.perf_counter()
            store.checkpoint()
            self._moving.observe(time.perf_counter() - began)
        self._holder.settled = store.sequence
        self._holder.problems.moved()
        if self.retention.is_full(store):
            self._rotate(store)
        self.retention.apply(store)

    def _rotate(self, store: Store) -> None:
        if store.rotate():
            self._holder.settled = store.sequence

    def _rest(self, error: Exception) -> None:
        self._rests_until = time.monotonic() + _REST
        self._holder.problems.not_moved(first_line(error))

    def _fail(self, error: Exception) -> None:
        """A CHECKPOINT that lacks memory is tried again with more of it at once: it holds 2,048 rows, however long their
        texts are, and without it the queue never ends."""
        before = self._holder.memory.writing
        self._rest(error)
        self._holder.abandon(error)
        if self._holder.memory.writing > before:
            self._rests_until = -math.inf
            self._holder.reopen()

    def _refresh(self, store: Store) -> None:
        """Open the instance anew where that gives memory back, and no query is in the way."""
        self._holder.memory.adjust()
        grown = store.written() >= _GROWTH and not store.current.wal_bytes()
        if self._holder.memory.narrow() or (grown and self._holder.answers.pause()):
            self._holder.reopen()
