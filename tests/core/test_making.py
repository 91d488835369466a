"""Events that processors make themselves: their way, their accounting, their end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import trio
from support.rig import Rig

from yaat_core import tags
from yaat_core.components import ComponentId, Drop, Processor
from yaat_core.event import Event, EventBatch
from yaat_core.pipeline.chain import Chain, Step
from yaat_core.pipeline.defaults import Defaults
from yaat_core.pipeline.intake import Intake
from yaat_core.pipeline.making import Makers
from yaat_core.pipeline.writer import QueueWriter
from yaat_core.stats import ComponentStats, Stats


class Says(Processor):
    """Says what it was given; once."""

    def __init__(self, *events: Event, final: bool = False) -> None:
        self.events, self.final = list(events), final

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        return batch, ()

    def flush(self, *, final: bool) -> EventBatch | None:
        if not self.events or (self.final and not final):
            return None
        events, self.events = self.events, []
        return EventBatch.from_events(events)


class Raises(Says):
    def flush(self, *, final: bool) -> EventBatch | None:
        raise RuntimeError("no")


class Marks(Processor):
    """Sees what comes behind; drops what says so."""

    def __init__(self, name: str) -> None:
        self.name = name

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        kept = batch.filter([message != "drop" for message in batch.column("message").to_pylist()])
        marked = tags.add_constant(kept.column("tags"), {self.name: "seen"})
        return kept.with_columns({"tags": marked}), [Drop("unwanted", len(batch) - len(kept))]


def step(name: str, processor: Processor) -> Step:
    id = ComponentId("processors", name)
    return Step(id, processor, ComponentStats(Stats(), str(id)))


def chain(source: str, told: list[str], *steps: Step) -> Chain:
    defaults = Defaults(
        service_name=source,
        environment="production",
        organization_id="local",
        host_name="here",
        tags={},
        reserved={"yaat.source": f"sources.{source}"},
    )
    return Chain(
        parsers={},
        parser=None,
        defaults=defaults,
        steps=steps,
        report=lambda id, what: told.append(f"{id} {what}"),
    )


def of(source: str, message: str) -> Event:
    return Event(message=message, tags={"yaat.source": f"sources.{source}"})


def test_each_goes_the_way_of_its_source_behind_its_maker() -> None:
    says = step(
        "says", Says(of("a", "for a"), of("b", "for b"), Event(message="for nobody"), of("b", "drop"))
    )
    before, behind, only_b = (step(name, Marks(name)) for name in ("before", "behind", "only_b"))
    chains = {
        "sources.a": chain("a", [], before, says, behind),
        "sources.b": chain("b", [], says, behind, only_b),
    }
    makers = Makers(chains)
    assert makers
    made = makers.made(final=False)
    events = {event.message: event for one in made for event in one.batch}
    seen = {message: set(event.tags) - {"yaat.source", "host.name"} for message, event in events.items()}
    assert seen == {"for a": {"behind"}, "for nobody": {"behind"}, "for b": {"behind", "only_b"}}
    assert events["for nobody"].tags["yaat.source"] == "sources.a"
    assert all(event.event_id.int for event in events.values())
    assert [
        (one.component, one.count, len(one.batch), sum(drop.count for drop in one.drops)) for one in made
    ] == [
        ("processors.says", 2, 2, 0),
        ("processors.says", 2, 1, 1),
    ]
    assert makers.made(final=True) == []


def test_one_that_raises_is_told_and_the_others_are_asked() -> None:
    told: list[str] = []
    made = Makers(
        {"sources.a": chain("a", told, step("bad", Raises()), step("good", Says(of("a", "x"))))}
    ).made(final=False)
    assert [one.component for one in made] == ["processors.good"]
    assert told == ["processors.bad raised RuntimeError when it was asked for events of its own"]


def test_without_makers_nobody_is_asked() -> None:
    assert not Makers({"sources.a": chain("a", [], step("marks", Marks("marks")))})


async def test_what_is_said_at_the_end_is_durable_and_in_the_accounting(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    intake, told = Intake(), list[str]()
    soon, last = Says(of("a", "soon"), of("a", "drop")), Says(of("a", "last"), final=True)
    chains = {
        "sources.a": chain("a", told, step("soon", soon), step("last", last), step("marks", Marks("m")))
    }
    writer = QueueWriter(
        intake, chains, rig.door, rig.stats, gate=rig.retention.room, written=rig.retention.after_append
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(writer.run)
        receipt = await intake.put("sources.a", EventBatch.from_events([Event(message="read")]), {b"k": b"1"})
        await receipt.durable()
        with trio.fail_after(60):
            while soon.events:
                await trio.sleep(0.05)
            await writer.finish()
        nursery.cancel_scope.cancel()
    state = rig.queue.state()
    records = rig.queue.read(0, max_rows=100, max_bytes=2**30)
    messages = [message for record in records for message in record.batch.column("message").to_pylist()]
    assert messages == ["read", "soon", "last"]
    assert (state.read, state.accepted, dict(state.dropped)) == (
        4,
        3,
        {("processors.marks", "unwanted", ""): 1},
    )
