"""A worker for each sink: reads its lane, delivers, moves the cursor. What one sink does delays no other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np
import trio

from yaat_core.complaints import Complaints
from yaat_core.components import (
    Done,
    Held,
    Outcome,
    Partial,
    Pause,
    Position,
    Retry,
    Sink,
    SinkPosition,
    TransactionalSink,
)
from yaat_core.errors import StoreForeign
from yaat_core.event import EventBatch
from yaat_core.faults import reached
from yaat_core.health import HealthBoard
from yaat_core.pipeline.deadletter import DeadLetters, Replay
from yaat_core.pipeline.lane import Lane
from yaat_core.pipeline.pieces import Hole, Piece, Pieces
from yaat_core.pipeline.replays import Replays
from yaat_core.pipeline.start import Start
from yaat_core.stats import ComponentStats
from yaat_core.supervisor import Keeper, backoff
from yaat_core.taps import Taps

log = logging.getLogger("yaat.delivery")

#: Seconds between the beginnings of two deliveries while little waits (nothing waits when idle).
LINGER = 0.1
#: Seconds after which a delivery without an answer is told in health.
SLOW = 30.0
#: Seconds after which a paused sink is asked again.
RECHECK = 30.0
#: Seconds, at most, between attempts to write a dead letter.
BURYING = 5.0
#: Seconds that a sink has to close.
CLOSING = 5.0


@attrs.frozen(eq=False)
class _Open:
    """Pieces that the sink holds: their sequences, and when their events were read."""

    first: int
    last: int
    read_us: tuple[Any, ...] = ()


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
        complaints: Complaints,
        taps: Taps | None = None,
    ) -> None:
        self.lane = lane
        self.keeper = keeper
        self.sink: Sink | None = None
        self.progress = trio.current_time()
        self._make = make
        self._start = start
        self._dead_letters = dead_letters
        self._replays = Replays(lane, dead_letters, health)
        self._health = health
        self._stats = stats
        self._complaints = complaints
        self._taps = taps or Taps()
        self._attempts = 0
        self._open: _Open | None = None
        self._latency = stats.histogram(
            "yaat_delivery_latency_seconds", "From reading an event to its delivery."
        )
        self._delivered = stats.counter("yaat_events_delivered_total", "Events delivered.")
        self._dead = stats.counter("yaat_events_dead_total", "Events sent to the dead letters.")
        self._given = stats.counter("yaat_sink_events_total", "Events given to a sink, repetitions counted.")
        self._bytes = stats.counter("yaat_sink_bytes_total", "Bytes of memory of the events given to a sink.")
        self._retries = stats.counter("yaat_delivery_retries_total", "Deliveries that have to be repeated.")

    @property
    def delivers(self) -> bool:
        """Does something wait that the sink takes?"""
        takes_letters = bool(self.lane.cursor.replaying) and not self._replays.failing
        return self.keeper.state == "ok" and (bool(self.lane.waiting) or takes_letters)

    async def run(self) -> None:
        """One life of the sink: open, agree on the position, deliver until cancelled or failed."""
        sink = self._make()
        try:
            await sink.open()
            await self._agree(sink)
            await self._replays.begin()
            self.sink = sink
            self.lane.settled = sink.settled()
            self.lane.ready = True
            self.keeper.works()
            pieces = Pieces(self.lane, sink)
            with self._complaints.hear(self.lane.name, sink):
                while True:
                    await self._deliver_next(sink, pieces)
        finally:
            self.sink = None
            self._release()
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
        await self._replays.agree(position)
        if has > self.lane.cursor.done:
            await self._catch_up(has, position.refused if position else None)
        elif self.lane.cursor.rewind(has) != self.lane.cursor:
            log.warning("%s has only what is up to %d: delivering the rest again", self.lane.name, has)
            await self._dead_letters.rewind(self.lane, has, kept_from=state.deleted_upto + 1)
        await self.lane.measure()

    async def _catch_up(self, has: int, refused: tuple[int, int] | None) -> None:
        """What the sink has is delivered. A piece of which it refused rows is sent once more, as it was: the sink gives the
        same answer, and nobody knows whether the dead letter was written."""
        done = self.lane.cursor.done
        if refused is None or refused[1] <= done:
            await self.lane.settle(done + 1, has, "delivered")
            return
        first, last = max(refused[0], done + 1), refused[1]
        await self.lane.settle(done + 1, first - 1, "delivered")
        await self.lane.announce(first, last)

    async def _deliver_next(self, sink: Sink, pieces: Pieces) -> None:
        while not self.lane.waiting and not self._replays.ready:
            await self._idle(sink)
        began = trio.current_time()
        if self._open is None and self._replays.ready:
            await self._send_again(sink)
        if not self.lane.waiting:
            return
        piece = await pieces.next(self._open.last if self._open else None)
        if isinstance(piece, Hole):
            await self._hole(piece.first, piece.last)
            return
        position = piece.position
        if sink.stable_batches and self.lane.cursor.inflight != (position.first, position.last):
            await self.lane.announce(position.first, position.last)
        await self._send(sink, pieces, piece)
        self.lane.settled = sink.settled()
        if self._open is None and self.lane.waiting < sink.batch_rows:
            await trio.sleep_until(began + LINGER)

    async def _idle(self, sink: Sink) -> None:
        """Nothing waits: look now and then what the sink has settled meanwhile."""
        news = self.lane.news()
        with trio.move_on_after(1.0) as quiet:
            await news
        if quiet.cancelled_caught:
            await sink.idle()
        self.lane.settled = sink.settled()

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

    async def _send(self, sink: Sink, pieces: Pieces, piece: Piece) -> None:
        batch, position = piece.batch, piece.position
        first = self._open.first if self._open else position.first
        self.lane.busy = (first, position.last)
        outcome = await self._asked(sink, pieces, piece)
        read_us = np.array(batch.column("received_at").cast("int64"))
        now_open = _Open(first, position.last, (*(self._open.read_us if self._open else ()), read_us))
        if isinstance(outcome, Held):
            self._hold(now_open, position)
            return
        try:
            if isinstance(outcome, Done | Partial):
                await self._delivered_all(now_open, batch, position, outcome)
            else:
                pieces.forget()
        finally:
            self._release()
        if isinstance(outcome, Retry):
            await self._retry(outcome)
        elif isinstance(outcome, Pause):
            await self._pause(outcome)

    async def _asked(self, sink: Sink, pieces: Pieces, piece: Piece) -> Outcome:
        """The sink's answer; meanwhile the next piece is read."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pieces.look_ahead, piece.position)
            return await self._answer(sink, piece.batch, piece.position)

    async def _answer(self, sink: Sink, batch: EventBatch, position: Position) -> Outcome:
        slow = trio.CancelScope()
        self._taps.show(self.lane.name, batch)
        self._given.add(len(batch))
        self._bytes.add(batch.nbytes)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._tell_when_slow, slow)
                outcome = await sink.deliver(batch, position)
                slow.cancel()
        finally:
            self._health.clear(self.lane.name, "slow")
        return outcome

    async def _send_again(self, sink: Sink) -> None:
        """Deliver the next dead letter that waits for it. An exception restarts the sink, and the letter waits longer."""
        replay = await self._replays.next(sink)
        if replay is None:
            return
        self.lane.replaying = replay.head.id
        try:
            outcome = await self._answer(sink, replay.batch, replay.position)
            if isinstance(outcome, Held):
                raise TypeError("the sink holds a dead letter, which nothing follows")
            if isinstance(outcome, Retry | Pause):
                self._replays.refused(replay, outcome)
                return
            reached("replay.answered")
            await self._settle_again(replay, outcome)
        finally:
            self.lane.replaying = ""

    async def _settle_again(self, replay: Replay, outcome: Done | Partial) -> None:
        dead = len(outcome.dead) if isinstance(outcome, Partial) else 0
        if isinstance(outcome, Partial) and dead:
            await self._bury(replay.batch, replay.position, outcome, replay.sequences)
        with trio.CancelScope(shield=True):
            count = await self._replays.answered(replay, dead)
        self.progress = trio.current_time()
        self._delivered.add(count)
        self._dead.add(dead)

    def _hold(self, held: _Open, position: Position) -> None:
        if not position.waiting:
            raise RuntimeError("the sink holds a piece that nothing follows")
        self._open = held
        self.progress = trio.current_time()

    def _release(self) -> None:
        """The sink holds nothing (any more)."""
        self._open = self.lane.busy = None

    async def _delivered_all(
        self, pieces: _Open, batch: EventBatch, position: Position, outcome: Done | Partial
    ) -> None:
        """All the pieces are delivered, but for dead rows of the last one, ``batch`` at ``position``."""
        dead = len(outcome.dead) if isinstance(outcome, Partial) else 0
        if isinstance(outcome, Partial) and dead:
            await self._bury(batch, position, outcome)
        # What is delivered is noted even when the agent stops in this moment: a repetition less.
        with trio.CancelScope(shield=True):
            count = await self.lane.settle(pieces.first, pieces.last, "delivered", dead=dead)
        self._attempts = 0
        self.progress = trio.current_time()
        self.keeper.works()
        self._delivered.add(count - dead)
        self._dead.add(dead)
        now = time.time()
        self._stats.gauge("yaat_delivery_last_timestamp_seconds", "When something was delivered last.").set(
            now
        )
        for read_us in pieces.read_us:
            self._latency.observe_all(np.maximum(now - read_us / 1e6, 0.0))

    async def _bury(
        self, batch: EventBatch, position: Position, partial: Partial, sequences: Sequence[int] | None = None
    ) -> None:
        """Write the dead letter, however long that takes: to deliver the batch again would not make room for it."""
        attempt = 0
        while True:
            try:
                with trio.CancelScope(shield=True):
                    await trio.to_thread.run_sync(
                        self._dead_letters.write, batch, position, partial, sequences
                    )
            except OSError as error:
                attempt += 1
                why = f"dead letters can't be written: {error.strerror or error}"
                self.keeper.turn("retrying", why)
                self._health.set(
                    self.lane.name,
                    why,
                    advice=f"make room for {self._dead_letters.folder}, or mend its permissions; it goes on by itself",
                    topic="dead",
                )
                await trio.sleep(backoff(attempt, longest=BURYING))
            else:
                self._health.clear(self.lane.name, "dead")
                return

    async def _retry(self, retry: Retry) -> None:
        self._attempts += 1
        self._retries.add()
        self.keeper.turn("retrying", retry.why)
        wait = backoff(self._attempts) if retry.after is None else retry.after
        self._health.set(
            self.lane.name,
            f"delivery fails: {retry.why}",
            advice="what waits is kept; it is tried again by itself",
            level="warn" if self._attempts < 3 and wait < SLOW else "error",
        )
        await trio.sleep(wait)

    async def _pause(self, pause: Pause) -> None:
        self.keeper.turn("paused", pause.why)
        self._health.set(self.lane.name, f"delivery is paused: {pause.why}", advice=pause.advice)
        await trio.sleep(RECHECK)

    async def _tell_when_slow(self, answered: trio.CancelScope) -> None:
        with answered:
            await trio.sleep(SLOW)
            self._health.set(
                self.lane.name,
                f"has not answered for {SLOW:.0f} s",
                advice="other sinks go on; see what the sink waits for",
                topic="slow",
            )
