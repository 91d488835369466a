"""From the intake into the queue: processors in one thread, then group commit.

Tasks of their own, so that one batch is processed while the one before it is being synced. Nothing lingers: what has come
while a write was in progress becomes the next write.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeVar

import attrs
import trio

from yaat_core.components import Appended, Checkpoints, LedgerEntry, QueueState, QueueWrite
from yaat_core.event import EventBatch
from yaat_core.pipeline.chain import Chain, Step
from yaat_core.pipeline.door import QueueDoor
from yaat_core.pipeline.intake import Intake, Pending
from yaat_core.pipeline.making import Made, Makers
from yaat_core.stats import Stats
from yaat_core.taps import QUEUE, Taps

log = logging.getLogger("yaat.pipeline")
T = TypeVar("T")

#: Rows of one trip to the processing thread, and of one queue write.
MAX_ROWS = 16_384
#: Batches below this many rows pass the processors together with others of their source that have the same labels:
#: what a call costs whatever the number of rows would otherwise be most of it.
FEW_ROWS = 1_024
#: Seconds between two times that processors are asked for events of their own.
ASK_EVERY = 1.0

Gate = Callable[[], Awaitable[None]]
Written = Callable[[Appended, QueueState], Awaitable[None]]


@attrs.frozen(eq=False)
class Processed:
    """A batch that is ready for the queue: of ``count`` events that ``component`` handed over, with their checkpoints."""

    component: str
    count: int
    batch: EventBatch
    drops: list[LedgerEntry]
    settle: Callable[[], None]
    """To be called when it is durable."""
    checkpoints: Checkpoints = attrs.field(factory=dict)
    bytes: int = 0
    """Of memory, as they were handed over."""


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
        taps: Taps | None = None,
    ) -> None:
        self._intake = intake
        self._wanted = self._chains = chains
        self._door = door
        self._gate = gate
        self._written = written
        self._stats = stats
        self._taps = taps or Taps()
        self._makers = Makers(chains)
        self._left: list[Made] = []
        self._one_thread = trio.CapacityLimiter(1)
        self._ready, self._processed = trio.open_memory_channel[list[Processed]](0)

    async def run(self) -> None:
        """Until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._process)
            nursery.start_soon(self._append)
            nursery.start_soon(self._ask)

    def chain(self, source: str) -> Chain | None:
        """What a source's batches go through now."""
        return self._chains.get(source)

    async def rewire(self, chains: Mapping[str, Chain]) -> None:
        """Other chains, from the next batch on.

        A processor that is in none of them any more says what it has left, and is closed. A source that has none any more
        keeps its old one for what is still on its way.
        """
        self._wanted = chains
        await self._change()

    async def finish(self) -> None:
        """Nothing more comes: what processors have to say of their own is durable when this returns. `run` goes on."""
        await self._make(final=True)

    async def _process(self) -> None:
        while True:
            taken = await self._intake.take(MAX_ROWS)
            done = await self._thread(partial(self._through_chains, taken))
            await self._ready.send(done)

    def _through_chains(self, taken: list[Pending]) -> list[Processed]:
        done = []
        for group in _alike(taken):
            source, sent = group[0].source, EventBatch.concat([one.batch for one in group])
            chain = self._chains[source]
            batch, drops = chain.run(sent, self._taps.trail(source, chain))
            checkpoints = {key: value for one in group for key, value in one.checkpoints.items()}
            settle = partial(self._settle, group)
            done.append(Processed(source, len(sent), batch, drops, settle, checkpoints, sent.nbytes))
        return done

    def _settle(self, group: list[Pending]) -> None:
        for one in group:
            self._intake.settle(one)

    async def _ask(self) -> None:
        while True:
            await trio.sleep(ASK_EVERY)
            if any(source not in self._wanted and not self._intake.holds(source) for source in self._chains):
                await self._change()
            await self._make(final=False)

    async def _make(self, *, final: bool) -> None:
        if self._makers:
            made = await self._thread(partial(self._makers.made, final=final))
            self._left += made
        if self._left:
            made, self._left, durable = self._left, [], trio.Event()
            await self._ready.send(
                [Processed(one.component, one.count, one.batch, one.drops, durable.set) for one in made]
            )
            await durable.wait()

    async def _change(self) -> None:
        """In the thread of the chains, so between two batches. What is left to say waits for `_make`: it is kept through a
        cancellation."""
        left = await self._thread(self._swap)
        self._left += left

    def _swap(self) -> list[Made]:
        kept = {
            source: chain
            for source, chain in self._chains.items()
            if source not in self._wanted and self._intake.holds(source)
        }
        chains = {**kept, **self._wanted}
        staying = _steps(chains)
        leaving = {key: step for key, step in _steps(self._chains).items() if key not in staying}
        made = self._makers.made(final=True, of=leaving)
        self._chains, self._makers = chains, Makers(chains)
        for step in leaving.values():
            _close(step)
        return made

    async def _thread(self, work: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(work, limiter=self._one_thread)

    async def _append(self) -> None:
        async for done in self._processed:
            await self._gate()
            write = _write(done)
            appended, state = await self._door.append(write)
            self._taps.show(QUEUE, write.batch, appended.last)
            for one in done:
                self._count(one)
                one.settle()
            await self._written(appended, state)

    def _count(self, one: Processed) -> None:
        self._stats.counter(
            "yaat_events_read_total",
            "Events that sources handed over, and that processors made.",
            component=one.component,
        ).add(one.count)
        self._stats.counter(
            "yaat_source_bytes_total",
            "Bytes of memory of the events that a source handed over.",
            component=one.component,
        ).add(one.bytes)
        self._stats.counter(
            "yaat_events_accepted_total", "Events that the queue took.", component=one.component
        ).add(len(one.batch))
        for drop in one.drops:
            self._stats.counter(
                "yaat_events_dropped_total",
                "Events dropped, by reason.",
                component=drop.component,
                reason=drop.reason,
                rule=drop.rule,
            ).add(drop.count)


def _steps(chains: Mapping[str, Chain]) -> dict[int, Step]:
    """Every processor in them, once."""
    return {id(step): step for chain in chains.values() for step in chain.all_steps()}


def _close(step: Step) -> None:
    try:
        step.processor.close()
    except Exception:
        log.exception("%s could not be closed", step.id)


def _alike(taken: list[Pending]) -> list[list[Pending]]:
    """Small batches that may pass the processors as one, in order; every other one alone."""
    groups: list[list[Pending]] = []
    for one in taken:
        if groups and _goes_with(one, groups[-1][-1]):
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _goes_with(one: Pending, before: Pending) -> bool:
    small = max(len(one.batch), len(before.batch)) < FEW_ROWS
    return small and one.source == before.source and one.batch.labels == before.batch.labels


def _write(done: list[Processed]) -> QueueWrite:
    checkpoints: dict[str, dict[bytes, bytes | None]] = {}
    for one in done:
        if one.checkpoints:
            checkpoints.setdefault(one.component, {}).update(one.checkpoints)
    merged: Mapping[str, Checkpoints] = checkpoints
    return QueueWrite(
        batch=EventBatch.concat([one.batch for one in done if len(one.batch)]),
        checkpoints=merged,
        drops=[drop for one in done for drop in one.drops],
        read=sum(one.count for one in done),
        time_us=time.time_ns() // 1_000,
    )
