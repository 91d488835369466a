"""When what waits for a sink is too much for health: by count, by age, and by its share of the sink's bounds."""

from __future__ import annotations

import time

import attrs
import pytest
from support.rig import Rig

from yaat_core.config.model import HealthSettings
from yaat_core.config.options import Duration, Size
from yaat_core.limits import look_at

TEXTS = [f"event {n:04}" for n in range(10)]
NO_LIMITS = HealthSettings(max_queue_share=None, max_queue_age=None, max_queue_events=None)


async def told(rig: Rig, limits: HealthSettings) -> list[str]:
    await look_at(rig.lanes.values(), limits, rig.health)
    assert all(problem.level == "error" for problem in rig.health.now().problems)
    return [problem.what for problem in rig.health.now().problems]


async def written(rig: Rig, seconds_ago: float) -> None:
    await rig.write(TEXTS, time_us=int((time.time() - seconds_ago) * 1e6))


async def test_nothing_waits_and_no_limits(rig: Rig) -> None:
    lane = rig.lane("out", max_bytes=1)
    strict = HealthSettings(max_queue_share=0.01, max_queue_age=Duration(0.001), max_queue_events=1)
    assert await told(rig, strict) == []
    await written(rig, 100_000)
    assert await told(rig, NO_LIMITS) == []
    assert await told(rig, strict) != []
    await lane.settle(1, 10, "delivered")
    assert await told(rig, strict) == []
    assert rig.health.now().ok


async def test_each_sink_by_itself(rig: Rig) -> None:
    slow, quick = rig.lane("slow"), rig.lane("quick")
    await written(rig, 0)
    await quick.settle(1, 10, "delivered")
    limits = attrs.evolve(NO_LIMITS, max_queue_events=9)
    (what,) = await told(rig, limits)
    assert what == "10 events wait for it, more than health.max_queue_events (9)"
    assert [problem.component for problem in rig.health.now().problems] == [slow.name]
    await slow.settle(1, 1, "delivered")
    assert await told(rig, limits) == []


@pytest.mark.parametrize(
    ("ago", "age", "text"), [(10, "9s", "10 s"), (600, "9m", "10 min"), (36_000, "9h", "10 h")]
)
async def test_age(rig: Rig, ago: float, age: str, text: str) -> None:
    lane = rig.lane("out")
    lane.bounds = attrs.evolve(lane.bounds, retention=None)
    await written(rig, ago)
    await written(rig, 0)
    (what,) = await told(rig, attrs.evolve(NO_LIMITS, max_queue_age=Duration.parse(age)))
    assert what == f"an event has waited {text} for it, longer than health.max_queue_age ({age})"
    await lane.settle(1, 10, "delivered")
    assert await told(rig, attrs.evolve(NO_LIMITS, max_queue_age=Duration.parse(age))) == []


async def test_what_is_being_delivered_waits_all_the_same(rig: Rig) -> None:
    lane = rig.lane("out")
    await written(rig, 100)
    lane.busy = (1, 10)
    assert await told(rig, attrs.evolve(NO_LIMITS, max_queue_age=Duration(50))) != []


async def test_share_of_the_bytes(rig: Rig) -> None:
    lane = rig.lane("out", when_full="drop_oldest")
    await written(rig, 0)
    half = attrs.evolve(NO_LIMITS, max_queue_share=0.5)
    lane.bounds = attrs.evolve(lane.bounds, max_bytes=Size(lane.backlog_bytes * 2 + 2))
    assert await told(rig, half) == []
    lane.bounds = attrs.evolve(lane.bounds, max_bytes=Size(lane.backlog_bytes * 2))
    (what,) = await told(rig, half)
    assert what == f"its queue is filled to 50% of {lane.bounds.max_bytes} (health.max_queue_share is 0.5)"


async def test_a_full_lane_that_blocks_is_told_once(rig: Rig) -> None:
    """By `Retention.room`, when somebody waits for room."""
    lane = rig.lane("out", when_full="block")
    await written(rig, 0)
    lane.bounds = attrs.evolve(lane.bounds, max_bytes=Size(lane.backlog_bytes))
    assert await told(rig, attrs.evolve(NO_LIMITS, max_queue_share=0.5)) == []


async def test_share_of_the_retention(rig: Rig) -> None:
    lane = rig.lane("out")
    lane.bounds = attrs.evolve(lane.bounds, retention=Duration.parse("1h"))
    await written(rig, 3_300)
    (what,) = await told(rig, attrs.evolve(NO_LIMITS, max_queue_share=0.9))
    assert (
        what == "an event has waited 55 min for it, and is dropped after 1h (health.max_queue_share is 0.9)"
    )
    assert await told(rig, attrs.evolve(NO_LIMITS, max_queue_share=0.95)) == []


@pytest.mark.parametrize("share", [0.0, -1.0, 1.01])
def test_a_share_is_a_share(share: float) -> None:
    with pytest.raises(ValueError, match=r"must be a share such as 0\.9"):
        HealthSettings(max_queue_share=share)
