"""Where to go on after the two stores disagree."""

from __future__ import annotations

import pytest
import trio

from yaat_core.components import QueueWrite, SinkPosition, StoredCheckpoint
from yaat_core.errors import StoreDamaged
from yaat_core.event import Event, EventBatch
from yaat_core.health import HealthBoard
from yaat_core.pipeline.start import INTACT_WAIT, Start
from yaat_core.testing._memory_queue import MemoryQueue


def queue_with(events: int) -> MemoryQueue:
    queue = MemoryQueue()
    queue.open()
    if events:
        batch = EventBatch.from_events([Event(message=str(n)) for n in range(events)])
        queue.append(QueueWrite(batch=batch, checkpoints={"sources.a": {b"k": b"at tail"}}, read=events))
        queue.open()
    return queue


def position(queue: MemoryQueue, sequence: int, *, queue_id: bytes | None = None) -> SinkPosition:
    return SinkPosition(
        queue_id=queue_id or queue.state().queue_id,
        sequence=sequence,
        checkpoints={
            "sources.a": {b"k": StoredCheckpoint(b"further", sequence), b"n": StoredCheckpoint(b"new", 1)}
        },
    )


async def decide(start: Start, answers: dict[str, SinkPosition | None]) -> None:
    async with trio.open_nursery() as nursery:
        for sink, answer in answers.items():
            nursery.start_soon(start.answer, sink, answer)
        await start.decide()


async def test_agreement_changes_nothing() -> None:
    queue = queue_with(10)
    await decide(
        Start(queue, intact=True, sinks=["sinks.d"], health=HealthBoard()), {"sinks.d": position(queue, 8)}
    )
    assert queue.state().tail == 10
    assert queue.checkpoints("sources.a")[b"k"].value == b"at tail"


async def test_a_queue_restored_from_an_old_backup_goes_on_behind_the_database() -> None:
    queue = queue_with(10)
    await decide(
        Start(queue, intact=True, sinks=["sinks.d"], health=HealthBoard()), {"sinks.d": position(queue, 25)}
    )
    state = queue.state()
    assert (state.tail, state.accepted, state.read) == (25, 25, 25)
    assert queue.checkpoints("sources.a")[b"k"].value == b"further"


async def test_a_lost_queue_takes_over_the_databases_id() -> None:
    queue = queue_with(0)
    old = b"o" * 16
    await decide(
        Start(queue, intact=False, sinks=["sinks.d"], health=HealthBoard()),
        {"sinks.d": position(queue, 25, queue_id=old)},
    )
    assert (queue.state().queue_id, queue.state().tail) == (old, 25)


async def test_an_intact_queue_does_not_wait_for_ever(autojump_clock: trio.testing.MockClock) -> None:
    start = Start(queue_with(10), intact=True, sinks=["sinks.d"], health=HealthBoard())
    before = trio.current_time()
    await start.decide()
    assert trio.current_time() - before == pytest.approx(INTACT_WAIT)


async def test_a_damaged_queue_waits_until_the_loss_is_accepted(
    autojump_clock: trio.testing.MockClock,
) -> None:
    health = HealthBoard()
    start = Start(queue_with(10), intact=False, sinks=["sinks.d"], health=health)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(start.decide)
        await trio.sleep(3_600)
        assert not start.decided.is_set()
        assert "accept-loss" in health.now().problems[0].advice
        start.accept_loss()
    assert health.now().ok


async def test_a_late_answer_that_is_ahead_is_refused(autojump_clock: trio.testing.MockClock) -> None:
    queue = queue_with(10)
    start = Start(queue, intact=True, sinks=["sinks.d"], health=HealthBoard())
    await start.decide()
    with pytest.raises(StoreDamaged, match="ahead"):
        await start.answer("sinks.d", position(queue, 25))
    await start.answer("sinks.d", position(queue, 9))
