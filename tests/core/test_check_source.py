"""The contract test of sources passes a sound one and finds what is wrong with others."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import attrs
import pytest
import trio

from yaat_core import ids
from yaat_core.components import Outlet, Receipt, Source
from yaat_core.event import Event, EventBatch
from yaat_core.testing import RecordingOutlet, check_source

ITEMS = [f"item {number}" for number in range(20)]
SETTLE, SECONDS = 0.05, 2.0


@attrs.define
class Shelf:
    """What sources read from: items that appear, and stay."""

    items: list[str] = attrs.field(factory=list)
    more: trio.Event = attrs.field(factory=trio.Event)

    async def feed(self) -> None:
        """All items."""
        self.items += ITEMS
        self.more.set()
        self.more = trio.Event()


@attrs.define
class Reading(Source):
    """Reads a shelf from its checkpoint on, three items a batch."""

    shelf: Shelf
    once: bool = False

    async def run(self, out: Outlet) -> None:
        """One after the other."""
        place, last = self.start(out), None
        while True:
            items = self.shelf.items[place : place + 3]
            if items:
                last = await self.hand_over(out, place, items)
                place += len(items)
            elif self.once:
                break
            else:
                await self.shelf.more.wait()
        if last is not None:
            await last.durable()

    def start(self, out: Outlet) -> int:
        """Where it goes on."""
        return int(out.checkpoints().get(b"place", b"0"))

    async def hand_over(self, out: Outlet, place: int, items: Sequence[str]) -> Receipt:
        """With the place behind them."""
        return await out.send(self.batch(place, items), {b"place": b"%d" % (place + len(items))})

    def batch(self, place: int, items: Sequence[str]) -> EventBatch:
        """Events with identities made from the place."""
        positions = list(range(place, place + len(items)))
        made = ids.positional(1, b"agent", "sources.shelf", b"0", positions)
        return EventBatch.build(len(items), {"message": items_column(items), "event_id": made})


def items_column(items: Sequence[str]) -> object:
    return EventBatch.from_events([Event(message=item) for item in items]).column("message")


class Losing(Reading):
    """Begins a place too late after a restart."""

    def start(self, out: Outlet) -> int:
        place = super().start(out)
        return place + 1 if place else 0


class Forgetful(Reading):
    """Ignores its checkpoints."""

    def start(self, out: Outlet) -> int:
        return 0


class Early(Reading):
    """Moves the checkpoint before the events are handed over."""

    async def hand_over(self, out: Outlet, place: int, items: Sequence[str]) -> Receipt:
        await out.send(EventBatch.empty(), {b"place": b"%d" % (place + len(items))})
        return await out.send(self.batch(place, items))


class Unstable(Reading):
    """New identities each time."""

    def batch(self, place: int, items: Sequence[str]) -> EventBatch:
        return EventBatch.from_events([Event(message=item, event_id=uuid.uuid4()) for item in items])


class Twin(Reading):
    """One identity for all."""

    def batch(self, place: int, items: Sequence[str]) -> EventBatch:
        one = uuid.UUID(int=1)
        return EventBatch.from_events([Event(message=item, event_id=one) for item in items])


class Shedding(Reading):
    """Drops what it can't hand over at once."""

    async def hand_over(self, out: Outlet, place: int, items: Sequence[str]) -> Receipt:
        with trio.move_on_after(0.01):
            return await super().hand_over(out, place, items)
        return await out.send(EventBatch.empty())


class Hasty(Reading):
    """With ``once`` it does not wait until all is durable."""

    async def hand_over(self, out: Outlet, place: int, items: Sequence[str]) -> Receipt:
        await super().hand_over(out, place, items)
        return Immediate()


class Immediate:
    """A receipt that promises too much."""

    async def durable(self) -> None:
        """At once."""


class Dreaming(Reading):
    """Sends what nobody fed."""

    async def run(self, out: Outlet) -> None:
        await out.send(EventBatch.from_events([Event(message="dream")]))
        await super().run(out)


async def check(kind: type[Reading]) -> None:
    shelf = Shelf()
    await check_source(
        lambda: kind(shelf),
        shelf.feed,
        ITEMS,
        make_once=lambda: kind(shelf, once=True),
        settle=SETTLE,
        seconds=SECONDS,
    )


async def test_a_sound_source_passes() -> None:
    await check(Reading)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (Losing, "more events must come"),
        (Forgetful, "resumed from its own checkpoints it sent again"),
        (Early, "more events must come|items did not come"),
        (Unstable, "another event_id"),
        (Twin, "the same event_id"),
        (Shedding, "events must come"),
        (Hasty, "before its events were durable"),
        (Dreaming, "nothing was fed"),
    ],
)
async def test_what_is_wrong_is_told(kind: type[Reading], told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        await check(kind)


class Listening(Source):
    """Gets what is sent while it runs, as a socket does; ``sheds`` when it can't hand over."""

    def __init__(self, mouth: Mouth) -> None:
        self.mouth = mouth

    async def run(self, out: Outlet) -> None:
        """Item by item."""
        sender, receiver = trio.open_memory_channel[str](1000)
        self.mouth.ear = sender
        async for item in receiver:
            await out.send(EventBatch.from_events([Event(message=item)]))


@attrs.define
class Mouth:
    """Tells every item to whoever listens now."""

    ear: trio.MemorySendChannel[str] | None = None

    async def feed(self) -> None:
        """All items."""
        assert self.ear is not None
        for item in ITEMS:
            await self.ear.send(item)


async def test_a_source_that_cannot_read_again_is_fed_for_each_run() -> None:
    mouth = Mouth()

    async def feed() -> None:
        await trio.sleep(0.05)
        await mouth.feed()

    await check_source(
        lambda: Listening(mouth), feed, ITEMS, rereadable=False, settle=SETTLE, seconds=SECONDS
    )


async def test_a_send_that_is_cancelled_while_it_waits_has_taken_nothing() -> None:
    outlet = RecordingOutlet(room=0)
    with trio.move_on_after(0.05):
        await outlet.send(EventBatch.from_events([Event(message="x")]), {b"k": b"v"})
    assert (outlet.rows, outlet.stored(), outlet.waiting) == (0, {}, 0)


async def test_checkpoints_after_some_sends() -> None:
    outlet = RecordingOutlet({b"old": b"1"})
    await outlet.send(EventBatch.empty(), {b"a": b"1"})
    await outlet.send(EventBatch.empty(), {b"a": b"2", b"old": None})
    assert outlet.stored(0) == {b"old": b"1"}
    assert outlet.stored(1) == {b"old": b"1", b"a": b"1"}
    assert outlet.stored() == {b"a": b"2"}
    assert outlet.checkpoints() == {b"old": b"1"}
