"""The contract of `yaat_core.components.Sink`, and of `TransactionalSink`, as one function."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import attrs
import numpy as np
import trio

from yaat_core import ids
from yaat_core.components import (
    Checkpoints,
    Done,
    Held,
    Partial,
    Position,
    Sink,
    StoredCheckpoint,
    TransactionalSink,
)
from yaat_core.errors import StoreForeign
from yaat_core.event import EventBatch

_QUEUE: Final = b"check-queue-0001"
_OTHER: Final = b"check-queue-0002"
_SOURCE: Final = "sources.app"
_FIRST_SEEN_MS: Final = 1_767_225_600_000
#: A piece that is delivered again is the same, to the microsecond.
_WHEN: Final = datetime(2026, 1, 1, tzinfo=UTC)
#: Events that are said to wait, so many that a sink may want to take them together.
_MUCH: Final = 1_000_000
#: Seconds after which a delivery is cancelled, in turn: before it begins, early, and in the middle of it.
_CANCELLATIONS: Final = (0.0, 0.0005, 0.002, 0.005, 0.02)

ReadBack = Callable[[str], Sequence[str] | Awaitable[Sequence[str]]]


async def check_sink(
    make_sink: Callable[[str], Sink],
    read_back: ReadBack,
    *,
    sink: str = "sinks.check",
    rows: int = 500,
    spoil: Callable[[EventBatch], EventBatch] | None = None,
) -> None:
    """Run the contract against a sink.

    ``make_sink(place)`` gives a sink that is not open, whose events go to a place of that name: a file, a folder, a
    topic. A new name is a new, empty place; the same name again is a restart on it. ``read_back(place)`` gives the
    `event_id` of every event that arrived there, as text, in the order of arrival (a `TransactionalSink` tells by
    sequence); it is called, and awaited if need be, while no sink has the place open. ``sink`` is the component name
    that the sinks are told, ``rows`` how large a batch is. ``spoil`` makes some rows of a batch ones that the sink refuses;
    without it that is not tried.

    Raises:
        AssertionError: says which promise does not hold.
    """
    check = _Check(make_sink, read_back, sink, rows)
    await check.delivers_in_order()
    await check.takes_an_empty_batch()
    await check.closes_twice()
    await check.survives_cancellation()
    await check.settles_no_more_than_it_has()
    await check.checks_without_opening()
    await check.takes_letters_once()
    if isinstance(make_sink("kind"), TransactionalSink):
        await check.has_no_position_when_new()
        await check.stores_position_and_checkpoints()
        await check.inserts_nothing_twice()
        await check.decides_what_it_holds()
        await check.loses_only_what_it_held()
        await check.resumes_after_a_restart()
        await check.refuses_another_queue()
        if spoil is not None:
            await check.remembers_what_it_refused(spoil)


@attrs.frozen
class _Check:
    make_sink: Callable[[str], Sink]
    read_back: ReadBack
    sink: str
    rows: int

    # --- any sink

    async def delivers_in_order(self) -> None:
        async with self._opened("order") as sink:
            for piece in range(3):
                await self._deliver(sink, piece)
        await self._expect("order", 3, "what was delivered")

    async def takes_an_empty_batch(self) -> None:
        async with self._opened("empty") as sink:
            await self._deliver(sink, 0)
            position = self._position(self.rows + 1, self.rows, {_SOURCE: {b"k": b"v"}})
            outcome = await sink.deliver(EventBatch.empty(), position)
            assert isinstance(outcome, Done), f"a batch without rows must be Done, got {outcome}"
        await self._expect("empty", 1, "what was delivered beside a batch without rows")

    async def closes_twice(self) -> None:
        never_opened = self.make_sink("closed")
        await never_opened.aclose()
        await never_opened.aclose()
        async with self._opened("closed") as sink:
            await self._deliver(sink, 0)
            await sink.aclose()
            await sink.aclose()
        await self._expect("closed", 1, "what was delivered before closing")

    async def survives_cancellation(self) -> None:
        """Cancelled at any moment, a second delivery of the same position mends it."""
        for number, after in enumerate(_CANCELLATIONS):
            place = f"cancelled-{number}"
            async with self._opened(place) as sink:
                await self._deliver(sink, 0)
                with trio.move_on_after(after):
                    await sink.deliver(self._batch(1), self._piece(1))
                await self._deliver(sink, 1)
                await self._deliver(sink, 2)
            arrived = await self._arrived(place)
            wanted = self._ids(3)
            assert set(arrived) == set(wanted), (
                f"after a delivery cancelled at {after} s and repeated: "
                f"{len(set(wanted) - set(arrived))} events missing, {len(set(arrived) - set(wanted))} foreign"
            )
            if isinstance(self.make_sink(place), TransactionalSink):
                assert len(arrived) == len(wanted), "a repeated delivery inserted events twice"

    async def settles_no_more_than_it_has(self) -> None:
        async with self._opened("settled") as sink:
            before = sink.settled() or 0
            for piece in range(3):
                await self._deliver(sink, piece)
                now, has = sink.settled(), (piece + 1) * self.rows
                assert now is None or before <= now <= has, (
                    f"settled() went from {before} to {now} with {has} stored"
                )
                before = now or 0

    async def checks_without_opening(self) -> None:
        sink = self.make_sink("checked")
        for finding in await sink.check():
            assert finding.problem, "a finding must say what the problem is"
        assert not await self._arrived_or_nothing("checked"), "check() left something behind"

    async def takes_letters_once(self) -> None:
        """A dead letter that is delivered again: a transactional sink has it once, and its position does not move."""
        one = self.make_sink("letters")
        if isinstance(one, TransactionalSink) and not one.takes_replays:
            return
        last = self.rows
        for _ in range(2):
            async with self._opened("letters") as sink:
                await self._deliver(sink, 0)
                for _ in range(2):
                    outcome = await sink.deliver(self._batch(3), attrs.evolve(self._piece(3), replay="a1b2"))
                    assert isinstance(outcome, Done), f"a good letter must be Done, got {outcome}"
                if isinstance(sink, TransactionalSink):
                    found = await sink.position()
                    assert found is not None
                    assert found.sequence == last, (
                        f"a letter moved the position from {last} to {found.sequence}"
                    )
                    assert found.replayed == self.rows, f"a letter of {self.rows} counts as {found.replayed}"
                    await self._deliver(sink, 1)
                    last = 2 * self.rows
        arrived = await self._arrived("letters")
        wanted = {*self._ids(4)} - {*self._ids(3)}
        assert wanted <= set(arrived), "a letter that was delivered again is missing"
        if isinstance(one, TransactionalSink):
            assert len(arrived) == len(set(arrived)) == 3 * self.rows, "a letter was stored twice"

    # --- transactional sinks

    async def has_no_position_when_new(self) -> None:
        sink = self._transactional("new")
        await sink.open()
        try:
            found = await sink.position()
            assert found is None, f"a new store must have no position, got {found}"
            await sink.bind(_QUEUE)
            found = await sink.position()
            assert found is not None, "a bound store must have a position"
            assert (found.queue_id, found.sequence, dict(found.checkpoints)) == (_QUEUE, 0, {})
        finally:
            await sink.aclose()

    async def stores_position_and_checkpoints(self) -> None:
        async with self._opened("position") as sink:
            assert isinstance(sink, TransactionalSink)
            await self._deliver(sink, 0, {_SOURCE: {b"a": b"1", b"b": b"1"}, "sources.other": {b"a": b"9"}})
            await self._deliver(sink, 1, {_SOURCE: {b"a": b"2", b"b": None}})
            found = await sink.position()
            assert found is not None
            assert found.sequence == 2 * self.rows, (
                f"position is {found.sequence} after {2 * self.rows} events"
            )
            has = {component: dict(entries) for component, entries in found.checkpoints.items() if entries}
            assert has == {
                _SOURCE: {b"a": StoredCheckpoint(b"2", 2 * self.rows)},
                "sources.other": {b"a": StoredCheckpoint(b"9", self.rows)},
            }, f"checkpoints: {has}"
            nothing = self._position(2 * self.rows + 1, 2 * self.rows, {_SOURCE: {b"a": b"3"}})
            await sink.deliver(EventBatch.empty(), nothing)
            found = await sink.position()
            assert found is not None
            assert found.checkpoints[_SOURCE][b"a"].value == b"3", (
                "checkpoints of a write without events are kept"
            )

    async def inserts_nothing_twice(self) -> None:
        """A piece that is known, wholly or in part, whatever its boundaries."""
        async with self._opened("twice") as sink:
            for piece in (0, 0, 1, 0, 1):
                await self._deliver(sink, piece)
            half = self.rows // 2
            whole = EventBatch.concat([self._batch(piece) for piece in range(3)])
            outcome = await sink.deliver(whole.slice(half), self._position(half + 1, 3 * self.rows))
            assert isinstance(outcome, Done), f"an overlapping piece must be Done, got {outcome}"
        await self._expect("twice", 3, "pieces delivered again")

    async def decides_what_it_holds(self) -> None:
        """Pieces that more follows may be held; the one that nothing follows decides all."""
        async with self._opened("held") as sink:
            for piece in range(3):
                await self._offer(sink, piece)
            await self._deliver(sink, 3)
            await self._offer(sink, 4)
            nothing = self._position(5 * self.rows + 1, 5 * self.rows)
            outcome = await sink.deliver(EventBatch.empty(), nothing)
            assert isinstance(outcome, Done), f"a piece without rows must decide what is held, got {outcome}"
        await self._expect("held", 5, "pieces that more was to follow")

    async def loses_only_what_it_held(self) -> None:
        """Closed while it holds pieces, its position says so, and they come again."""
        async with self._opened("let go") as sink:
            await self._deliver(sink, 0)
            held = await self._offer(sink, 1)
        async with self._opened("let go") as sink:
            assert isinstance(sink, TransactionalSink)
            found = await sink.position()
            assert found is not None
            has = self.rows if held else 2 * self.rows
            assert found.sequence == has, (
                f"closed after {has} certain events, the position is {found.sequence}"
            )
            await self._deliver(sink, 1)
        await self._expect("let go", 2, "what was held when the sink was closed")

    async def resumes_after_a_restart(self) -> None:
        async with self._opened("restart") as sink:
            await self._deliver(sink, 0, {_SOURCE: {b"a": b"1"}})
        async with self._opened("restart") as sink:
            assert isinstance(sink, TransactionalSink)
            found = await sink.position()
            assert found is not None, "a restart must find the position"
            assert (found.queue_id, found.sequence) == (_QUEUE, self.rows), f"a restart found {found}"
            assert found.checkpoints[_SOURCE][b"a"] == StoredCheckpoint(b"1", self.rows)
            await self._deliver(sink, 0)
            await self._deliver(sink, 1)
        await self._expect("restart", 2, "what was delivered around a restart")

    async def remembers_what_it_refused(self, spoil: Callable[[EventBatch], EventBatch]) -> None:
        """Until rows behind it are stored: the core may have been killed before it wrote the dead letter."""
        bad = spoil(self._batch(1))
        answers = []
        for _ in range(3):
            async with self._opened("refused") as sink:
                await self._deliver(sink, 0)
                answers.append(await sink.deliver(bad, self._piece(1)))
                await self._tells_refused(sink, (self.rows + 1, 2 * self.rows))
        first = answers[0]
        assert isinstance(first, Partial), f"a batch with rows that are refused must be Partial, got {first}"
        assert answers == [first] * 3, "a piece with refused rows must get the same answer after a restart"
        async with self._opened("refused") as sink:
            await self._deliver(sink, 2)
            await self._tells_refused(sink, None)
        dead = {self.rows + row for row, _ in first.dead}
        wanted = [id for row, id in enumerate(self._ids(3)) if row not in dead]
        assert await self._arrived("refused") == wanted, "beside refused rows, all others must be stored once"

    async def _tells_refused(self, sink: Sink, wanted: tuple[int, int] | None) -> None:
        assert isinstance(sink, TransactionalSink)
        found = await sink.position()
        assert found is not None
        assert found.refused == wanted, f"the piece with refused rows is {wanted}, told is {found.refused}"

    async def refuses_another_queue(self) -> None:
        async with self._opened("foreign") as sink:
            await self._deliver(sink, 0)
        again = self._transactional("foreign")
        await again.open()
        try:
            await again.bind(_OTHER)
        except StoreForeign:
            pass
        else:
            raise AssertionError("bind() to another queue must raise StoreForeign")
        finally:
            await again.aclose()
        await self._expect("foreign", 1, "a store after another queue was refused")

    # --- means

    def _opened(self, place: str) -> _Open:
        return _Open(self.make_sink(place))

    def _transactional(self, place: str) -> TransactionalSink:
        sink = self.make_sink(place)
        assert isinstance(sink, TransactionalSink)
        return sink

    async def _deliver(
        self, sink: Sink, piece: int, checkpoints: dict[str, Checkpoints] | None = None
    ) -> None:
        first = piece * self.rows + 1
        outcome = await sink.deliver(
            self._batch(piece), self._position(first, first + self.rows - 1, checkpoints)
        )
        assert isinstance(outcome, Done), f"a good batch must be Done, got {outcome}"

    async def _offer(self, sink: Sink, piece: int) -> bool:
        """Deliver a piece that much more follows; was it held?"""
        position = attrs.evolve(self._piece(piece), waiting=_MUCH)
        outcome = await sink.deliver(self._batch(piece), position)
        assert isinstance(outcome, Done | Held), f"a good batch must be Done or Held, got {outcome}"
        return isinstance(outcome, Held)

    def _piece(self, piece: int) -> Position:
        return self._position(piece * self.rows + 1, (piece + 1) * self.rows)

    def _position(self, first: int, last: int, checkpoints: dict[str, Checkpoints] | None = None) -> Position:
        return Position(
            queue_id=_QUEUE, sink=self.sink, first=first, last=last, checkpoints=checkpoints or {}
        )

    def _batch(self, piece: int) -> EventBatch:
        numbers = np.arange(piece * self.rows, (piece + 1) * self.rows)
        columns: dict[str, Any] = {
            "event_id": self._event_ids(numbers),
            "timestamp": _WHEN,
            "received_at": _WHEN,
            "service_name": "check",
            "environment": "test",
            "organization_id": "local",
            "level": "info",
            "message": 'a line with \t, " and \N{SNOWMAN}',
            "tags": {"yaat.source": _SOURCE, "": "empty key"},
        }
        return EventBatch.build(self.rows, columns)

    def _event_ids(self, numbers: Any) -> Any:
        return ids.positional(_FIRST_SEEN_MS, b"check", _SOURCE, b"", numbers)

    def _ids(self, pieces: int) -> list[str]:
        return [
            str(uuid.UUID(bytes=raw)) for raw in self._event_ids(np.arange(pieces * self.rows)).to_pylist()
        ]

    async def _arrived(self, place: str) -> list[str]:
        found = self.read_back(place)
        return list(await found if inspect.isawaitable(found) else found)

    async def _arrived_or_nothing(self, place: str) -> list[str]:
        try:
            return await self._arrived(place)
        except FileNotFoundError:
            return []

    async def _expect(self, place: str, pieces: int, what: str) -> None:
        arrived, wanted = await self._arrived(place), self._ids(pieces)
        missing, foreign = set(wanted) - set(arrived), set(arrived) - set(wanted)
        assert not missing, f"{what}: {len(missing)} of {len(wanted)} events missing"
        assert not foreign, f"{what}: {len(foreign)} events that nobody sent, e.g. {min(foreign)}"
        assert len(arrived) == len(wanted), f"{what}: {len(arrived)} events for {len(wanted)}, some are twice"
        assert arrived == wanted, f"{what}: the order is not that of delivery"


@attrs.frozen
class _Open:
    """A sink from `open` (and `bind`) to `aclose`."""

    sink: Sink

    async def __aenter__(self) -> Sink:
        await self.sink.open()
        if isinstance(self.sink, TransactionalSink):
            await self.sink.position()
            await self.sink.bind(_QUEUE)
        return self.sink

    async def __aexit__(self, *_: object) -> None:
        await self.sink.aclose()
