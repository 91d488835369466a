"""How much may wait for a sink before health says that something is wrong: the limits under `health:`."""

from __future__ import annotations

from collections.abc import Sequence

from yaat_core.config.model import HealthSettings
from yaat_core.health import HealthBoard
from yaat_core.pipeline.lane import Lane

_TOPIC = "limit"


async def look_at(lanes: Sequence[Lane], limits: HealthSettings, health: HealthBoard) -> None:
    """Tell of each sink the first limit that what waits for it passes; what is within its limits again is cleared."""
    for lane in lanes:
        over = await _over(lane, limits)
        if over and lane.cursor.detached_at_us is None:  # not taken away meanwhile
            health.set(
                lane.name,
                over,
                advice="see why the sink is slow or can't be reached; the limits are those under `health:`",
                topic=_TOPIC,
            )
        else:
            health.clear(lane.name, _TOPIC)


async def _over(lane: Lane, limits: HealthSettings) -> str:
    if not lane.waiting:
        return ""
    if limits.max_queue_events is not None and lane.queued > limits.max_queue_events:
        return (
            f"{lane.queued} events wait for it, more than health.max_queue_events ({limits.max_queue_events})"
        )
    return _of_bytes(lane, limits.max_queue_share) or _of_age(lane, await lane.age(), limits)


def _of_bytes(lane: Lane, share: float | None) -> str:
    """A full lane that blocks is told by who waits for it."""
    if share is None or lane.backlog_bytes < share * lane.bounds.max_bytes:
        return ""
    if lane.full and lane.bounds.when_full == "block":
        return ""
    filled = lane.backlog_bytes / lane.bounds.max_bytes
    return f"its queue is filled to {filled:.0%} of {lane.bounds.max_bytes} (health.max_queue_share is {share:g})"


def _of_age(lane: Lane, age: float, limits: HealthSettings) -> str:
    told = _told(age)
    if limits.max_queue_age is not None and age > limits.max_queue_age:
        return f"an event has waited {told} for it, longer than health.max_queue_age ({limits.max_queue_age})"
    kept, share = lane.bounds.retention, limits.max_queue_share
    if kept is not None and share is not None and age >= share * kept:
        return (
            f"an event has waited {told} for it, and is dropped after {kept} "
            f"(health.max_queue_share is {share:g})"
        )
    return ""


def _told(seconds: float) -> str:
    unit, size = next(
        (unit, size) for unit, size in (("h", 3600), ("min", 60), ("s", 1)) if seconds >= size or size == 1
    )
    return f"{seconds / size:.3g} {unit}"
