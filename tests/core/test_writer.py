"""What sources send becomes queue writes: what came while one was in progress becomes the next, small batches as one."""

from __future__ import annotations

from pathlib import Path

import trio

from yaat_core.components import QueueWrite
from yaat_core.event import Event, EventBatch, Labels
from yaat_core.health import HealthBoard
from yaat_core.pipeline.chain import Chain
from yaat_core.pipeline.defaults import Defaults
from yaat_core.pipeline.door import QueueDoor
from yaat_core.pipeline.intake import Intake, SourceOutlet
from yaat_core.pipeline.writer import QueueWriter
from yaat_core.stats import Stats
from yaat_core.testing._memory_queue import MemoryQueue as MemoryQueue

SOURCE = "sources.app"


class _Counted(Chain):
    """Notes how many rows come at once."""

    def run(self, batch, trail=None):  # type: ignore[no-untyped-def]
        CALLS.append(len(batch))
        return super().run(batch, trail)


CALLS: list[int] = []


def a_chain() -> Chain:
    defaults = Defaults(
        service_name="s",
        environment="e",
        organization_id="o",
        host_name="h",
        tags={},
        reserved={"yaat.source": SOURCE},
    )
    return _Counted(parsers={}, parser=None, defaults=defaults, steps=[], report=lambda *_: None)


def rows(*messages: str, labels: Labels | None = None) -> EventBatch:
    return EventBatch.from_events([Event(message=message) for message in messages], labels or Labels())


async def written(batches: list[EventBatch]) -> tuple[list[QueueWrite], list[int], Stats]:
    """The writes that come of batches which all wait already, and the rows of each call of the processors."""
    writes: list[QueueWrite] = []
    CALLS.clear()

    class Noting(MemoryQueue):
        def append(self, write: QueueWrite):  # type: ignore[no-untyped-def]
            writes.append(write)
            return super().append(write)

    queue = Noting()
    queue.open()
    stats = Stats()
    intake = Intake()

    async def nothing(*_: object) -> None:
        pass

    writer = QueueWriter(
        intake, {SOURCE: a_chain()}, QueueDoor(queue, HealthBoard()), stats, gate=nothing, written=nothing
    )
    outlet = SourceOutlet(intake, SOURCE, {})
    receipts = [
        await outlet.send(batch, {b"at": b"%d" % number, b"only%d" % number: b"1"})
        for number, batch in enumerate(batches)
    ]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(writer.run)
        with trio.fail_after(60):
            for receipt in receipts:
                await receipt.durable()
        nursery.cancel_scope.cancel()
    return writes, list(CALLS), stats


async def test_many_small_batches_are_one_write_and_one_call():
    writes, calls, stats = await written([rows(f"{number}") for number in range(50)])
    assert [len(write.batch) for write in writes] == [50]
    assert calls == [50]
    assert [event.message for event in writes[0].batch] == [f"{number}" for number in range(50)]
    assert writes[0].read == 50
    checkpoints = writes[0].checkpoints[SOURCE]
    assert checkpoints[b"at"] == b"49"
    assert len(checkpoints) == 51
    assert {one.value for one in stats.snapshot() if one.name == "yaat_events_read_total"} == {50}


async def test_batches_with_other_labels_pass_the_processors_alone():
    there = Labels(tags={"at": "there"})
    batches = [rows("a"), rows("b", labels=there), rows("c", labels=Labels(tags={"at": "there"})), rows("d")]
    writes, calls, _ = await written(batches)
    assert calls == [1, 2, 1]
    assert [event.tags.get("at") for event in writes[0].batch] == [None, "there", "there", None]


async def test_large_batches_are_not_copied_together():
    large = rows(*(["x"] * 2_000))
    _, calls, _ = await written([rows("a"), large, rows("b"), large])
    assert calls == [1, 2_000, 1, 2_000]


async def test_what_was_relayed_keeps_what_its_agent_said(tmp_path: Path):
    tags = {"host.name": "web-1", "yaat.source": "sources.theirs", "yaat.gateway": "made up"}
    event = Event(message="m", tags=tags)
    relayed = EventBatch.from_events([event, Event(message="bare")], Labels(relayed=True))
    own = EventBatch.from_events([event], Labels())
    writes, _, _ = await written([relayed, own])
    found = [dict(one.tags) for one in writes[0].batch]
    assert found == [
        {"host.name": "web-1", "yaat.source": "sources.theirs", "yaat.gateway": "h"},
        {"yaat.gateway": "h"},
        {"host.name": "web-1", "yaat.source": SOURCE},
    ]
