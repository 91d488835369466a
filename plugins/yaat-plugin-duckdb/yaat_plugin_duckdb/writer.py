"""The one writer of a database: delivers exactly once, through errors that leave open whether a COMMIT was durable.

Synchronous and safe for threads: deliveries and housekeeping take turns under one lock. After any error of DuckDB the
store is abandoned: running queries are stopped (they share the instance), everything is closed and opened again, and
the stored position says what is in. A query that took all the memory meets its end the same way, and the transaction
is tried again.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import attrs
import duckdb
import numpy as np
import pyarrow as pa

from yaat_core.components import Context, Done, Held, Outcome, Partial, Position, Retry, SinkPosition
from yaat_core.config.options import Size
from yaat_core.errors import StateInUse, StoreDamaged, StoreForeign, StoreUnavailable, YaatError
from yaat_core.event import EventBatch
from yaat_plugin_duckdb.answers import Answers
from yaat_plugin_duckdb.complaints import first_line
from yaat_plugin_duckdb.config import DuckDBConfig
from yaat_plugin_duckdb.engine import ROW_GROUP, limits_of, wal_path
from yaat_plugin_duckdb.ledger import Owner
from yaat_plugin_duckdb.opening import open_store, unavailable
from yaat_plugin_duckdb.retention import Retention
from yaat_plugin_duckdb.store import ROW_ERRORS, Store

#: Times that a transaction is tried, each time on a newly opened store, before the core is asked to wait.
_ATTEMPTS: Final = 3
#: Rows of one delivery: two are a row group.
_PIECE: Final = ROW_GROUP // 2
#: Seconds before housekeeping that failed is tried again.
_REST: Final = 10.0
_MEMORY_SIGNS: Final = ("failed to pin", "failed to allocate", "Out of Memory")
#: What a CHECKPOINT may be given at most.
_MOST_MEMORY: Final = 4 * 2**30
#: What a query hears that was stopped for the sake of the writer.
_CLOSED: Final = "the database was closed while the query ran"

T = TypeVar("T")


class Writer:
    """Owns the store of a sink from `start` to `stop`."""

    def __init__(self, config: DuckDBConfig, context: Context) -> None:
        self.path: Path = context.path(config.path)
        self.settled = 0
        """Rows up to here are in the file itself: safe without DuckDB's log and without the queue."""
        self.answers = Answers()
        self._config = config
        self._log = context.log
        self._me = Owner(agent_id=context.agent_id, sink=str(context.id), queue_id=None)
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._known = 0
        self._holding = False
        self._alone_upto = 0
        self._memory = int(config.memory_limit)
        self._unlogged = 0
        self._tidied = -math.inf
        self._rests_until = -math.inf
        self._retention = Retention(config, context)
        stats = context.stats
        self._reopened = stats.counter(
            "yaat_duckdb_reopened_total", "Times the database failed and was reopened."
        )
        self._aside = stats.counter("yaat_duckdb_set_aside_total", "Damaged files that were set aside.")
        self._moving = stats.histogram("yaat_duckdb_checkpoint_seconds", "Time that a checkpoint takes.")

    def start(self) -> None:
        """Open the database. Raises as `open_store` does."""
        with self._lock:
            store = self._opened()
            if self.settled == store.sequence:
                self._tidied = time.monotonic()

    def stop(self) -> None:
        """Move everything into the file, and close. Safe twice."""
        with self._lock:
            if self._store is None:
                return
            self.answers.stop(_CLOSED)
            try:
                self._store.discard()
                self._move_to_file(self._store)
            except duckdb.Error as error:
                self._log.warning("no checkpoint at the end, the log keeps the rows: %s", first_line(error))
            self._close()

    def position(self) -> SinkPosition | None:
        """As `TransactionalSink.position`."""

        def asked(store: Store) -> SinkPosition | None:
            self._require_mine(store)
            return store.position()

        return self._on_store(asked)

    def bind(self, queue_id: bytes) -> None:
        """As `TransactionalSink.bind`."""

        def bound(store: Store) -> None:
            self._require_mine(store)
            if store.owner.queue_id is None:
                store.give_to(Owner(agent_id=self._me.agent_id, sink=self._me.sink, queue_id=queue_id))
            self._require_queue(store, queue_id)

        self._on_store(bound)

    def deliver(self, batch: EventBatch, position: Position) -> Outcome:
        """Store what of the batch is not stored yet.

        Raises:
            StoreForeign: the position is of another queue.
            StoreDamaged: damaged files had to be set aside, so that the database is behind: start over.
        """
        if len(batch) != position.last - position.first + 1:
            raise ValueError(f"{len(batch)} rows for the sequences {position.first} to {position.last}")
        with self._lock:
            outcome = self._delivered(batch, position)
            self._holding = isinstance(outcome, Held)
            self._tidy()
        return outcome

    @property
    def batch_rows(self) -> int:
        """How many rows the next delivery should bring: so that transactions end where row groups do."""
        store = self._store
        return min(_PIECE, ROW_GROUP - ((store and store.open_rows) or 0))

    def tidy(self) -> None:
        """CHECKPOINT and remove old rows, when it is time."""
        with self._lock:
            self._tidy()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection to the same instance, for a query."""
        store = self._store
        if store is None:
            raise StoreUnavailable(
                "the database is not open", where=str(self.path), fix="ask again in a moment"
            )
        return store.cursor()

    # --- delivering, within the lock

    def _delivered(self, batch: EventBatch, position: Position) -> Outcome:
        if self._holding and (self._store is None or self._store.open_rows is None):
            return Retry(after=0.0, why="the database was reopened in the middle of a transaction")
        if self._holding or self._may_hold(batch, position):
            return self._together(batch, position)
        return self._alone(batch, position)

    def _may_hold(self, batch: EventBatch, position: Position) -> bool:
        """Does so much wait that rows are worth a transaction of a whole row group?"""
        return position.first > self._alone_upto and len(batch) + position.waiting >= ROW_GROUP

    def _together(self, batch: EventBatch, position: Position) -> Outcome:
        """One of several pieces of a transaction. After an error every piece comes again, and is stored alone."""
        try:
            store = self._opened()
            self._put(store, batch, position, [])
            self._unlogged += batch.nbytes
            rows = store.open_rows or 0
            if 0 < rows < ROW_GROUP and rows + position.waiting >= ROW_GROUP:
                return Held()
            self._commit(store)
        except duckdb.Error as error:
            self._alone_upto = max(self._alone_upto, position.last)
            return Retry(after=0.0, why=self._abandon(error))
        except (StoreUnavailable, StateInUse) as error:
            return Retry(why=f"{error.what}: {error.cause}")
        return Done()

    def _alone(self, batch: EventBatch, position: Position) -> Outcome:
        """A transaction for this piece."""
        dead: list[tuple[int, str]] = []
        why, rows_at_fault = "", False
        for _ in range(_ATTEMPTS):
            try:
                if rows_at_fault:
                    dead = self._refused(batch)
                store = self._opened()
                self._put(store, batch, position, dead)
                self._commit(store)
            except duckdb.Error as error:
                rows_at_fault = isinstance(error, ROW_ERRORS)
                why = self._abandon(error)
            except (StoreUnavailable, StateInUse) as error:
                return Retry(why=f"{error.what}: {error.cause}")
            else:
                return Partial(dead) if dead else Done()
        return Retry(why=why)

    def _put(self, store: Store, batch: EventBatch, position: Position, dead: list[tuple[int, str]]) -> None:
        """Store what of the batch is not stored yet, and is no dead row."""
        self._require_queue(store, position.queue_id)
        sequences = np.arange(position.first, position.last + 1)
        wanted = sequences > store.reached
        if not wanted.any() and (store.reached > position.last or not position.checkpoints):
            return
        wanted[[row for row, _ in dead]] = False
        if not wanted.all():
            batch = batch.filter(pa.array(wanted))
        store.put(batch, sequences[wanted], position)

    def _commit(self, store: Store) -> None:
        if store.open_rows is None:
            return
        store.commit()
        self._known = store.sequence

    def _refused(self, batch: EventBatch) -> list[tuple[int, str]]:
        """The rows that DuckDB does not take, each with its reason."""
        pieces, found = [range(len(batch))], []
        while pieces:
            rows = pieces.pop()
            reason = self._opened().refusal(batch.slice(rows.start, len(rows))) if rows else None
            if reason and len(rows) == 1:
                found.append((rows.start, reason))
            elif reason:
                middle = rows.start + len(rows) // 2
                pieces += [range(rows.start, middle), range(middle, rows.stop)]
        return sorted(found)

    # --- keeping the store, within the lock

    def _on_store(self, ask: Callable[[Store], T]) -> T:
        with self._lock:
            try:
                return ask(self._opened())
            except duckdb.Error as error:
                self._abandon(error)
                raise unavailable(error, self.path) from error

    def _opened(self) -> Store:
        if self._store is not None:
            return self._store
        had_log = wal_path(self.path).exists()
        limits = attrs.evolve(limits_of(self._config), memory=self._memory)
        opened = open_store(self.path, limits, self._me)
        store = opened.store
        self.settled = min(self.settled, store.sequence) if had_log else store.sequence
        self._store = store
        self.answers.admit()
        if opened.set_aside:
            self._aside.add(len(opened.set_aside))
            names = ", ".join(file.name for file in opened.set_aside)
            self._log.error(
                "the database was damaged: set aside %s in %s; it holds events up to sequence %d, what the queue "
                "still has is delivered again",
                names,
                self.path.parent,
                store.sequence,
            )
        if store.sequence < self._known:
            raise StoreDamaged(
                f"the database lost what came after sequence {store.sequence}",
                where=str(self.path),
                effect="what the queue still has is delivered again",
            )
        self._known = store.sequence
        return store

    def _abandon(self, error: duckdb.Error) -> str:
        """Close everything after an error; returns the error as a line."""
        line = first_line(error)
        self._log.warning("the database failed, reopening it: %s", line)
        self._reopened.add()
        self._close()
        return line

    def _close(self) -> None:
        self.answers.stop(_CLOSED)
        if self._store is not None:
            self._store.close()
        self._store = None

    def _tidy(self) -> None:
        store, now = self._store, time.monotonic()
        if store is None or store.open_rows is not None or now < self._rests_until:
            return
        waited = now - self._tidied >= self._config.checkpoint_interval
        if not waited and store.wal_bytes() + self._unlogged < self._config.checkpoint_bytes:
            return
        try:
            self._move_to_file(store)
            if self._memory != self._config.memory_limit:
                self._memory = int(self._config.memory_limit)
                self._close()
                self._open_again()
        except duckdb.TransactionException as error:
            # Somebody else's transaction is in the way of the CHECKPOINT; it will end.
            self._rests_until = now + _REST
            self._log.info("no checkpoint now: %s", first_line(error))
        except duckdb.Error as error:
            self._rests_until = now + _REST
            self._abandon(error)
            if any(sign in str(error) for sign in _MEMORY_SIGNS) and self._memory < _MOST_MEMORY:
                self._more_memory()

    def _more_memory(self) -> None:
        """A CHECKPOINT holds 2,048 rows at once, however long their texts are; without it the queue never ends."""
        self._memory = min(2 * self._memory, _MOST_MEMORY)
        self._rests_until = -math.inf
        self._log.warning(
            "rows with very long texts: a checkpoint needs more than memory_limit, trying with %s",
            Size(self._memory),
        )
        self._open_again()

    def _open_again(self) -> None:
        """So that queries find it open. What is in the way is told to the next delivery."""
        try:
            self._opened()
        except (YaatError, duckdb.Error) as error:
            self._log.warning("not reopened yet: %s", error)
            self._close()

    def _move_to_file(self, store: Store) -> None:
        self._tidied = time.monotonic()
        self._retention.by_age(store)
        self._unlogged = 0
        if store.wal_bytes():
            began = time.perf_counter()
            store.checkpoint()
            self._moving.observe(time.perf_counter() - began)
        self.settled = store.sequence
        if self._retention.by_size(store):
            store.checkpoint()

    # --- whose rows these are

    def _require_mine(self, store: Store) -> None:
        owner = store.owner
        if owner.queue_id is None:
            return
        if owner.agent_id != self._me.agent_id:
            raise self._foreign(f"agent {owner.agent_id.hex()}, this one is {self._me.agent_id.hex()}")
        if owner.sink != self._me.sink:
            raise self._foreign(f"`{owner.sink}`, this sink is `{self._me.sink}`")

    def _require_queue(self, store: Store, queue_id: bytes) -> None:
        if store.owner.queue_id != queue_id:
            bound = store.owner.queue_id
            raise self._foreign(f"queue {bound.hex() if bound else 'none'}, this one is {queue_id.hex()}")

    def _foreign(self, whose: str) -> StoreForeign:
        return StoreForeign(
            f"the database belongs to {whose}",
            where=str(self.path),
            cause="its rows and its position are those of another one; mixing them would lose or repeat events",
            effect="events wait in the queue",
            fix="choose another `path` for this sink, or move the file away (it can still be asked with `duckdb`)",
        )
