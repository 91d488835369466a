"""What may wait for whom: `block`, `drop_oldest`, `drop_newest`, age."""

from __future__ import annotations

import trio
from support.rig import ListSink, Rig

from yaat_core.event import Event, EventBatch
from yaat_core.report import accounting

TEXTS = [f"event {n:04}" for n in range(10)]
BATCH = EventBatch.from_events([Event(message=text) for text in TEXTS]).nbytes


async def test_only_a_full_block_lane_stops_the_sources(
    rig: Rig, autojump_clock: trio.testing.MockClock
) -> None:
    full = rig.lane("full", max_bytes=2 * BATCH)
    rig.lane("wide")
    await rig.write(TEXTS)
    await rig.retention.room()
    await rig.write(TEXTS)
    with trio.move_on_after(30) as waited:
        await rig.retention.room()
    assert waited.cancelled_caught
    assert [problem.component for problem in rig.health.now().problems] == ["sinks.full"]
    await full.settle(1, 10, "delivered")
    await rig.retention.room()
    assert not rig.health.now().problems


async def test_drop_oldest_moves_only_its_own_lane(rig: Rig) -> None:
    lane = rig.lane("remote", when_full="drop_oldest", max_bytes=3 * BATCH)
    other = rig.lane("local")
    for _ in range(10):
        await rig.write(TEXTS)
    lane.ready = True
    await rig.retention.tick()
    assert lane.cursor.dropped == 70
    assert lane.waiting == 30
    assert other.waiting == 100
    assert accounting(rig.queue.state()).balanced


async def test_drop_oldest_leaves_what_is_being_delivered(rig: Rig) -> None:
    lane = rig.lane("remote", when_full="drop_oldest", max_bytes=3 * BATCH)
    for _ in range(10):
        await rig.write(TEXTS)
    lane.ready, lane.busy = True, (1, 10)
    await rig.retention.tick()
    await rig.retention.tick()
    assert lane.cursor.dropped == 60
    lane.busy = None
    await lane.settle(1, 10, "delivered")
    assert (lane.cursor.done, lane.waiting) == (70, 30)


async def test_drop_newest_keeps_what_waits(rig: Rig, autojump_clock: trio.testing.MockClock) -> None:
    lane, sink = rig.lane("remote", when_full="drop_newest", max_bytes=3 * BATCH), ListSink()
    for number in range(10):
        await rig.write([f"{number}-{text}"[: len(text)] for text in TEXTS])
    assert lane.cursor.dropped == 70
    rig.worker(lane, sink)
    async with rig.running():
        await rig.until_empty(lane)
        await rig.write(["after"])
        await rig.until_empty(lane)
    assert len(sink.got) == 31
    assert sink.got[-1] == "after"
    assert accounting(rig.queue.state()).balanced


async def test_age_drops_under_every_policy(rig: Rig) -> None:
    lane = rig.lane("local", when_full="block")
    await rig.write(TEXTS, time_us=1)
    lane.ready = True
    await rig.retention.tick()
    assert (lane.cursor.dropped, lane.waiting) == (10, 0)
    assert rig.queue.state().deleted_upto == 10


async def test_the_queue_keeps_what_a_sink_has_not_settled(rig: Rig) -> None:
    lane = rig.lane("duck")
    lane.bounds = type(lane.bounds)(max_bytes=lane.bounds.max_bytes, retention=None, when_full="block")
    for _ in range(3):
        await rig.write(TEXTS)
    lane.ready, lane.settled = True, 10
    await lane.settle(1, 30, "delivered")
    await rig.retention.tick()
    assert rig.queue.state().deleted_upto == 10
    lane.settled = 30
    await rig.retention.tick()
    assert rig.queue.state().deleted_upto == 30
