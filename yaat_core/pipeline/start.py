"""Where to go on: what the queue says, and what the transactional sinks know better.

After a power cut or a restored backup the two stores can disagree. A sink that is ahead makes the queue continue
behind it, with the sink's checkpoints where they are later; nothing is read, delivered or deleted before that.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import trio

from yaat_core.components import Queue, SinkPosition
from yaat_core.errors import StoreDamaged
from yaat_core.health import HealthBoard

log = logging.getLogger("yaat.start")

#: Seconds that an intact queue waits for the sinks to answer before it goes on without.
INTACT_WAIT = 5.0
#: Seconds that any other one waits before that is told.
TOLD_AFTER = 2.0


class Start:
    """Collects the sinks' answers, decides once, and lets everybody go."""

    def __init__(self, queue: Queue, *, intact: bool, sinks: Iterable[str], health: HealthBoard) -> None:
        self.decided = trio.Event()
        self._queue = queue
        self._intact = intact
        self._missing = set(sinks)
        self._answers: dict[str, SinkPosition] = {}
        self._complete = trio.Event()
        self._health = health
        if not self._missing:
            self._complete.set()

    async def answer(self, sink: str, position: SinkPosition | None) -> None:
        """A sink says what it has stored; returns when it may deliver.

        Raises:
            StoreDamaged: the answer came after the sources had started, and it is ahead of the queue.
        """
        if self.decided.is_set():
            self._check_late(position)
            return
        if position is not None:
            self._answers[sink] = position
        self._heard(sink)
        await self.decided.wait()

    @property
    def missing(self) -> frozenset[str]:
        """Sinks that have not answered."""
        return frozenset(self._missing)

    def refused(self, sink: str) -> None:
        """A sink says that its store is not ours: nothing to wait for."""
        self._heard(sink)

    def accept_loss(self) -> None:
        """Somebody decided to go on without the sinks that do not answer."""
        self._complete.set()

    async def decide(self) -> None:
        """Wait for the answers (an intact queue: for a while), adopt what is ahead, let everybody go."""
        with trio.move_on_after(INTACT_WAIT) if self._intact else trio.CancelScope():
            with trio.move_on_after(TOLD_AFTER):
                await self._complete.wait()
            if not self._intact and self._missing:
                self._wait_told()
            await self._complete.wait()
        self._health.clear("queue", "start")
        await trio.to_thread.run_sync(self._adopt)
        self.decided.set()

    def _heard(self, sink: str) -> None:
        self._missing.discard(sink)
        if not self._missing:
            self._complete.set()

    def _wait_told(self) -> None:
        self._health.set(
            "queue",
            f"the queue {'is new' if self._queue.fresh else 'was damaged or lost'}, so sources wait until "
            f"{', '.join(sorted(self._missing))} says what it already has",
            advice="mend the sink, or go on without it by `yaat queue accept-loss`",
            topic="start",
        )

    def _adopt(self) -> None:
        state = self._queue.state()
        for sink, position in sorted(self._answers.items()):
            if position.queue_id != state.queue_id and not self._queue.fresh:
                continue  # the sink refuses the queue by itself, in `bind`
            if position.sequence > state.tail or not self._intact:
                log.warning(
                    "queue ends at %d, %s has up to %d: going on behind both",
                    state.tail,
                    sink,
                    position.sequence,
                )
                self._queue.adopt(
                    queue_id=position.queue_id if position.queue_id != state.queue_id else None,
                    tail=position.sequence,
                    checkpoints=position.checkpoints,
                )
                state = self._queue.state()

    def _check_late(self, position: SinkPosition | None) -> None:
        state = self._queue.state()
        if position and position.queue_id == state.queue_id and position.sequence > state.tail:
            raise StoreDamaged(
                f"the database is ahead of the queue ({position.sequence} > {state.tail}), and the sources run already",
                fix="restart the agent: it then goes on behind the database",
            )
