"""The bounded room before the queue: what sources have sent and the queue does not hold yet."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence

import attrs
import trio

from yaat_core.components import Checkpoints, Neighbour
from yaat_core.event import EventBatch
from yaat_core.faults import reached

#: Bytes of Arrow memory that may wait between the sources and the queue.
ROOM_BYTES = 8 * 2**20


class Budget:
    """Bytes that may be held at once; waiters are served in order, so that no source starves another."""

    def __init__(self, size: int = ROOM_BYTES) -> None:
        self.size = size
        self.held = 0
        self._waiting: deque[tuple[int, trio.Event]] = deque()

    async def take(self, amount: int) -> None:
        """Waits for room. One that is larger than the whole room passes when it is empty."""
        await trio.lowlevel.checkpoint()
        if not self._waiting and self._fits(amount):
            self.held += amount
            return
        turn = trio.Event()
        entry = (amount, turn)
        self._waiting.append(entry)
        try:
            await turn.wait()
        except BaseException:
            if turn.is_set():
                self.give(amount)
            else:
                self._waiting.remove(entry)
                self._serve()
            raise

    def give(self, amount: int) -> None:
        """Room is free again."""
        self.held -= amount
        self._serve()

    def _fits(self, amount: int) -> bool:
        return self.held == 0 or self.held + amount <= self.size

    def _serve(self) -> None:
        while self._waiting and self._fits(self._waiting[0][0]):
            amount, turn = self._waiting.popleft()
            self.held += amount
            turn.set()


@attrs.frozen(eq=False)
class Ticket:
    """The receipt of one batch."""

    done: trio.Event = attrs.field(factory=trio.Event)

    async def durable(self) -> None:
        """Returns after the synced queue write."""
        await self.done.wait()


@attrs.frozen(eq=False, kw_only=True)
class Pending:
    """One sent batch on its way."""

    source: str
    batch: EventBatch
    checkpoints: Checkpoints
    bytes: int
    ticket: Ticket


class Intake:
    """Takes batches from all sources and hands them on in order."""

    def __init__(self) -> None:
        self.budget = Budget()
        self._in_flight: Counter[str] = Counter()
        self._pending: deque[Pending] = deque()
        self._arrival = trio.Event()
        self._settled = trio.lowlevel.ParkingLot()

    async def put(self, source: str, batch: EventBatch, checkpoints: Checkpoints) -> Ticket:
        """Waits for room, then takes the batch as a whole."""
        size = batch.nbytes + 256
        await self.budget.take(size)
        pending = Pending(source=source, batch=batch, checkpoints=checkpoints, bytes=size, ticket=Ticket())
        self._pending.append(pending)
        self._in_flight[source] += 1
        self._arrival.set()
        return pending.ticket

    async def take(self, max_rows: int) -> list[Pending]:
        """What waits, at least one batch, up to about ``max_rows``."""
        while not self._pending:
            self._arrival = trio.Event()
            await self._arrival.wait()
        taken = [self._pending.popleft()]
        rows = len(taken[0].batch)
        while self._pending and rows + len(self._pending[0].batch) <= max_rows:
            taken.append(self._pending.popleft())
            rows += len(taken[-1].batch)
        return taken

    def settle(self, pending: Pending) -> None:
        """The batch is durable: free its room and tell its source."""
        pending.ticket.done.set()
        self.budget.give(pending.bytes)
        self._in_flight[pending.source] -= 1
        if not self._in_flight[pending.source]:
            del self._in_flight[pending.source]
        self._settled.unpark_all()

    def holds(self, source: str) -> bool:
        """Is something of this source on its way?"""
        return bool(self._in_flight[source])

    async def drained(self, source: str | None = None) -> None:
        """Returns when everything taken, from one source or from all, is durable."""
        while self._in_flight[source] if source else self._in_flight.total():
            await self._settled.park()


@attrs.frozen(eq=False)
class SourceOutlet:
    """`Outlet` of one source."""

    intake: Intake
    source: str
    resumed: Mapping[bytes, bytes]
    beside: Sequence[Neighbour] = ()

    def checkpoints(self) -> Mapping[bytes, bytes]:
        """As `Outlet.checkpoints`."""
        return self.resumed

    def neighbours(self) -> Sequence[Neighbour]:
        """As `Outlet.neighbours`."""
        return self.beside

    async def send(self, batch: EventBatch, checkpoints: Checkpoints | None = None) -> Ticket:
        """As `Outlet.send`."""
        reached("source.read")
        return await self.intake.put(self.source, batch, checkpoints or {})
