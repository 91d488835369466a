"""An outlet that keeps what a source sends, and lets a test decide when it may go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import trio

from yaat_core.components import Checkpoints, Neighbour, Receipt
from yaat_core.event import Event, EventBatch, events_of


@attrs.frozen
class Sent:
    """One `send`: the batch and the checkpoints that came with it."""

    batch: EventBatch
    checkpoints: Checkpoints


class RecordingOutlet:
    """An `Outlet` in memory.

    It takes ``room`` batches (None: all) and then makes the source wait, as backpressure does, until
    `make_room`. With ``synced=False`` no receipt is durable before `sync`. Cancelled while it waits,
    `send` has taken nothing.
    """

    def __init__(
        self,
        stored: Mapping[bytes, bytes] | None = None,
        *,
        room: int | None = None,
        synced: bool = True,
        neighbours: Sequence[Neighbour] = (),
    ) -> None:
        self.sent: list[Sent] = []
        self.waiting = 0
        """How many `send` wait for room now."""
        self._stored = dict(stored or {})
        self._neighbours = neighbours
        self._room = room
        self._durable = None if synced else 0
        self._changed = trio.Event()

    # --- what a source sees -------------------------------------------------------------------

    def checkpoints(self) -> Mapping[bytes, bytes]:
        """What it was given at first."""
        return dict(self._stored)

    def neighbours(self) -> Sequence[Neighbour]:
        """Those that it was made with."""
        return self._neighbours

    async def send(self, batch: EventBatch, checkpoints: Checkpoints | None = None) -> Receipt:
        """Take the batch when there is room."""
        await trio.lowlevel.checkpoint_if_cancelled()
        self.waiting += 1
        self._notify()
        try:
            await self._until(lambda: self._room is None or len(self.sent) < self._room)
        finally:
            self.waiting -= 1
        self.sent.append(Sent(batch, dict(checkpoints or {})))
        self._notify()
        return _Receipt(self, len(self.sent))

    # --- what a test does ---------------------------------------------------------------------

    def make_room(self, room: int | None = None) -> None:
        """Take this many batches from now on, None: all."""
        self._room = None if room is None else len(self.sent) + room
        self._notify()

    def sync(self) -> None:
        """What was sent up to now is durable."""
        self._durable = len(self.sent)
        self._notify()

    @property
    def rows(self) -> int:
        """Events taken."""
        return sum(len(one.batch) for one in self.sent)

    def events(self, sends: int | None = None) -> Sequence[Event]:
        """The events of the first ``sends`` batches (None: of all), in order."""
        return list(events_of(one.batch for one in self.sent[:sends]))

    def stored(self, sends: int | None = None) -> dict[bytes, bytes]:
        """The checkpoints as a queue would hold them after the first ``sends`` batches (None: after all)."""
        kept = dict(self._stored)
        for one in self.sent[:sends]:
            for key, value in one.checkpoints.items():
                if value is None:
                    kept.pop(key, None)
                else:
                    kept[key] = value
        return kept

    async def wait_rows(self, rows: int) -> None:
        """Until this many events were taken."""
        await self._until(lambda: self.rows >= rows)

    async def wait_change(self) -> None:
        """Until a `send` begins or is taken, or the test changes something."""
        await self._changed.wait()

    async def wait_blocked(self) -> None:
        """Until a `send` waits for room."""
        await self._until(
            lambda: self.waiting > 0 and self._room is not None and len(self.sent) >= self._room
        )

    async def wait_durable(self, sends: int) -> None:
        """Until the first ``sends`` batches are durable."""
        await self._until(lambda: self._durable is None or self._durable >= sends)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await self._changed.wait()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


@attrs.frozen
class _Receipt:
    outlet: RecordingOutlet
    sends: int

    async def durable(self) -> None:
        await self.outlet.wait_durable(self.sends)
