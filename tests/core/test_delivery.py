"""Sinks that work, fail, hang, refuse: each alone, and the accounting holds."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import pytest
import trio
from support.rig import ListSink, Rig

from yaat_core.components import Done, Held, Outcome, Partial, Pause, Position, Retry
from yaat_core.event import EventBatch
from yaat_core.report import accounting

TEXTS = [f"event {n}" for n in range(100)]


async def write_in_tens(rig: Rig) -> None:
    """All texts, in ten records."""
    for start in range(0, 100, 10):
        await rig.write(TEXTS[start : start + 10])


def balanced(rig: Rig) -> bool:
    return accounting(rig.queue.state()).balanced


async def test_everything_is_delivered_in_order(rig: Rig, autojump_clock: trio.testing.MockClock) -> None:
    lane, sink = rig.lane("a"), ListSink()
    rig.worker(lane, sink)
    async with rig.running():
        for start in range(0, 100, 10):
            await rig.write(TEXTS[start : start + 10])
        await rig.until_empty(lane)
    assert sink.got == TEXTS
    assert lane.cursor.delivered == 100
    assert balanced(rig)


@pytest.mark.parametrize(
    "answer", [Retry("busy"), Retry("busy", after=30.0), Pause("401"), RuntimeError("boom")]
)
async def test_a_failure_is_tried_again(
    rig: Rig, autojump_clock: trio.testing.MockClock, answer: Outcome | RuntimeError
) -> None:
    lane, sink = rig.lane("a"), ListSink()
    sink.answers = [answer, answer, answer]
    rig.worker(lane, sink)
    async with rig.running():
        await rig.write(TEXTS)
        with trio.fail_after(600):
            while not rig.health.now().problems:
                await trio.sleep(0.01)
        assert rig.health.now().problems[0].component == "sinks.a"
        await rig.until_empty(lane)
    assert sink.got == TEXTS
    assert rig.health.now().ok


async def test_a_sink_that_hangs_delays_no_other(rig: Rig, autojump_clock: trio.testing.MockClock) -> None:
    class Hanging(ListSink):
        async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
            await trio.sleep_forever()
            raise AssertionError

    stuck, lane, sink = rig.lane("stuck"), rig.lane("a"), ListSink()
    rig.worker(stuck, Hanging())
    rig.worker(lane, sink)
    async with rig.running():
        for _ in range(50):
            await rig.write(TEXTS)
        await rig.until_empty(lane)
        assert len(sink.got) == 5_000
        assert stuck.waiting == 5_000
        await trio.sleep(60)
        assert any("not answered" in problem.what for problem in rig.health.now().problems)
    assert balanced(rig)


async def test_dead_rows_go_to_files_and_are_counted(
    rig: Rig, autojump_clock: trio.testing.MockClock, tmp_path: Path
) -> None:
    lane, sink = rig.lane("a"), ListSink()
    sink.answers = [Partial([(3, "bad field"), (7, "too large")])]
    rig.worker(lane, sink)
    async with rig.running():
        await rig.write(TEXTS)
        await rig.until_empty(lane)
    assert (lane.cursor.delivered, lane.cursor.dead) == (98, 2)
    assert balanced(rig)
    [file] = (tmp_path / "dead" / "sinks.a").iterdir()
    head, *rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert head["events"] == 2
    assert [(row["sequence"], row["reason"], row["event"]["message"]) for row in rows] == [
        (4, "bad field", "event 3"),
        (8, "too large", "event 7"),
    ]


async def test_a_hole_is_counted_as_lost(rig: Rig, autojump_clock: trio.testing.MockClock) -> None:
    lane, sink = rig.lane("a"), ListSink()
    await write_in_tens(rig)
    rig.queue.lose(35)
    rig.queue.lose(95)
    rig.worker(lane, sink)
    async with rig.running():
        await rig.until_empty(lane)
    assert lane.cursor.lost == 20
    assert sink.got == TEXTS[:30] + TEXTS[40:90]
    assert balanced(rig)


async def test_a_batch_in_flight_keeps_its_boundaries(
    rig: Rig, autojump_clock: trio.testing.MockClock
) -> None:
    class Stable(ListSink):
        stable_batches = True

    lane, sink = rig.lane("a"), Stable()
    sink.answers = [RuntimeError("killed in the middle")]
    await rig.write(TEXTS[:10])
    rig.worker(lane, sink)
    async with rig.running():
        with trio.fail_after(60):
            while not sink.positions:
                await trio.sleep(0.01)
        await rig.write(TEXTS[10:50])
        await rig.until_empty(lane)
    assert [(p.first, p.last) for p in sink.positions] == [(1, 10), (1, 10), (11, 50)]
    assert sink.positions[0].batch_id == sink.positions[1].batch_id
    assert sink.got == TEXTS[:50]


async def test_small_writes_are_merged_when_behind(rig: Rig, autojump_clock: trio.testing.MockClock) -> None:
    lane, sink = rig.lane("a"), ListSink()
    for text in TEXTS:
        await rig.write([text])
    rig.worker(lane, sink)
    async with rig.running():
        await rig.until_empty(lane)
    assert len(sink.positions) == 1
    assert sink.got == TEXTS


async def test_append_survives_a_full_disk(rig: Rig, autojump_clock: trio.testing.MockClock) -> None:
    """Whether or not the failed write had landed, each event is there once."""
    lane, sink = rig.lane("a"), ListSink()
    rig.worker(lane, sink)
    async with rig.running():
        for landed in (False, True):
            rig.queue.fail_next, rig.queue.landed, rig.queue.unavailable = 1, landed, 3
            await rig.write([f"landed={landed}"])
        await rig.until_empty(lane)
    assert sink.got == ["landed=False", "landed=True"]
    assert balanced(rig)


def test_position_names_are_stable() -> None:
    position = Position(queue_id=b"q" * 16, sink="sinks.a", first=1, last=2)
    assert position.batch_id == attrs.evolve(position).batch_id
    assert position.batch_id != attrs.evolve(position, last=3).batch_id


class Together(ListSink):
    """Holds pieces until ``size`` rows are together, as a database that commits them at once."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.held: list[str] = []
        self.commits: list[int] = []

    @property
    def batch_rows(self) -> int:
        return 10

    async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
        before = len(self.got)
        outcome = await super().deliver(batch, position)
        if not isinstance(outcome, Done):
            self.held = []
            return outcome
        self.held += self.got[before:]
        del self.got[before:]
        if position.waiting and len(self.held) < self.size:
            return Held()
        self.commits.append(len(self.held))
        self.got += self.held
        self.held = []
        return Done()


async def test_pieces_are_held_until_they_are_certain(
    rig: Rig, autojump_clock: trio.testing.MockClock
) -> None:
    lane, sink = rig.lane("a"), Together(40)
    await write_in_tens(rig)
    rig.worker(lane, sink)
    async with rig.running():
        with trio.fail_after(60):
            while not sink.held:
                await trio.lowlevel.checkpoint()
        assert (lane.cursor.delivered, lane.waiting) == (0, 100), "what is held is not delivered"
        assert lane.open_from >= 10, "nobody else may settle what is held"
        await rig.until_empty(lane)
    assert sink.got == TEXTS
    assert sink.commits == [40, 40, 20]
    assert lane.cursor.delivered == 100
    assert lane.busy is None
    assert balanced(rig)


@pytest.mark.parametrize("answer", [Retry("busy", after=0.0), Pause("full"), RuntimeError("boom")])
async def test_what_was_held_comes_again_after_a_failure(
    rig: Rig, autojump_clock: trio.testing.MockClock, answer: Outcome | RuntimeError
) -> None:
    class Failing(Together):
        async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
            if len(self.positions) == 2:
                self.answers = [answer]
                self.held = []
            return await super().deliver(batch, position)

    lane, sink = rig.lane("a"), Failing(40)
    await write_in_tens(rig)
    rig.worker(lane, sink)
    async with rig.running():
        await rig.until_empty(lane)
    assert [position.first for position in sink.positions][:5] == [1, 11, 21, 1, 11]
    assert sink.got == TEXTS
    assert balanced(rig)


async def test_a_hole_behind_what_is_held(rig: Rig, autojump_clock: trio.testing.MockClock) -> None:
    """At the end of the lane nothing follows any more, and the sink is asked to decide."""
    lane, sink = rig.lane("a"), Together(1_000)
    await write_in_tens(rig)
    rig.queue.lose(35)
    rig.queue.lose(95)
    rig.worker(lane, sink)
    async with rig.running():
        await rig.until_empty(lane)
    assert sink.got == TEXTS[:30] + TEXTS[40:90]
    assert (lane.cursor.delivered, lane.cursor.lost) == (80, 20)
    assert balanced(rig)


async def test_dead_rows_after_held_pieces_are_those_of_the_last(
    rig: Rig, autojump_clock: trio.testing.MockClock, tmp_path: Path
) -> None:
    class Picky(Together):
        async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
            outcome = await super().deliver(batch, position)
            return Partial([(3, "bad")]) if position.first == 21 else outcome

    lane, sink = rig.lane("a"), Picky(30)
    for start in range(0, 40, 10):
        await rig.write(TEXTS[start : start + 10])
    rig.worker(lane, sink)
    async with rig.running():
        await rig.until_empty(lane)
    assert (lane.cursor.delivered, lane.cursor.dead) == (39, 1)
    [file] = (tmp_path / "dead" / "sinks.a").iterdir()
    _, row = [json.loads(line) for line in file.read_text().splitlines()]
    assert (row["sequence"], row["event"]["message"]) == (24, "event 23")
    assert balanced(rig)
