"""What waits: how old and how much, against the bounds; the store itself; dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from yaat_core import deadletters
from yaat_core.checks.base import Check, Level, Looking, Surroundings, verdict

#: Seconds that the oldest waiting event may have before a check warns.
OLD: Final = 300.0
#: Share of a sink's bound from which on a check warns.
_NEAR: Final = 0.8


def backlog(around: Surroundings) -> Iterator[Check]:
    """How much waits for the slowest sink."""
    figures = around.status.queue if around.status else around.queue
    if figures is None:
        yield Check(name="backlog", level="skipped", what="there is no queue yet, or it can't be opened")
        return
    what = f"{figures.events} events wait"
    old = figures.oldest_seconds > OLD
    if figures.events:
        what += f" in {figures.bytes >> 10} KiB, the oldest for {figures.oldest_seconds:.0f} s"
    advice = "a sink is slow or down; `yaat status` shows which one has events queued"
    if around.status is None:
        advice = "start the agent: what waits is delivered then"
    yield Check(name="backlog", level=verdict(old), what=what, advice=advice if old else "")


def bounds(around: Surroundings) -> Iterator[Check]:
    """How near each sink is to the bound beyond which its events are dropped, or its sources wait."""
    waiting = {
        sample.labels.get("component"): sample.value
        for sample in around.samples
        if sample.name == "yaat_sink_queued_bytes"
    }
    for entry in around.configuration.sinks.values():
        used = waiting.get(str(entry.id))
        if used is None:
            continue
        most = int(entry.bounds.max_bytes)
        full: Level = "error" if used >= most else verdict(used > most * _NEAR)
        beyond = {
            "block": "sources wait",
            "drop_oldest": "the oldest are dropped",
            "drop_newest": "new ones are dropped",
        }
        yield Check(
            name=f"room for {entry.id}",
            component=str(entry.id),
            level=full,
            what=f"{int(used) >> 10} KiB of {entry.bounds.max_bytes} wait; beyond, {beyond[entry.bounds.when_full]}",
            advice="" if full == "ok" else "mend or speed up the sink, or raise its queue's max_bytes",
        )


def dead(around: Surroundings) -> Iterator[Check]:
    """Events that a sink refused for good."""
    folder = around.configuration.state_dir / around.configuration.dead_letter.path
    heads = deadletters.heads(folder)
    by_sink: dict[str, int] = {}
    for head in heads:
        by_sink[head.sink] = by_sink.get(head.sink, 0) + head.events
    broken = [head for head in heads if head.problem]
    if broken:
        yield Check(
            name="dead letters",
            level="warn",
            what=f"{len(broken)} files can't be read, such as {broken[0].path.name}: {broken[0].problem}",
            advice="see the disk and the rights of that folder; a damaged file is left as it is",
        )
    if not by_sink:
        yield Check(name="dead letters", level="ok", what="none")
    for sink, events in by_sink.items():
        yield Check(
            name="dead letters",
            component=sink,
            level="warn",
            what=f"{events} events that {sink} refused",
            advice="`yaat dead list` says why; mend it, then `yaat dead replay`, or `yaat dead purge`",
        )


LOOKINGS: Final = (
    Looking(name="backlog", group="queue", look=backlog),
    Looking(name="room", group="queue", look=bounds),
    Looking(name="dead letters", group="queue", look=dead),
)
