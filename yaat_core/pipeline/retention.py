"""What may wait for whom: the policies `block`, `drop_oldest`, `drop_newest`, age, and what the queue may forget."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import trio

from yaat_core.clock import TRUSTED_AFTER, ages
from yaat_core.components import Appended, QueueState, RecordInfo
from yaat_core.health import HealthBoard
from yaat_core.pipeline.door import QueueDoor
from yaat_core.pipeline.lane import Lane
from yaat_core.stats import Stats

log = logging.getLogger("yaat.retention")

#: Seconds between looks.
EVERY = 1.0
#: Seconds that a sink has at start to say where it stands, before its lane is held to its bounds.
PATIENCE = 60.0
#: Records looked at in one step.
STEP = 512


class Retention:
    """Keeps every lane within its bounds, and the queue as short as the lanes allow."""

    def __init__(
        self, door: QueueDoor, lanes: Callable[[], Sequence[Lane]], health: HealthBoard, stats: Stats
    ) -> None:
        self._door = door
        self._lanes = lanes
        self._health = health
        self._stats = stats
        self._started = trio.current_time()
        self._deleted = 0
        self._kept = 0

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.tick()
            await trio.sleep(EVERY)

    async def tick(self) -> None:
        """One look at every lane."""
        self._look_at_clock()
        for lane in self._lanes():
            if lane.ready or trio.current_time() - self._started > PATIENCE:
                await self._expire(lane)
                await self._shrink(lane)
        await self.forget()

    async def room(self) -> None:
        """Returns when no `block` lane is full. Only these hold the sources up."""
        while full := [lane for lane in self._lanes() if lane.bounds.when_full == "block" and lane.full]:
            for lane in full:
                self._health.set(
                    lane.name,
                    f"its queue bound of {lane.bounds.max_bytes} is full, so the sources wait",
                    advice="see why the sink is slow, raise queue.max_bytes, or set when_full: drop_oldest",
                    topic="full",
                )
            await trio.sleep(0.2)
        for lane in self._lanes():
            self._health.clear(lane.name, "full")

    async def after_append(self, appended: Appended, state: QueueState) -> None:
        """New events: lanes that are full and drop the newest never see them."""
        for lane in self._lanes():
            was_full = lane.bounds.when_full == "drop_newest" and lane.full
            size = state.total_bytes - lane.total_bytes
            lane.grown(state)
            if was_full and appended.last >= appended.first:
                await lane.skip(appended, size)
                self._tell(lane, appended.last - appended.first + 1, "full")

    async def forget(self) -> None:
        """Delete what every lane is done with."""
        if self._kept or not self._lanes():
            return
        floor = min(lane.safe for lane in self._lanes())
        if floor > self._deleted:
            await self._door.delete_upto(floor)
            self._deleted = floor

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Nothing more is deleted while the block lasts; a deletion that was asked for before is done first."""
        self._kept += 1
        try:
            yield
        finally:
            self._kept -= 1

    def _look_at_clock(self) -> None:
        if not (ahead := ages.ahead()):
            self._health.clear("agent", "clock")
            return
        self._health.set(
            "agent",
            f"the machine's clock was set {ahead / 3600:.1f} h forward: nothing is removed for its age by the new time yet",
            advice=f"set it right; the new time counts after {TRUSTED_AFTER / 3600:.0f} h, or from the next start on",
            level="warn",
            topic="clock",
        )

    async def _expire(self, lane: Lane) -> None:
        if lane.bounds.retention is None:
            return
        horizon = ages.now_us() - int(lane.bounds.retention * 1e6)
        while records := await self._droppable(lane):
            old = [record for record in records if record.time_us < horizon]
            if not old:
                return
            await self._give_up(lane, old, "age")

    async def _shrink(self, lane: Lane) -> None:
        if lane.bounds.when_full != "drop_oldest":
            return
        while records := await self._droppable(lane):
            start = records[0].total_bytes - records[0].bytes
            excess = lane.total_bytes - start - lane.bounds.max_bytes
            if excess <= 0:
                return
            over = [record for record in records if record.total_bytes - record.bytes - start < excess]
            await self._give_up(lane, over, "size")

    async def _droppable(self, lane: Lane) -> Sequence[RecordInfo]:
        """The oldest records that wait and are not being delivered."""
        if not lane.waiting:
            return ()
        return await self._door.infos(lane.open_from, limit=STEP)

    async def _give_up(self, lane: Lane, records: Sequence[RecordInfo], reason: str) -> None:
        start, waited = lane.open_from + 1, lane.waiting
        await lane.give_up(start, records[-1].last)
        self._tell(lane, waited - lane.waiting, reason)

    def _tell(self, lane: Lane, count: int, reason: str) -> None:
        log.warning("%s: %d events dropped by its bound on %s", lane.name, count, reason)
        self._stats.counter(
            "yaat_sink_dropped_total",
            "Events a sink did not get, by reason.",
            component=lane.name,
            reason=reason,
        ).add(count)
