"""The queue behind one async door: calls go to worker threads, writes one at a time.

A write that failed leaves a queue that must be reopened before anything else (measured: LevelDB loses acknowledged
writes otherwise). Between two attempts the lock is free: on a full disk, sinks and deletions make the room that
the append waits for.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import attrs
import trio

from yaat_core.components import Appended, Queue, QueueState, QueueWrite, Record, RecordInfo
from yaat_core.cursor import Cursor
from yaat_core.errors import StoreUnavailable
from yaat_core.faults import reached
from yaat_core.health import HealthBoard

log = logging.getLogger("yaat.queue")
T = TypeVar("T")

#: Seconds between attempts on a queue that is not available.
AGAIN = 0.5


@attrs.frozen
class Failing:
    """Since when (trio's clock) the queue has refused something, and with what the last time."""

    since: float
    error: StoreUnavailable


class QueueDoor:
    """Async access to a `Queue`."""

    def __init__(self, queue: Queue, health: HealthBoard) -> None:
        self.queue = queue
        self.unavailable = False
        self._appending: Failing | None = None
        self._reopening: Failing | None = None
        self._health = health
        self._writing = trio.Lock()
        self._threads = trio.CapacityLimiter(8)

    @property
    def failing(self) -> Failing | None:
        """What goes wrong now, and for how long it has; None when all is well."""
        return self._appending or self._reopening

    async def append(self, write: QueueWrite) -> tuple[Appended, QueueState]:
        """Append, however long the disk is full; with the state right after it."""

        def once() -> tuple[Appended, QueueState]:
            reached("queue.append.before")
            appended = self.queue.append(write)
            reached("queue.append.after")
            return appended, self.queue.state()

        failed = False
        while True:
            async with self._writing:
                try:
                    landed = await self._thread(self.queue.recover) if failed else None
                    done = await self._thread(once) if landed is None else (landed, self.queue.state())
                except StoreUnavailable as error:
                    failed = True
                    self._refused(error)
                else:
                    self._works_again()
                    return done
            await trio.sleep(AGAIN)

    async def put_cursors(self, cursors: Mapping[str, Cursor | None], *, sync: bool = False) -> None:
        """Store cursors."""
        await self._write(lambda: self.queue.put_cursors(cursors, sync=sync))

    async def delete_upto(self, sequence: int) -> None:
        """Delete what nobody needs."""

        def delete() -> None:
            reached("queue.delete.before")
            self.queue.delete_upto(sequence)
            reached("queue.delete.after")

        await self._write(delete)

    async def change(self, change: Callable[[], T]) -> T:
        """Anything else that writes, alone."""
        return await self._write(change)

    async def read(self, after: int, *, max_rows: int, max_bytes: int) -> Sequence[Record]:
        """As `Queue.read`; waits while the queue is being reopened."""
        return await self._patiently(lambda: self.queue.read(after, max_rows=max_rows, max_bytes=max_bytes))

    async def infos(self, after: int, *, limit: int) -> Sequence[RecordInfo]:
        """As `Queue.infos`."""
        return await self._patiently(lambda: self.queue.infos(after, limit=limit))

    async def state(self) -> QueueState:
        """As `Queue.state`."""
        return await self._patiently(self.queue.state)

    async def call(self, ask: Callable[[], T]) -> T:
        """Anything else that only reads."""
        return await self._patiently(ask)

    async def _write(self, change: Callable[[], T]) -> T:
        while True:
            async with self._writing:
                try:
                    return await self._thread(change)
                except StoreUnavailable as error:
                    await self._reopen(error)
            await trio.sleep(AGAIN)

    async def _patiently(self, ask: Callable[[], T]) -> T:
        while True:
            try:
                return await self._thread(ask)
            except StoreUnavailable as error:
                async with self._writing:
                    await self._reopen(error)
            await trio.sleep(AGAIN)

    async def _reopen(self, error: StoreUnavailable) -> None:
        """One attempt; what became of a failed append is kept by the queue until it asks."""
        log.warning("queue: %s; reopening", error)
        try:
            await self._thread(self.queue.recover)
        except StoreUnavailable as still:
            log.warning("queue: %s", still)
            self._reopening = _longer(self._reopening, still)
        else:
            self._reopening = None

    def _refused(self, error: StoreUnavailable) -> None:
        if not self.unavailable:
            log.error("queue can't be written: %s; sources wait", error)
        self.unavailable = True
        self._appending = _longer(self._appending, error)
        self._health.set(
            "queue", f"storage_full: {error}", advice=error.fix or "free space; it goes on by itself"
        )

    def _works_again(self) -> None:
        if self.unavailable:
            log.warning("queue can be written again")
            self.unavailable = False
            self._appending = None
            self._health.clear("queue")

    async def _thread(self, call: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(call, limiter=self._threads)


def _longer(before: Failing | None, error: StoreUnavailable) -> Failing:
    return Failing(before.since if before else trio.current_time(), error)
