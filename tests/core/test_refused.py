"""A database refused rows, and nobody heard it: the piece is sent again as it was, and its letter is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.rig import Rig
from trio.testing import MockClock

from yaat_core.components import Done, Outcome, Partial, Position, SinkPosition, TransactionalSink
from yaat_core.event import EventBatch
from yaat_core.report import accounting

TEXTS = [f"event {n}" for n in range(1, 41)]
BAD = ("event 13", "event 18")


class Database(TransactionalSink):
    """In memory: what it has, and what it refused."""

    batch_rows = 7

    def __init__(self, sequence: int = 0, refused: tuple[int, int] | None = None) -> None:
        self.sequence, self.refused = sequence, refused
        self.asked: list[tuple[int, int]] = []

    async def position(self) -> SinkPosition | None:
        return SinkPosition(queue_id=bytes(16), sequence=self.sequence, checkpoints={}, refused=self.refused)

    async def bind(self, queue_id: bytes) -> None:
        pass

    async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
        self.asked.append((position.first, position.last))
        texts = batch.column("message").to_pylist()
        dead = [(row, "it is bad") for row, text in enumerate(texts) if text in BAD]
        if position.last > self.sequence:
            self.sequence = position.last
            self.refused = (position.first, position.last) if dead else None
        return Partial(dead) if dead else Done()


def letters(folder: Path) -> list[dict[str, Any]]:
    rows = [
        json.loads(line)
        for file in (folder / "dead" / "sinks.a").glob("*.jsonl")
        for line in file.read_text().splitlines()[1:]
    ]
    return sorted(rows, key=lambda row: int(row["sequence"]))


def check(rig: Rig, folder: Path) -> None:
    """Every bad event is in one letter, and counted."""
    assert [row["event"]["message"] for row in letters(folder)] == list(BAD)
    cursor = rig.lanes["sinks.a"].cursor
    assert (cursor.done, cursor.delivered, cursor.dead, cursor.lost) == (40, 38, 2, 0)
    assert accounting(rig.queue.state()).balanced


@pytest.mark.parametrize("written", [False, True])
async def test_sent_again_as_it_was(
    rig: Rig, autojump_clock: MockClock, tmp_path: Path, *, written: bool
) -> None:
    """Whether its letter was written or not, there is one, of the name that it has always had."""
    lane, sink = rig.lane("a"), Database(20, (11, 20))
    await rig.write(TEXTS)
    at = Position(queue_id=rig.queue.state().queue_id, sink=lane.name, first=11, last=20)
    if written:
        [record] = rig.queue.read(10, max_rows=10, max_bytes=2**20)
        rig.dead_letters.write(record.batch.slice(0, 10), at, Partial([(2, "it is bad"), (7, "it is bad")]))
    rig.worker(lane, sink)
    async with rig.running():
        await rig.until_empty(lane)
    assert sink.asked == [(11, 20), (21, 27), (28, 34), (35, 40)]
    assert [path.stem for path in (tmp_path / "dead" / "sinks.a").iterdir()] == [at.batch_id]
    check(rig, tmp_path)


async def test_stopped_while_the_letter_can_not_be_written(
    rig: Rig, autojump_clock: MockClock, tmp_path: Path
) -> None:
    """The rows are in the database, and the disk of the dead letters is full until after the restart."""
    lane, sink = rig.lane("a"), Database()
    (tmp_path / "dead").write_text("in the way")
    rig.worker(lane, sink)
    async with rig.running():
        await rig.write(TEXTS)
        await rig.until(lambda: "can't be written" in str(rig.health.now().problems), "nothing is told")
    assert (sink.sequence, lane.cursor.done) == (14, 7)
    (tmp_path / "dead").unlink()
    async with rig.running():
        await rig.until_empty(lane)
    check(rig, tmp_path)


async def test_a_state_of_the_queue_that_comes_late_hides_nothing(rig: Rig) -> None:
    """A sink that starts has asked for it before events came."""
    lane, before = rig.lane("a"), rig.queue.state()
    await rig.write(TEXTS)
    lane.grown(before)
    assert lane.waiting == 40


async def test_what_was_heard_is_not_asked_again(rig: Rig, autojump_clock: MockClock, tmp_path: Path) -> None:
    lane, sink = rig.lane("a"), Database()
    rig.worker(lane, sink)
    async with rig.running():
        await rig.write(TEXTS[:20])
        await rig.until_empty(lane)
    asked = len(sink.asked)
    async with rig.running():
        await rig.write(TEXTS[20:])
        await rig.until_empty(lane)
    assert sink.asked[asked][0] == 21
    check(rig, tmp_path)
