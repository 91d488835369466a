"""The sink: the writer's work in worker threads, and a small thread that keeps house when nothing is delivered."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

import trio

from yaat_core.components import (
    Context,
    Finding,
    Outcome,
    Position,
    QueryRequest,
    SinkPosition,
    TransactionalSink,
)
from yaat_core.errors import StoreUnavailable
from yaat_core.event import EventBatch
from yaat_plugin_duckdb.config import DuckDBConfig

if TYPE_CHECKING:
    from pathlib import Path

    from yaat_plugin_duckdb.answers import Answer
    from yaat_plugin_duckdb.places import Places
    from yaat_plugin_duckdb.writer import Writer

#: Seconds between two looks whether there is something to tidy up.
_ROUND: Final = 1.0

T = TypeVar("T")


class DuckDBSink(TransactionalSink):
    """Events in a local DuckDB database, each exactly once."""

    batch_bytes: ClassVar[int] = 8 * 2**20
    takes_replays: ClassVar[bool] = True

    def __init__(self, config: DuckDBConfig, context: Context) -> None:
        self._config = config
        self._context = context
        self._path = context.path(config.path)
        self._writer: Writer | None = None
        self._round: threading.Thread | None = None
        self._ending = threading.Event()
        # A limiter of its own: deliveries wait for nobody else's threads, and come one at a time.
        self._limiter = trio.CapacityLimiter(1)

    @property
    def batch_rows(self) -> int:
        """As `Sink.batch_rows`."""
        return self._live.batch_rows

    async def open(self) -> None:
        """Open the database, or make it; damaged files are set aside."""
        from yaat_plugin_duckdb.writer import Writer

        self._writer = Writer(self._config, self._context)
        await self._in_thread(self._writer.start)
        self._round = threading.Thread(target=self._keep_house, name=f"{self._context.id} tidy", daemon=True)
        self._round.start()

    async def position(self) -> SinkPosition | None:
        """As `TransactionalSink.position`. Raises `StoreForeign` for another agent's or sink's database."""
        return await self._in_thread(self._live.position)

    async def bind(self, queue_id: bytes) -> None:
        """As `TransactionalSink.bind`."""
        await self._in_thread(lambda: self._live.bind(queue_id))

    async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
        """As `Sink.deliver`. A transaction that has begun ends before a cancellation is heard."""
        return await self._in_thread(lambda: self._live.deliver(batch, position))

    def settled(self) -> int | None:
        """What the last CHECKPOINT covers."""
        return self._writer.settled if self._writer else 0

    def ask(self, request: QueryRequest) -> Answer:
        """Answer SQL on the running instance, which may have to be waited for. In a worker thread.

        Raises:
            QueryRefused, QueryFailed, StoreUnavailable: as `Answers.ask`.
        """
        return self._live.answers.ask(self._live.cursor, request)

    async def check(self) -> Sequence[Finding]:
        """Can the file be written, and is there room? Looks only; the database may be in use."""
        return await self._in_thread(self._findings)

    def problems(self) -> Sequence[Finding]:
        """Files that are damaged or missing, a disk that is full, CHECKPOINTs that fail."""
        return self._writer.problems() if self._writer else ()

    async def aclose(self) -> None:
        """Move everything into the file, and close. Safe twice."""
        self._ending.set()
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        with trio.CancelScope(shield=True):
            await self._in_thread(lambda: self._end(writer))

    @property
    def _live(self) -> Writer:
        if self._writer is None:
            raise StoreUnavailable("the sink is not open", where=str(self._path))
        return self._writer

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(work, limiter=self._limiter)

    def _end(self, writer: Writer) -> None:
        if self._round is not None:
            self._round.join()
        writer.stop()

    def _keep_house(self) -> None:
        writer = self._live
        while not self._ending.wait(_ROUND):
            writer.tidy()

    def _findings(self) -> list[Finding]:
        from yaat_plugin_duckdb.places import Places
        from yaat_plugin_duckdb.problems import damaged, room

        places = Places(self._path)
        folder = self._path.parent
        while not folder.exists():
            folder = folder.parent
        found = []
        if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
            found.append(
                Finding(
                    problem=f"can't write into {folder}", advice="give the agent's user write access to it"
                )
            )
        if self._path.exists() and not (self._path.is_file() and os.access(self._path, os.R_OK | os.W_OK)):
            found.append(
                Finding(
                    problem=f"{self._path} is no file that can be written", advice="choose another `path`"
                )
            )
        short = room(places)
        return [*found, *([short] if short else self._room(places, folder)), *filter(None, [damaged(places)])]

    def _room(self, places: Places, folder: Path) -> list[Finding]:
        """Is there space for all that `max_bytes` allows?"""
        free = shutil.disk_usage(folder).free
        has = sum(partition.bytes() for partition in places.present())
        missing = self._config.max_bytes - has - free
        if missing <= 0:
            return []
        return [
            Finding(
                problem=f"the disk has {free / 2**30:.1f} GiB free, the database may grow by "
                f"{(self._config.max_bytes - has) / 2**30:.1f} GiB",
                advice="make room, or lower `max_bytes`: it frees the oldest events before the disk is full",
                level="warn",
            )
        ]
