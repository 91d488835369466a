"""The one writer of a database: delivers exactly once, through errors that leave open whether a COMMIT was durable.

Synchronous and safe for threads: deliveries and housekeeping take turns under one lock. After any error of DuckDB the
store is abandoned (see `holder`): the stored position says what is in. A query that took all the memory meets its end
the same way, and the transaction is tried again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import duckdb
import numpy as np
import pyarrow as pa

from yaat_core.components import (
    Context,
    Done,
    Finding,
    Held,
    Outcome,
    Partial,
    Position,
    Retry,
    SinkPosition,
)
from yaat_core.errors import StateInUse, StoreForeign, StoreUnavailable
from yaat_core.event import EventBatch
from yaat_plugin_duckdb.answers import not_open
from yaat_plugin_duckdb.complaints import first_line
from yaat_plugin_duckdb.config import DuckDBConfig
from yaat_plugin_duckdb.diagnosis import unavailable
from yaat_plugin_duckdb.engine import ROW_GROUP
from yaat_plugin_duckdb.holder import Holder
from yaat_plugin_duckdb.ledger import Owner
from yaat_plugin_duckdb.store import ROW_ERRORS, Store
from yaat_plugin_duckdb.upkeep import Upkeep

#: Times that a transaction is tried, each time on a newly opened store, before the core is asked to wait.
_ATTEMPTS: Final = 3
#: Rows of one delivery: two are a row group.
_PIECE: Final = ROW_GROUP // 2

T = TypeVar("T")


class Writer:
    """Owns the store of a sink from `start` to `stop`."""

    def __init__(self, config: DuckDBConfig, context: Context) -> None:
        self.holder = Holder(config, context)
        self.upkeep = Upkeep(config, context, self.holder)
        self.places = self.holder.places
        self.answers = self.holder.answers
        self._me = self.holder.me
        self._log = context.log
        self._lock = threading.Lock()
        self._holding = False
        self._alone_upto = 0

    @property
    def settled(self) -> int:
        """As `Holder.settled`."""
        return self.holder.settled

    def problems(self) -> Sequence[Finding]:
        """What is wrong while it goes on. Any thread."""
        return self.holder.problems.now()

    def start(self) -> None:
        """Open the database. Raises as `open_store` does."""
        with self._lock:
            store = self.holder.opened()
            if self.settled == store.sequence:
                self.upkeep.is_tidy()

    def stop(self) -> None:
        """Move everything into the file, and close. Safe twice."""
        with self._lock:
            self.answers.end("the agent stopped while the query ran")
            store = self.holder.store
            if store is None:
                return
            try:
                store.discard()
                if self.upkeep.ours:
                    self.upkeep.move_to_file(store)
            except (duckdb.Error, OSError) as error:
                self._log.warning("no checkpoint at the end, the log keeps the rows: %s", first_line(error))
            self.holder.close()

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
            self.upkeep.ours = True

        self._on_store(bound)

    def deliver(self, batch: EventBatch, position: Position) -> Outcome:
        """Store what of the batch is not stored yet.

        Raises:
            StoreForeign: the position is of another queue.
            StoreDamaged: damaged files had to be set aside, so that the database is behind: start over.
        """
        if len(batch) != position.last - position.first + 1:
            raise ValueError(f"{len(batch)} rows for the sequences {position.first} to {position.last}")
        if position.replay:
            return self._delivered_again(batch, position)
        with self._lock:
            outcome = self._delivered(batch, position)
            self._holding = isinstance(outcome, Held)
            self.upkeep.tidy()
        return outcome

    @property
    def batch_rows(self) -> int:
        """How many rows the next delivery should bring: so that transactions end where row groups do."""
        store = self.holder.store
        return min(_PIECE, ROW_GROUP - ((store and store.open_rows) or 0))

    def tidy(self) -> None:
        """CHECKPOINT and remove old rows, when it is time."""
        with self._lock:
            self.upkeep.tidy()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection to the same instance, for a query."""
        store = self.holder.store
        if store is None:
            raise not_open()
        return store.cursor()

    # --- delivering, within the lock

    def _delivered(self, batch: EventBatch, position: Position) -> Outcome:
        if self._holding and (self.holder.store is None or self.holder.store.open_rows is None):
            return Retry(after=0.0, why="the database was reopened in the middle of a transaction")
        if self._holding or self._may_hold(batch, position):
            return self._together(batch, position)
        return self._alone(batch, position)

    def _may_hold(self, batch: EventBatch, position: Position) -> bool:
        """Does so much wait that rows are worth a transaction of a whole row group?"""
        store = self.holder.store
        alone_upto = max(self._alone_upto, store.refused.last) if store else position.last
        return position.first > alone_upto and len(batch) + position.waiting >= ROW_GROUP

    def _together(self, batch: EventBatch, position: Position) -> Outcome:
        """One of several pieces of a transaction. After an error every piece comes again, and is stored alone."""
        try:
            store = self.holder.opened()
            self.upkeep.make_way(store, position)
            self._put(store, batch, position, [])
            self.upkeep.took(batch.nbytes)
            rows = store.open_rows or 0
            if 0 < rows < ROW_GROUP and rows + position.waiting >= ROW_GROUP:
                return Held()
            self._commit(store)
        except (duckdb.Error, OSError) as error:
            self._alone_upto = max(self._alone_upto, position.last)
            return Retry(after=0.0, why=self.holder.abandon(error))
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
                store = self.holder.opened()
                if position.replay and position.replay == (known := store.replays()).id:
                    dead = self._refused(batch) if known.events < len(batch) else []
                    return Partial(dead) if dead else Done()
                self.upkeep.make_way(store, position)
                if not position.replay:
                    known_dead = store.refused.within(position.first, position.last)
                    dead = sorted((known_dead | dict(dead)).items())
                self._put(store, batch, position, dead)
                self._commit(store)
            except (duckdb.Error, OSError) as error:
                rows_at_fault = isinstance(error, ROW_ERRORS)
                why = self.holder.abandon(error)
            except (StoreUnavailable, StateInUse) as error:
                return Retry(why=f"{error.what}: {error.cause}")
            else:
                return Partial(dead) if dead else Done()
        return Retry(why=why)

    def _delivered_again(self, batch: EventBatch, position: Position) -> Outcome:
        """A dead letter: in one transaction with its id, and in the file itself before that is said, since the letter goes."""
        with self._lock:
            outcome = self._alone(batch, position)
            store = self.holder.store
            if isinstance(outcome, Retry) or store is None:
                return outcome
            if store.current.wal_bytes() and not self.upkeep.move_now(store):
                return Retry(
                    after=1.0, why="a query is in the way of the checkpoint that a dead letter needs"
                )
            return outcome

    def _put(self, store: Store, batch: EventBatch, position: Position, dead: list[tuple[int, str]]) -> None:
        """Store what of the batch is not stored yet, and is no dead row."""
        self._require_queue(store, position.queue_id)
        if position.replay:
            store.put_again(
                batch.filter(pa.array(~np.isin(np.arange(len(batch)), [row for row, _ in dead]))), position
            )
            return
        sequences = np.arange(position.first, position.last + 1)
        wanted = sequences > store.reached
        if not wanted.any() and (store.reached > position.last or not position.checkpoints):
            return
        wanted[[row for row, _ in dead]] = False
        if not wanted.all():
            batch = batch.filter(pa.array(wanted))
        store.put(batch, sequences[wanted], position, dead)

    def _commit(self, store: Store) -> None:
        if store.open_rows is None:
            return
        store.commit()
        self.holder.committed()

    def _refused(self, batch: EventBatch) -> list[tuple[int, str]]:
        """The rows that DuckDB does not take, each with its reason."""
        pieces, found = [range(len(batch))], []
        while pieces:
            rows = pieces.pop()
            reason = self.holder.opened().refusal(batch.slice(rows.start, len(rows))) if rows else None
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
                return ask(self.holder.opened())
            except duckdb.Error as error:
                self.holder.abandon(error)
                raise unavailable(error, self.places.path) from error

    # --- whose rows these are

    def _require_mine(self, store: Store) -> None:
        owner = store.owner
        if owner.queue_id is None:
            return
        if owner.agent_id != self._me.agent_id:
            raise self._foreign(f"agent {owner.agent_id.hex()}, this one is {self._me.agent_id.hex()}")
        if owner.sink != self._me.sink:
            raise self._foreign(f"`{owner.sink}`, this sink is `{self._me.sink}`")
        for stranger in store.strangers():
            raise StoreForeign(
                "files of several databases lie together",
                where=str(stranger.partition.path),
                cause="this one belongs to another agent, sink or queue; nothing was touched",
                effect="events wait in the queue",
                fix="move this file away",
            )

    def _require_queue(self, store: Store, queue_id: bytes) -> None:
        if store.owner.queue_id != queue_id:
            bound = store.owner.queue_id
            raise self._foreign(f"queue {bound.hex() if bound else 'none'}, this one is {queue_id.hex()}")

    def _foreign(self, whose: str) -> StoreForeign:
        return StoreForeign(
            f"the database belongs to {whose}",
            where=str(self.places.path),
            cause="its rows and its position are those of another one; mixing them would lose or repeat events",
            effect="events wait in the queue",
            fix="choose another `path` for this sink, or move the file away (it can still be asked with `duckdb`)",
        )
