"""Dead letters and sinks that know their own position: what is delivered again, put back, or lost."""

from __future__ import annotations

import pytest
import trio
from support.letters import Site
from trio.testing import MockClock

from yaat_core.components import Done, Outcome, Position, SinkPosition
from yaat_core.components import TransactionalSink as Transactional
from yaat_core.event import EventBatch


class Simple(Transactional):
    """A database in memory: its position, and the last letter."""

    def __init__(self, *, takes: bool = True, sequence: int = 10, replayed: int = 0) -> None:
        self.takes_replays = takes  # type: ignore[misc]
        self.sequence, self.replayed, self.last = sequence, replayed, ""
        self.got: list[str] = []

    async def position(self) -> SinkPosition | None:
        return SinkPosition(
            queue_id=bytes(16), sequence=self.sequence, checkpoints={}, replayed=self.replayed
        )

    async def bind(self, queue_id: bytes) -> None:
        pass

    async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
        await trio.lowlevel.checkpoint()
        if position.replay and position.replay != self.last:
            self.last, self.replayed = position.replay, self.replayed + len(batch)
        elif position.replay or position.last <= self.sequence:
            return Done()
        self.sequence = max(self.sequence, 0 if position.replay else position.last)
        self.got += batch.column("message").to_pylist()
        return Done()


async def test_a_database_that_can_not_take_letters_gets_none(site: Site, autojump_clock: MockClock) -> None:
    sink = Simple(takes=False)
    site.rig.worker(site.lane, sink)  # type: ignore[arg-type]
    await site.replay()
    async with site.rig.running():
        await site.rig.until_empty(site.lane)
        problem = await site.told()
    assert "can't take dead letters again: the 2 events stay dead" in problem.what
    assert site.account() == (8, 0, 2, 0, 0)
    assert sink.got == []


async def test_a_database_that_lost_letters_again_has_them_counted_as_lost(
    site: Site, autojump_clock: MockClock
) -> None:
    sink = Simple()
    site.rig.worker(site.lane, sink)  # type: ignore[arg-type]
    await site.replay()
    async with site.rig.running():
        await site.rig.until_empty(site.lane)
    assert (site.account(), sink.replayed) == ((10, 0, 0, 0, 0), 2)
    sink.replayed = 0
    async with site.rig.running():
        await site.until_account(8, 0, 0, 0, 2)
        problem = await site.told()
    assert "2 of them were in dead letters" in problem.advice


@pytest.mark.parametrize("waits", [True, False])
async def test_a_database_that_is_behind_gets_those_events_from_the_queue(
    site: Site, autojump_clock: MockClock, *, waits: bool
) -> None:
    """What was in a letter comes with it, once."""
    if waits:
        await site.replay()
    sink = Simple(sequence=2)
    site.rig.worker(site.lane, sink)  # type: ignore[arg-type]
    async with site.rig.running():
        await site.rig.until(lambda: sink.sequence == 10, "it stays behind")
        await site.rig.until_empty(site.lane)
    assert sink.got == [f"m{n}{' bad' if n in (2, 6) else ''}" for n in range(2, 10)]
    assert site.account() == (10, 0, 0, 0, 0)
    assert site.names() == []


async def test_what_the_queue_does_not_have_any_more_stays_in_its_letter(
    site: Site, autojump_clock: MockClock
) -> None:
    site.rig.queue.delete_upto(10)
    site.rig.worker(site.lane, Simple(sequence=2))  # type: ignore[arg-type]
    async with site.rig.running():
        await site.until_account(2, 0, 0, 0, 8)
    assert site.names() == [".jsonl"]
    assert (await site.replay())[0] == 0, "nothing counts it as dead"
