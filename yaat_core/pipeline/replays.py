"""The dead letters of one sink that wait to be delivered again: which one is next, and what becomes of each.

They go between the pieces of the lane, one at a time. A letter that is not taken now waits on its own: the lane goes on.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Final

import msgspec
import trio

from yaat_core.components import Pause, Position, Retry, Sink, SinkPosition, TransactionalSink
from yaat_core.deadletters import Head, rows, told
from yaat_core.health import HealthBoard
from yaat_core.pipeline.deadletter import DeadLetters, Replay
from yaat_core.pipeline.lane import Lane
from yaat_core.supervisor import backoff

log = logging.getLogger("yaat.dead")

#: Seconds before a paused sink is asked again.
_RECHECK: Final = 30.0
_TOPIC: Final = "replay"


class Replays:
    """Of one lane, for as long as the agent lives."""

    def __init__(self, lane: Lane, dead_letters: DeadLetters, health: HealthBoard) -> None:
        self._lane = lane
        self._dead_letters = dead_letters
        self._health = health
        self._ahead: deque[Head] = deque()
        self._due = 0.0
        self._failures = 0
        self._sending: Head | None = None
        self.failing = False
        """The last one was not taken."""

    @property
    def ready(self) -> bool:
        """Is there one to deliver at this moment?"""
        return self._lane.cursor.replaying > 0 and trio.current_time() >= self._due

    async def begin(self) -> None:
        """Make sure that files and cursor agree."""
        self._ahead.clear()
        if self._sending is not None:
            self.failing = True
            self._tell_waits(self._sending, "the sink failed over it")
        try:
            await self._compare()
        except OSError as error:
            self._unreadable(error)

    async def agree(self, position: SinkPosition | None) -> None:
        """A transactional sink says what it has stored: what it has lost of earlier letters is lost."""
        cursor, has = self._lane.cursor, position.replayed if position else 0
        missing = cursor.replayed - has
        if missing > 0:
            changed = cursor.lose_replayed(missing)
            await self._lane.store(changed, sync=True)
            self._tell_lost(changed.lost - cursor.lost, "its database does not have them any more")

    async def next(self, sink: Sink) -> Replay | None:
        """The letter that is to be delivered now. What stands in the way of it is told."""
        self._failures += 1
        self._due = trio.current_time() + backoff(self._failures)  # until it is answered
        try:
            if isinstance(sink, TransactionalSink) and not sink.takes_replays:
                await self._not_here()
                return None
            return await self._next()
        except OSError as error:
            self._unreadable(error)
            return None

    async def answered(self, replay: Replay, dead: int) -> int:
        """It was delivered, but for so many events, whose letter is written; how many were."""
        self._works()
        return await self._dead_letters.answered(self._lane, replay, dead)

    def refused(self, replay: Replay, answer: Retry | Pause) -> None:
        """It was not taken now, and waits."""
        self.failing, self._sending = True, None
        self._ahead.appendleft(replay.head)
        if isinstance(answer, Pause):
            self._due = trio.current_time() + _RECHECK
        elif answer.after is not None:
            self._due = trio.current_time() + answer.after
        self._tell_waits(replay.head, answer.why, answer.advice if isinstance(answer, Pause) else "")

    async def _next(self) -> Replay | None:
        while True:
            if not self._ahead:
                self._ahead.extend(await self._dead_letters.waiting(self._lane))
            if not self._ahead:
                await self._compare()
                self._works()
                return None
            head = self._ahead.popleft()
            try:
                batch, sequences = await trio.to_thread.run_sync(rows, head)
            except FileNotFoundError:
                continue  # purged meanwhile, or delivered
            except msgspec.MsgspecError as error:
                await self._damaged(head, told(error))
                continue
            self._sending = head
            return Replay(head, batch, sequences, self._position(head, sequences[0], len(batch)))

    def _position(self, head: Head, first: int, count: int) -> Position:
        return Position(
            queue_id=self._lane.door.queue.state().queue_id,
            sink=self._lane.name,
            first=first,
            last=first + count - 1,
            replay=head.id,
        )

    def _works(self) -> None:
        self._failures, self._due, self.failing, self._sending = 0, 0.0, False, None
        self._health.clear(self._lane.name, _TOPIC)

    def _tell_waits(self, head: Head, why: str, advice: str = "") -> None:
        self._health.set(
            self._lane.name,
            f"the dead letter {head.id} can't be delivered again yet: {why}",
            advice=advice or "it waits, and is tried again by itself",
            level="warn",
            topic=_TOPIC,
        )

    def _unreadable(self, error: OSError) -> None:
        self.failing = True
        self._health.set(
            self._lane.name,
            f"dead letters can't be delivered again: {error}",
            advice="mend what the message names; it goes on by itself",
            topic=_TOPIC,
        )

    async def _compare(self) -> None:
        missing = await self._dead_letters.compare(self._lane)
        if missing:
            self._tell_lost(missing, "their files are not there any more")

    async def _damaged(self, head: Head, why: str) -> None:
        count = await self._dead_letters.put_back_damaged(self._lane, head)
        log.error("%s: the dead letter %s %s: not delivered again", self._lane.name, head.id, why)
        self._health.set(
            self._lane.name,
            f"the dead letter {head.id} {why}: its {count} events stay dead",
            advice=f"see {head.path.parent}; `yaat dead purge --id {head.id}` takes it away",
            level="warn",
            topic="damaged-letter",
        )

    async def _not_here(self) -> None:
        count = await self._dead_letters.put_back(self._lane)
        self._health.set(
            self._lane.name,
            f"this type of sink can't take dead letters again: the {count} events stay dead",
            advice="`yaat dead show` has them whole",
            level="warn",
            topic="damaged-letter",
        )

    def _tell_lost(self, count: int, why: str) -> None:
        log.error("%s: %d events of dead letters are lost: %s", self._lane.name, count, why)
        self._health.set(
            self._lane.name,
            f"{self._lane.cursor.lost} events were lost before they reached this sink",
            advice=f"{count} of them were in dead letters: {why}",
            level="warn",
            topic="lost",
        )
