"""A small pipeline around a `MemoryQueue`: real lanes, workers, retention and writer; sources and sinks as each test wants."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import trio

from yaat_core.complaints import Complaints
from yaat_core.components import ComponentId, Done, LedgerEntry, Outcome, Position, QueueWrite, Sink
from yaat_core.config.model import Bounds, WhenFull
from yaat_core.config.options import Duration, Size
from yaat_core.cursor import Cursor
from yaat_core.event import Event, EventBatch
from yaat_core.health import HealthBoard
from yaat_core.pipeline.deadletter import DeadLetters
from yaat_core.pipeline.delivery import SinkWorker
from yaat_core.pipeline.door import QueueDoor
from yaat_core.pipeline.lane import Lane
from yaat_core.pipeline.retention import Retention
from yaat_core.pipeline.start import Start
from yaat_core.stats import ComponentStats, Stats
from yaat_core.supervisor import Keeper
from yaat_core.testing._memory_queue import MemoryQueue


class ListSink(Sink):
    """Remembers what it was given; ``answers`` are given before `Done`."""

    stable_batches = False

    def __init__(self) -> None:
        self.got: list[str] = []
        self.positions: list[Position] = []
        self.answers: list[Outcome | BaseException] = []

    async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
        self.positions.append(position)
        await trio.lowlevel.checkpoint()
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, BaseException):
                raise answer
            if not isinstance(answer, Done):
                return answer
        self.got += batch.column("message").to_pylist()
        return Done()


@attrs.define(eq=False, slots=False)
class Rig:
    """What a test holds on to."""

    folder: Path
    queue: MemoryQueue = attrs.field(factory=MemoryQueue)
    health: HealthBoard = attrs.field(factory=HealthBoard)
    stats: Stats = attrs.field(factory=Stats)
    lanes: dict[str, Lane] = attrs.field(factory=dict)
    workers: dict[str, SinkWorker] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.queue.open()
        self.door = QueueDoor(self.queue, self.health)
        self.retention = Retention(self.door, lambda: list(self.lanes.values()), self.health, self.stats)
        self.complaints = Complaints(self.health)
        self.dead_letters = DeadLetters(self.folder / "dead")
        self.start = Start(self.queue, intact=True, sinks=(), health=self.health)

    def lane(self, name: str, *, when_full: WhenFull = "block", max_bytes: int = 2**30) -> Lane:
        """A new lane from the beginning."""
        state = self.queue.state()
        bounds = Bounds(max_bytes=Size(max_bytes), retention=Duration(3600), when_full=when_full)
        lane = Lane(
            name=f"sinks.{name}",
            bounds=bounds,
            door=self.door,
            cursor=state.cursors.get(f"sinks.{name}") or Cursor.attach(0, 0),
            tail=state.tail,
            total_bytes=state.total_bytes,
        )
        self.queue.put_cursors({lane.name: lane.cursor})
        self.lanes[lane.name] = lane
        return lane

    def worker(self, lane: Lane, sink: Sink) -> SinkWorker:
        """A worker that delivers the lane to this very sink object."""
        id = ComponentId.parse(lane.name)
        worker = SinkWorker(
            lane,
            lambda: sink,
            self.start,
            self.dead_letters,
            Keeper(id, "test", self.health),
            self.health,
            ComponentStats(self.stats, lane.name),
            self.complaints,
        )
        self.workers[lane.name] = worker
        return worker

    async def write(
        self, messages: Sequence[str], *, drops: Sequence[LedgerEntry] = (), time_us: int | None = None
    ) -> None:
        """Accept events as the writer would."""
        batch = EventBatch.from_events([Event(message=text) for text in messages])
        read = len(batch) + sum(drop.count for drop in drops)
        appended, state = await self.door.append(
            QueueWrite(
                batch=batch,
                drops=drops,
                read=read,
                time_us=time.time_ns() // 1_000 if time_us is None else time_us,
            )
        )
        await self.retention.after_append(appended, state)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """All workers at work."""
        async with trio.open_nursery() as nursery:
            await self.start.decide()
            for worker in self.workers.values():
                nursery.start_soon(worker.keeper.keep, worker.run)
            yield
            nursery.cancel_scope.cancel()

    async def until_empty(self, lane: Lane) -> None:
        """Waits until nothing waits for the lane's sink, dead letters that are delivered again included."""
        await self.until(
            lambda: not lane.queued and self.queue.state().cursors[lane.name] == lane.cursor,
            f"{lane.name} still has events to deliver",
        )

    async def until(self, condition: Callable[[], bool], what: str = "") -> None:
        """Waits. A clock that jumps does not wait for threads, so this one's is real."""
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, what
            await trio.sleep(0.05)
