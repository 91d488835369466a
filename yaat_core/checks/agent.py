"""The agent itself: its state, the accounting, what its event loop and its memory say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import psutil

from yaat_core.checks.base import GROUPS, Check, Level, Looking, Surroundings, verdict
from yaat_core.checks.limits import memory_limit
from yaat_core.status import Accounting, ComponentStatus

#: Seconds that the event loop may wake up late, and which share of times may be later, before a check warns.
_LATE: Final = 0.25
_SHARE: Final = 0.01
#: Share of the memory that there is which the agent may take before a check warns.
_MUCH: Final = 0.8


def state(around: Surroundings) -> Iterator[Check]:
    """Does one run, and in which state."""
    if around.status is None:
        return
    now = around.status.state
    advice = {
        "storage_full": "the queue can't be written: make room on the disk of the state directory",
        "waiting_for_sinks": "a sink does not say where it stands; mend it, or `yaat queue accept-loss`",
    }.get(now, "")
    level: Level = "error" if now == "storage_full" else verdict(bool(advice))
    yield Check(name="agent", level=level, what=f"{now}, pid {around.status.pid}", advice=advice)


def accounting(around: Surroundings) -> Iterator[Check]:
    """Do the sums agree, and was anything lost."""
    numbers = around.status.accounting if around.status else around.accounting
    if numbers is None:
        return
    yield _balance(numbers)
    yield _loss(numbers)


def components(around: Surroundings) -> Iterator[Check]:
    """How each component runs."""
    for one in around.status.components if around.status else ():
        yield _component(one)


def health(around: Surroundings) -> Iterator[Check]:
    """What components say is wrong with them while they go on."""
    for one in around.status.health.problems if around.status else ():
        kind = one.component.partition(".")[0]
        yield Check(
            name=one.component,
            component=one.component,
            level=one.level,
            what=f"{one.what} (since {one.since})",
            advice=one.advice,
            group=kind if kind in GROUPS else "",
        )


def event_loop(around: Surroundings) -> Iterator[Check]:
    """How late the event loop woke up since the start: a component that blocks it holds up all others."""
    for sample in around.samples:
        if sample.name != "yaat_event_loop_delay_seconds" or not sample.count:
            continue
        prompt = max((count for bound, count in sample.buckets if bound <= _LATE), default=0)
        late = sample.count - prompt
        bad = late > max(1, sample.count * _SHARE)
        what = f"{late} of {sample.count} looks were more than {_LATE:g} s late"
        if not late:
            what = f"never more than {_LATE:g} s late in {sample.count} looks"
        yield Check(
            name="event loop",
            level=verdict(bad),
            what=what,
            advice="the machine is overloaded, or a plugin blocks the loop; the log at --log-level debug may tell which"
            if bad
            else "",
        )


def memory(around: Surroundings) -> Iterator[Check]:
    """What the agent takes, against what there is for it."""
    if around.status is None:
        return
    used = psutil.Process().memory_info().rss
    room, whose = memory_limit()
    much = used > room * _MUCH
    yield Check(
        name="memory",
        level=verdict(much),
        what=f"{used >> 20} MiB resident of {room >> 20} MiB ({whose})",
        advice="raise the limit, or lower the queue's and the sinks' memory (`query_memory`, `max_batch_bytes`)"
        if much
        else "",
    )


def _balance(numbers: Accounting) -> Check:
    if numbers.balanced:
        return Check(name="accounting", level="ok", what="every event is accounted for")
    return Check(
        name="accounting",
        level="error",
        what="the numbers don't add up: events are unaccounted for",
        advice="run `yaat queue verify`, and report it with the output of `yaat flare`",
    )


def _loss(numbers: Accounting) -> Check:
    lost = {name: sink.lost for name, sink in numbers.by_sink.items() if sink.lost}
    if not lost:
        return Check(name="loss", level="ok", what="no event was lost")
    told = ", ".join(f"{name}: {count}" for name, count in lost.items())
    return Check(
        name="loss",
        level="warn",
        what=f"events were lost ({told})",
        advice="a queue or a database was damaged, deleted or restored; the log of that start says which",
    )


def _component(one: ComponentStatus) -> Check:
    level: Level = "error" if one.state in ("down", "paused") else verdict(one.state == "retrying")
    restarts = f", {one.restarts} restarts" if one.restarts else ""
    detail = f": {one.detail}" if one.detail else ""
    return Check(
        name=one.id,
        component=one.id,
        group=one.id.partition(".")[0],
        level=level,
        what=f"{one.state}{restarts}{detail}",
        advice="" if level == "ok" else "see the findings about it below, and the agent's log",
    )


LOOKINGS: Final = (
    Looking(name="agent", group="agent", look=state),
    Looking(name="accounting", group="agent", look=accounting),
    Looking(name="components", group="agent", look=components),
    Looking(name="health", group="agent", look=health),
    Looking(name="event loop", group="agent", look=event_loop),
    Looking(name="memory", group="agent", look=memory),
)
