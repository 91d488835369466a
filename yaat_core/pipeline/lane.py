"""A sink's lane in the queue: its cursor, its bounds, and how much waits in it."""

from __future__ import annotations

import attrs
import trio

from yaat_core.clock import ages
from yaat_core.components import Appended, QueueState
from yaat_core.config.model import Bounds
from yaat_core.cursor import Cursor, Fate
from yaat_core.pipeline.door import QueueDoor


@attrs.define(eq=False, kw_only=True)
class Lane:
    """Every change of the cursor goes through here, so that memory and queue agree."""

    name: str
    """``sinks.NAME``."""
    bounds: Bounds
    door: QueueDoor
    cursor: Cursor
    tail: int
    total_bytes: int
    passed_bytes: int = 0
    """`RecordInfo.total_bytes` up to the cursor."""
    busy: tuple[int, int] | None = None
    """What is being delivered at this moment: nobody else may settle it."""
    replaying: str = ""
    """Id of the dead letter that is being delivered again at this moment: nobody else may settle it."""
    given_up: int = 0
    """Up to here the user's policy dropped what was left."""
    settled: int | None = None
    """What the sink says is safe without the queue; None: all that is done."""
    ready: bool = False
    """The sink's own position is known and the cursor agrees with it."""
    _skipped: list[tuple[int, int]] = attrs.field(factory=list)
    """(last sequence, bytes) of what `drop_newest` kept from this lane and the cursor has not passed."""
    _news: trio.Event = attrs.field(factory=trio.Event)

    @property
    def waiting(self) -> int:
        """Events that wait in the queue."""
        return self.cursor.unsettled(self.tail)

    @property
    def queued(self) -> int:
        """Events that wait, with those of dead letters that are to be delivered again."""
        return self.cursor.queued(self.tail)

    @property
    def backlog_bytes(self) -> int:
        """Stored bytes of what waits."""
        if not self.waiting:
            return 0
        return max(0, self.total_bytes - self.passed_bytes - sum(size for _, size in self._skipped))

    @property
    def full(self) -> bool:
        """What waits has reached the bound."""
        return self.backlog_bytes >= self.bounds.max_bytes

    @property
    def open_from(self) -> int:
        """The sequence after which nothing is settled or being delivered."""
        start = max(self.cursor.done, self.busy[1] if self.busy else 0)
        for first, last in self.cursor.ranges:
            if first <= start + 1:
                start = max(start, last)
        return start

    @property
    def safe(self) -> int:
        """The queue may forget everything up to here, as far as this sink goes."""
        done = self.cursor.done
        if not self.ready:
            return self.given_up
        if self.settled is None or self.settled >= self.cursor.reached:
            return done
        return max(self.given_up, min(done, self.settled))

    def grown(self, state: QueueState) -> None:
        """The queue took something. An older state than one that is known, come late, changes nothing."""
        if state.tail >= self.tail:
            self.tail, self.total_bytes = state.tail, state.total_bytes
        self.wake()

    def wake(self) -> None:
        """There is something to deliver."""
        self._news.set()
        self._news = trio.Event()

    async def news(self) -> None:
        """Returns when there is more to deliver."""
        await self._news.wait()

    async def skip(self, appended: Appended, size: int) -> None:
        """`drop_newest`: these, of so many stored bytes, will not be delivered."""
        self._skipped.append((appended.last, size))
        await self.settle(appended.first, appended.last, "dropped")

    async def give_up(self, first: int, last: int) -> None:
        """`drop_oldest`, or too old: these will not be delivered any more."""
        await self.settle(first, last, "dropped")
        if self.cursor.done >= last:
            self.given_up = last

    async def settle(self, first: int, last: int, fate: Fate, *, dead: int = 0) -> int:
        """Events met their fate (``dead`` of the delivered ones did not); returns how many were open till now.

        Which are dead is synced: a sink that keeps what it refused forgets it with the next delivery.
        """
        before = getattr(self.cursor, fate)
        changed = self.cursor.settle(first, last, fate)
        count: int = getattr(changed, fate) - before
        if dead:
            changed = changed.reclassify(min(dead, count), fate, "dead")
        await self.store(changed, sync=bool(dead))
        await self.measure()
        return count

    async def announce(self, first: int, last: int) -> None:
        """This is what will be sent: a restart sends the same piece under the same `Position.batch_id`."""
        await self.store(attrs.evolve(self.cursor, inflight=(first, last)), sync=True)

    async def store(self, cursor: Cursor, *, sync: bool = False) -> None:
        """The cursor is this now, in memory and in the queue."""
        self.cursor = cursor
        await self.door.put_cursors({self.name: cursor}, sync=sync)

    async def age(self) -> float:
        """Seconds that the oldest of what waits has been in the queue; 0 when nothing waits."""
        oldest = await self.door.infos(self.cursor.done, limit=1) if self.waiting else ()
        return max(0.0, ages.now() - oldest[0].time_us / 1e6) if oldest else 0.0

    async def measure(self) -> None:
        """Look up how many bytes lie before the cursor."""
        self._skipped = [(last, size) for last, size in self._skipped if last > self.cursor.done]
        ahead = await self.door.infos(self.cursor.done, limit=1)
        self.passed_bytes = ahead[0].total_bytes - ahead[0].bytes if ahead else self.total_bytes
