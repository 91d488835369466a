"""A worker for each sink: reads its lane, delivers, moves the cursor. What one sink does delays no other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

import numpy as np
import trio

from yaat_core.components import (
    Checkpoints,
    Done,
    Partial,
    Pause,
    Position,
    Record,
    Retry,
    Sink,
    SinkPosition,
    TransactionalSink,
)
from yaat_core.errors import StoreForeign
from yaat_core.event import EventBatch
from yaat_core.health import HealthBoard
from yaat_core.pipeline.deadletter import DeadLetters
from yaat_core.pipeline.lane import Lane
from yaat_core.pipeline.start import Start
from yaat_core.stats import ComponentStats
from yaat_core.supervisor import Keeper, backoff

log = logging.getLogger("yaat.delivery")

#: Seconds between the beginnings of two deliveries while little waits (nothing waits when idle).
LINGER = 0.1
#: Seconds after which a delivery without an answer is told in health.
SLOW = 30.0
#: Seconds after which a paused sink is asked again.
RECHECK = 30.0
#: Seconds that a sink has to close.
CLOSING = 5.0


class SinkWorker:
    """Delivers one lane to one sink, made anew after each failure."""

    def __init__(
        self,
        lane: Lane,
        make: Callable[[], Sink],
        start: Start,
        dead_letters: DeadLetters,
        keeper: Keeper,
        health: HealthBoard,
        stats: ComponentStats,
    ) -> None:
        self.lane = lane
        self.keeper = keeper
        self.sink: Sink | None = None
        self.progress = trio.current_time()
        self._make = make
        self._start = start
        self._dead_letters = dead_letters
        self._health = health
        self._stats = stats
        self._attempts = 0
        self._latency = stats.histogram(
            "yaat_delivery_latency_seconds", "From reading an event to its delivery."
        )
        self._delivered = stats.counter("yaat_events_delivered_total", "Events delivered.")
        self._dead = stats.counter("yaat_events_dead_total", "Events sent to the dead letters.")
        self._retries = stats.counter("yaat_delivery_retries_total", "Deliveries that have to be repeated.")

    async def run(self) -> None:
        """One life of the sink: open, agree on the position, deliver until cancelled or failed."""
        sink = self._make()
        try:
            await sink.open()
            await self._agree(sink)
            self.sink = sink
            self.lane.settled = sink.settled()
            self.lane.ready = True
            self.keeper.works()
            while True:
                await self._deliver_next(sink)
        finally:
            self.sink = None
            with trio.CancelScope(shield=True, deadline=trio.current_time() + CLOSING):
                await sink.aclose()

    async def _agree(self, sink: Sink) -> None:
        if not isinstance(sink, TransactionalSink):
            await self._start.decided.wait()
            return
        queue_id = self.lane.door.queue.state().queue_id
        try:
            position = await sink.position()
        except StoreForeign:
            self._start.refused(self.lane.name)
            raise
        await self._start.answer(self.lane.name, position)
        queue_id = self.lane.door.queue.state().queue_id
        await sink.bind(queue_id)
        await self._reconcile(position)

    async def _reconcile(self, position: SinkPosition | None) -> None:
        """Make the cursor agree with what the sink has stored."""
        has = position.sequence if position else 0
        state = await self.lane.door.state()
        self.lane.grown(state)
        if has > self.lane.cursor.done:
            await self.lane.settle(self.lane.cursor.done + 1, has, "delivered")
        elif (behind := self.lane.cursor.rewind(has)) != self.lane.cursor:
            log.warning("%s has only what is up to %d: delivering the rest again", self.lane.name, has)
            await self.lane.store(behind)
        await self.lane.measure()

    async def _deliver_next(self, sink: Sink) -> None:
        while not self.lane.waiting:
            await self._idle(sink)
        began = trio.current_time()
        piece = await self._next_piece(sink)
        if piece is None:
            return
        batch, position = piece
        if sink.stable_batches and self.lane.cursor.inflight != (position.first, position.last):
            await self.lane.announce(position.first, position.last)
        await self._send(sink, batch, position)
        self.lane.settled = sink.settled()
        if self.lane.waiting < sink.batch_rows:
            await trio.sleep_until(began + LINGER)

    async def _idle(self, sink: Sink) -> None:
        """Nothing waits: look now and then what the sink has settled meanwhile."""
        news = self.lane.news()
        with trio.move_on_after(1.0) as quiet:
            await news
        if quiet.cancelled_caught:
            await sink.idle()
        self.lane.settled = sink.settled()

    async def _next_piece(self, sink: Sink) -> tuple[EventBatch, Position] | None:
        """What to deliver now; None when it was a hole, which is counted as lost."""
        tail = self.lane.tail
        first, end = self.lane.cursor.next_piece()
        inflight = self.lane.cursor.inflight if sink.stable_batches else None
        rows = sink.batch_rows
        if inflight is not None and inflight[1] >= first:
            end = inflight[1] if end is None else min(end, inflight[1])
            rows = end - first + 1
        records = await self.lane.door.read(first - 1, max_rows=rows, max_bytes=sink.batch_bytes)
        if not records or records[0].first > first:
            await self._hole(first, min(records[0].first - 1 if records else tail, end or tail))
            return None
        return await trio.to_thread.run_sync(self._join, records, end, rows)

    def _join(
        self, records: Sequence[Record], end: int | None, rows: int
    ) -> tuple[EventBatch, Position] | None:
        """Consecutive records as one delivery, cut at ``end`` and at the sink's number of rows."""
        first = records[0].first
        limit = first + rows - 1 if end is None else min(end, first + rows - 1)
        batches: list[EventBatch] = []
        checkpoints: dict[str, Checkpoints] = {}
        last = first - 1
        for record in records:
            if record.first != last + 1 or last >= limit:
                break
            room = limit - last
            batches.append(record.batch.slice(0, room) if len(record.batch) > room else record.batch)
            last += len(batches[-1])
            if last == record.last:
                for component, written in record.checkpoints.items():
                    checkpoints[component] = {**checkpoints.get(component, {}), **written}
        position = Position(
            queue_id=self.lane.door.queue.state().queue_id,
            sink=self.lane.name,
            first=first,
            last=last,
            checkpoints=checkpoints,
        )
        return EventBatch.concat(batches), position

    async def _hole(self, first: int, last: int) -> None:
        count = await self.lane.settle(first, last, "lost")
        log.error("%s: %d events (%d to %d) are not in the queue: lost", self.lane.name, count, first, last)
        self._health.set(
            self.lane.name,
            f"{self.lane.cursor.lost} events were lost before they reached this sink",
            advice="`yaat queue verify` and the folder quarantine/ show what was damaged",
            level="warn",
            topic="lost",
        )

    async def _send(self, sink: Sink, batch: EventBatch, position: Position) -> None:
        self.lane.busy = (position.first, position.last)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._tell_when_slow)
                outcome = await sink.deliver(batch, position)
                nursery.cancel_scope.cancel()
        finally:
            self.lane.busy = None
            self._health.clear(self.lane.name, "slow")
        if isinstance(outcome, Done):
            await self._delivered_all(batch, position, Partial(()))
        elif isinstance(outcome, Partial):
            await self._delivered_all(batch, position, outcome)
        elif isinstance(outcome, Retry):
            await self._retry(outcome)
        else:
            await self._pause(outcome)

    async def _delivered_all(self, batch: EventBatch, position: Position, partial: Partial) -> None:
        # What is delivered is noted even when the agent stops in this moment: a repetition less.
        with trio.CancelScope(shield=True):
            if partial.dead:
                await trio.to_thread.run_sync(self._dead_letters.write, batch, position, partial)
            count = await self.lane.settle(position.first, position.last, "delivered", dead=len(partial.dead))
        self._attempts = 0
        self.progress = trio.current_time()
        self.keeper.works()
        self._delivered.add(count - len(partial.dead))
        self._dead.add(len(partial.dead))
        if len(batch):
            read_at = np.asarray(batch.column("received_at").cast("int64"))
            self._latency.observe_all(np.maximum(time.time() - read_at / 1e6, 0.0))

    async def _retry(self, retry: Retry) -> None:
        self._attempts += 1
        self._retries.add()
        self.keeper.turn("retrying", retry.why)
        self._health.set(
            self.lane.name,
            f"delivery fails: {retry.why}",
            advice="what waits is kept; it is tried again by itself",
            level="warn" if self._attempts < 3 else "error",
        )
        await trio.sleep(backoff(self._attempts) if retry.after is None else retry.after)

    async def _pause(self, pause: Pause) -> None:
        self.keeper.turn("paused", pause.why)
        self._health.set(self.lane.name, f"delivery is paused: {pause.why}", advice=pause.advice)
        await trio.sleep(RECHECK)

    async def _tell_when_slow(self) -> None:
        await trio.sleep(SLOW)
        self._health.set(
            self.lane.name,
            f"has not answered for {SLOW:.0f} s",
            advice="other sinks go on; see what the sink waits for",
            topic="slow",
        )
