"""From the intake into the queue: processors in one thread, then group commit.

Two tasks, so that one batch is processed while the one before it is being synced. Nothing lingers: what has come
while a write was in progress becomes the next write.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

import attrs
import trio

from yaat_core.components import Appended, Checkpoints, LedgerEntry, QueueState, QueueWrite
from yaat_core.event import EventBatch
from yaat_core.pipeline.chain import Chain
from yaat_core.pipeline.door import QueueDoor
from yaat_core.pipeline.intake import Intake, Pending
from yaat_core.stats import Stats

#: Rows of one trip to the processing thread, and of one queue write.
MAX_ROWS = 16_384

Gate = Callable[[], Awaitable[None]]
Written = Callable[[Appended, QueueState], Awaitable[None]]


@attrs.frozen(eq=False)
class Processed:
    """A batch that is ready for the queue."""

    pending: Pending
    batch: EventBatch
    drops: list[LedgerEntry]


class QueueWriter:
    """Moves what sources send through their chains into the queue."""

    def __init__(
        self,
        intake: Intake,
        chains: Mapping[str, Chain],
        door: QueueDoor,
        stats: Stats,
        *,
        gate: Gate,
        written: Written,
    ) -> None:
        self._intake = intake
        self._chains = chains
        self._door = door
        self._gate = gate
        self._written = written
        self._stats = stats
        self._one_thread = trio.CapacityLimiter(1)

    async def run(self) -> None:
        """Until cancelled."""
        send, receive = trio.open_memory_channel[list[Processed]](0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._process, send)
            nursery.start_soon(self._append, receive)

    async def _process(self, send: trio.MemorySendChannel[list[Processed]]) -> None:
        while True:
            taken = await self._intake.take(MAX_ROWS)
            done = await trio.to_thread.run_sync(self._through_chains, taken, limiter=self._one_thread)
            await send.send(done)

    def _through_chains(self, taken: list[Pending]) -> list[Processed]:
        return [Processed(one, *self._chains[one.source].run(one.batch)) for one in taken]

    async def _append(self, receive: trio.MemoryReceiveChannel[list[Processed]]) -> None:
        async for done in receive:
            await self._gate()
            appended, state = await self._door.append(_write(done))
            for one in done:
                self._count(one)
                self._intake.settle(one.pending)
            await self._written(appended, state)

    def _count(self, one: Processed) -> None:
        source = one.pending.source
        self._stats.counter(
            "yaat_events_read_total", "Events that sources handed over.", component=source
        ).add(len(one.pending.batch))
        self._stats.counter(
            "yaat_events_accepted_total", "Events that the queue took.", component=source
        ).add(len(one.batch))
        for drop in one.drops:
            self._stats.counter(
                "yaat_events_dropped_total",
                "Events dropped, by reason.",
                component=drop.component,
                reason=drop.reason,
                rule=drop.rule,
            ).add(drop.count)


def _write(done: list[Processed]) -> QueueWrite:
    checkpoints: dict[str, dict[bytes, bytes | None]] = {}
    for one in done:
        if one.pending.checkpoints:
            checkpoints.setdefault(one.pending.source, {}).update(one.pending.checkpoints)
    merged: Mapping[str, Checkpoints] = checkpoints
    return QueueWrite(
        batch=EventBatch.concat([one.batch for one in done if len(one.batch)]),
        checkpoints=merged,
        drops=[drop for one in done for drop in one.drops],
        read=sum(len(one.pending.batch) for one in done),
        time_us=time.time_ns() // 1_000,
    )
