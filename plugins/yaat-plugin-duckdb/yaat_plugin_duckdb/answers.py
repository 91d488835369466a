"""Queries that run: each is bounded in rows and seconds, and can be stopped from any thread.

They run on cursors of the writer's own instance, since DuckDB lets no second process open the file. When the writer
has to close that instance it stops them first.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import duckdb
import pyarrow as pa

from yaat_core.components import QueryRequest
from yaat_core.errors import QueryFailed, QueryTimeout, StoreUnavailable, YaatError
from yaat_plugin_duckdb.complaints import as_failure
from yaat_plugin_duckdb.diagnosis import is_damage
from yaat_plugin_duckdb.hints import hints
from yaat_plugin_duckdb.memory import Memory
from yaat_plugin_duckdb.sandbox import checked
from yaat_plugin_duckdb.scope import narrow

_BATCH_ROWS: Final = 8_192
#: Seconds to wait for a query that was interrupted, and between two interrupts.
_STOPPING: Final = 10.0
_NUDGE: Final = 0.05
#: Seconds that a query waits for an instance that is being opened, or closed and opened again.
PATIENCE: Final = 5.0


class Answer:
    """A `QueryAnswer`: Arrow batches as DuckDB makes them. One thread at a time; `stop` from any."""

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, request: QueryRequest, ended: Callable[[Answer], None]
    ) -> None:
        self.truncated = False
        self.met_damage = False
        """DuckDB found the content of a file wrong."""
        self._cursor = cursor
        self._request = request
        self._ended = ended
        self._reader: Any = None
        self._busy = threading.Lock()
        self._closed = False
        self._verdict: YaatError | None = None
        self._timer = threading.Timer(request.seconds, self._time_out)
        self._timer.daemon = True

    def begin(self) -> None:
        """Check the SQL and start it; time counts from here.

        Raises:
            QueryRefused, QueryFailed: the sandbox or the database says no. The answer is closed.
        """
        self._timer.start()
        if self._request.begins is not None:
            self._request.begins(self)
        try:
            self._guarded(self._execute)
        except BaseException:
            self.close()
            raise

    @property
    def schema(self) -> Any:
        """The Arrow schema of the answer."""
        return self._reader.schema

    def __iter__(self) -> Iterator[Any]:
        left = self._request.rows
        while (batch := self._guarded(self._next)) is not None:
            if batch.num_rows > left:
                self.truncated = True
                if left:
                    yield batch.slice(0, left)
                return
            left -= batch.num_rows
            if batch.num_rows:
                yield batch

    def close(self) -> None:
        """Stop the query and free its cursor. Safe twice."""
        self.stop(QueryFailed("the query was closed"))

    def interrupt(self) -> None:
        """Nobody wants the rest: end soon. From any thread, and without waiting."""
        self._verdict = self._verdict or QueryFailed("the query was stopped")
        with contextlib.suppress(duckdb.Error):  # closed meanwhile
            self._cursor.interrupt()

    def stop(self, verdict: YaatError) -> bool:
        """End the query, from any thread; who iterates gets ``verdict``. False: it did not react in time."""
        self._timer.cancel()
        self._verdict = self._verdict or verdict
        for _ in range(int(_STOPPING / _NUDGE)):
            if self._closed:
                return True
            self._cursor.interrupt()
            if self._busy.acquire(timeout=_NUDGE):
                try:
                    self._free()
                finally:
                    self._busy.release()
        return self._closed

    def _execute(self) -> None:
        scope = self._request.scope
        query = checked(self._cursor, self._request.sql, scoped=scope is not None)
        if scope is not None:
            narrow(self._cursor, scope, hints(self._cursor, query.tree) if query.tree else ())
        self._cursor.execute("BEGIN TRANSACTION READ ONLY")
        self._reader = self._cursor.sql(query.sql).to_arrow_reader(_BATCH_ROWS)

    def _next(self) -> Any:
        try:
            return self._reader.read_next_batch()
        except StopIteration:
            return None

    def _guarded(self, step: Callable[[], Any]) -> Any:
        """One step of the query, with errors as the user reads them."""
        with self._busy:
            if self._verdict is not None:
                raise self._verdict
            try:
                return step()
            except (duckdb.Error, pa.ArrowException, OSError) as error:
                self.met_damage = self.met_damage or is_damage(error)
                raise self._verdict or as_failure(error) from error

    def _time_out(self) -> None:
        self.stop(
            QueryTimeout(
                f"the query did not end within {self._request.seconds:g} s",
                fix="ask for less (a shorter time, fewer columns), or allow more with --timeout",
            )
        )

    def _free(self) -> None:
        if not self._closed:
            self._reader = None
            self._cursor.close()
            # Not before: who waits for the end of this query closes the instance next.
            self._closed = True
            self._ended(self)


class Answers:
    """The queries that run on one instance, and the gate that keeps new ones waiting while it is closed."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._gate = threading.Condition()
        self._running: set[Answer] = set()
        self._open = False
        self._over = False
        self._suspicion = False

    def ask(self, make_cursor: Callable[[], duckdb.DuckDBPyConnection], request: QueryRequest) -> Answer:
        """Begin a query.

        Raises:
            QueryRefused, QueryFailed: the sandbox or the database says no.
            StoreUnavailable: the instance is closed, and was not opened within `PATIENCE` seconds.
        """
        with self._gate:
            self._gate.wait_for(lambda: self._open or self._over, PATIENCE)
            if not self._open:
                raise not_open()
            answer = Answer(make_cursor(), request, self._ended)
            self._running.add(answer)
        self._memory.query_begins()
        answer.begin()
        return answer

    @property
    def running(self) -> int:
        """How many queries hold a cursor."""
        return len(self._running)

    def take_suspicion(self) -> bool:
        """Has a query met damage since this was asked last?"""
        with self._gate:
            found, self._suspicion = self._suspicion, False
        return found

    def admit(self) -> None:
        """The instance is open: queries may begin."""
        with self._gate:
            self._open = True
            self._gate.notify_all()

    def pause(self) -> bool:
        """Let no query begin until `admit`, if none runs now."""
        with self._gate:
            if not self._running:
                self._open = False
            return not self._open

    def stop(self, why: str) -> None:
        """The instance is about to be closed: end every query, and let none begin."""
        with self._gate:
            self._open = False
            running = list(self._running)
        for answer in running:
            answer.stop(QueryFailed(why, fix="ask again in a moment"))

    def end(self, why: str) -> None:
        """As `stop`, for good: nobody waits for another opening."""
        with self._gate:
            self._over = True
            self._gate.notify_all()
        self.stop(why)

    def _ended(self, answer: Answer) -> None:
        with self._gate:
            ended = answer in self._running
            self._running.discard(answer)
            self._suspicion = self._suspicion or answer.met_damage
        if ended:
            self._memory.query_ends()


def not_open() -> StoreUnavailable:
    """What a query hears that waited in vain."""
    return StoreUnavailable(
        "the database is not open",
        cause="the sink is starting or stopping, or can't open its files",
        fix="ask again in a moment; `yaat status` says what is wrong",
    )
