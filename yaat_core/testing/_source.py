"""The contract of a source, as a function that any author runs against theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

import attrs
import trio

from yaat_core.components import Source
from yaat_core.event import SCHEMA, Event
from yaat_core.testing._outlet import RecordingOutlet

#: At so many places of its first reading a source is interrupted, at most.
_CUTS = 4


def message_of(event: Event) -> str:
    """What tells items apart unless `check_source` is given something else."""
    return event.message or ""


async def check_source(
    make_source: Callable[[], Source],
    feed: Callable[[], Awaitable[None]],
    expected: Sequence[str],
    *,
    rereadable: bool = True,
    make_once: Callable[[], Source] | None = None,
    item: Callable[[Event], str] = message_of,
    settle: float = 0.3,
    seconds: float = 10.0,
) -> None:
    """Run a source through what may happen to it.

    Args:
        make_source: a fresh source over the same place each time.
        feed: makes the items appear. Called while a source runs; once for a source that is
            ``rereadable``, else once for each run. It waits itself until the source listens.
        expected: the items, one for each event, in any order; all different.
        rereadable: without a checkpoint the source reads everything from the beginning, as files do;
            False for what is gone once it was received, as datagrams are.
        make_once: a fresh source whose context says ``once``: it ends by itself.
        item: what of an event is compared with ``expected``.
        settle: seconds to wait for events that must not come.
        seconds: what may be waited for what must come.

    Raises:
        AssertionError: the contract is broken; says how.
    """
    check = _Check(make_source, feed, expected, item, settle, seconds)
    assert len(set(expected)) == len(expected), "the expected items must all be different"
    await check.nothing_comes_of_nothing()
    stored = await check.everything_comes_once()
    if rereadable:
        await check.nothing_comes_again(stored)
        await check.backpressure_holds_it_back()
        await check.interruptions_lose_and_repeat_nothing()
    else:
        await check.everything_comes_once()
        await check.fed_under_backpressure()
    if make_once is not None:
        await check.once_ends_by_itself(make_once)


@attrs.frozen
class _Check:
    make_source: Callable[[], Source]
    feed: Callable[[], Awaitable[None]]
    expected: Sequence[str]
    item: Callable[[Event], str]
    settle: float
    seconds: float

    async def nothing_comes_of_nothing(self) -> None:
        outlet = RecordingOutlet()
        async with self._running(outlet):
            await trio.sleep(self.settle)
        assert not outlet.rows, f"nothing was fed, and {outlet.rows} events came"

    async def everything_comes_once(self) -> dict[bytes, bytes]:
        outlet = RecordingOutlet()
        async with self._running(outlet):
            await self.feed()
            await self._all_rows(outlet, "while it runs")
            await trio.sleep(self.settle)
        self._compare(outlet.events(), "while it runs")
        self._check_batches(outlet)
        return outlet.stored()

    async def nothing_comes_again(self, stored: Mapping[bytes, bytes]) -> None:
        outlet = RecordingOutlet(stored)
        async with self._running(outlet):
            await trio.sleep(self.settle)
        again = [self.item(event) for event in outlet.events()]
        assert not again, f"resumed from its own checkpoints it sent again: {again[:5]}"

    async def backpressure_holds_it_back(self) -> None:
        outlet = RecordingOutlet(room=1)
        async with self._running(outlet):
            await self._within(outlet.wait_blocked(), "it never sent a second batch, or checkpoint")
            await trio.sleep(self.settle)
            assert outlet.waiting == 1, f"{outlet.waiting} sends at the same time: their order is not certain"
            outlet.make_room()
            await self._all_rows(outlet, "after backpressure")
        self._compare(outlet.events(), "after backpressure")

    async def fed_under_backpressure(self) -> None:
        outlet = RecordingOutlet(room=0)
        async with self._running(outlet):
            await self.feed()
            await self._within(outlet.wait_blocked(), "it never sent")
            await trio.sleep(self.settle)
            outlet.make_room()
            await self._all_rows(outlet, "after backpressure")
        self._compare(outlet.events(), "after backpressure")

    async def interruptions_lose_and_repeat_nothing(self) -> None:
        whole = RecordingOutlet()
        async with self._running(whole):
            await self._all_rows(whole, "from the beginning")
        sends = len(whole.sent)
        for cut in sorted({1 + step * (sends - 1) // _CUTS for step in range(_CUTS)}):
            outlet = RecordingOutlet(room=cut)
            async with self._running(outlet):
                await self._within(_taken(outlet, cut), f"it did not send {cut} batches again")
            for durable in {cut, cut // 2}:
                await self._resume(outlet, durable)

    async def _resume(self, before: RecordingOutlet, durable: int) -> None:
        """Go on from what was durable: that and the rest are everything, under the same identities."""
        kept = before.events(durable)
        after = RecordingOutlet(before.stored(durable))
        where = f"interrupted after {len(before.sent)} batches, of which {durable} were durable"
        async with self._running(after):
            missing = len(self.expected) - len(kept)
            await self._within(after.wait_rows(missing), f"{where}: {missing} more events must come", after)
        self._compare([*kept, *after.events()], where)
        if durable:
            ids = {event.event_id for event in [*before.events(), *after.events()]}
            assert len(ids) == len(self.expected), f"{where}: what was read again got another event_id"

    async def once_ends_by_itself(self, make_once: Callable[[], Source]) -> None:
        outlet = RecordingOutlet(synced=False)
        ended = trio.Event()

        async def run() -> None:
            await make_once().run(outlet)
            ended.set()

        async with self._running(outlet, run):
            await self._all_rows(outlet, "once")
            assert not ended.is_set(), "once: it returned before its events were durable"
            while not ended.is_set():
                outlet.sync()
                await self._within(_first(ended, outlet), "once: it does not return")
        self._compare(outlet.events(), "once")

    # --- parts ----------------------------------------------------------------------------------

    @asynccontextmanager
    async def _running(
        self, outlet: RecordingOutlet, run: Callable[[], Awaitable[None]] | None = None
    ) -> AsyncIterator[None]:
        """A fresh source that runs, and is cancelled at the end."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(run or partial(self.make_source().run, outlet))
                yield
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            raise _only(group) from None

    async def _within(
        self, what: Awaitable[None], problem: str, outlet: RecordingOutlet | None = None
    ) -> None:
        with trio.move_on_after(self.seconds):
            await what
            return
        came = "" if outlet is None else f" (after {self.seconds:g} s there are {outlet.rows})"
        raise AssertionError(problem + came)

    async def _all_rows(self, outlet: RecordingOutlet, where: str) -> None:
        count = len(self.expected)
        await self._within(outlet.wait_rows(count), f"{where}: {count} events must come", outlet)

    def _compare(self, events: Sequence[Event], where: str) -> None:
        came, wanted = Counter(map(self.item, events)), Counter(self.expected)
        missing, more = list(wanted - came), list(came - wanted)
        assert not missing, f"{where}: {len(missing)} items did not come, the first: {missing[:3]}"
        assert not more, f"{where}: {len(more)} items came that were not fed, or twice, the first: {more[:3]}"

    def _check_batches(self, outlet: RecordingOutlet) -> None:
        for one in outlet.sent:
            assert one.batch.columns.schema.equals(SCHEMA), f"not the schema: {one.batch.columns.schema}"
            one.batch.columns.validate(full=True)
        ids = [event.event_id for event in outlet.events() if event.event_id]
        assert len(set(ids)) == len(ids), "two events have the same event_id"


def _only(error: BaseException) -> BaseException:
    """What a group of one holds."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


async def _taken(outlet: RecordingOutlet, sends: int) -> None:
    """Until so many batches were taken and the source either waits with the next one or has no more."""
    while len(outlet.sent) < sends:
        await outlet.wait_change()


async def _first(ended: trio.Event, outlet: RecordingOutlet) -> None:
    """Until the source has ended or sent more."""
    async with trio.open_nursery() as nursery:

        async def until(what: Callable[[], Awaitable[object]]) -> None:
            await what()
            nursery.cancel_scope.cancel()

        nursery.start_soon(until, ended.wait)
        nursery.start_soon(until, outlet.wait_change)
