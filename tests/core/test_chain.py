"""Processors: order, recount, rows that make one raise."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow.compute as pc

from yaat_core.components import ComponentId, Drop, Processor
from yaat_core.event import Event, EventBatch, Labels
from yaat_core.pipeline.chain import Chain, Step
from yaat_core.pipeline.defaults import Defaults
from yaat_core.stats import ComponentStats, Stats

DEFAULTS = Defaults(
    service_name="svc",
    environment="production",
    organization_id="local",
    host_name="h",
    tags={"team": "payments"},
    reserved={"yaat.source": "sources.app"},
)


class Do(Processor):
    def __init__(self, what: Callable[[EventBatch], tuple[EventBatch, Sequence[Drop]]]) -> None:
        self.process = what  # type: ignore[method-assign]

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        raise NotImplementedError


class Closed(Do):
    fail_closed = True


def chain(*processors: Processor, parsers: dict[str, Processor] | None = None) -> tuple[Chain, list[str]]:
    told: list[str] = []
    stats = Stats()

    def step(index: int | str, processor: Processor) -> Step:
        id = ComponentId("processors", f"p{index}")
        return Step(id, processor, ComponentStats(stats, str(id)))

    made = Chain(
        parsers={name: step(name, one) for name, one in (parsers or {}).items()},
        parser=None,
        defaults=DEFAULTS,
        steps=[step(index, one) for index, one in enumerate(processors)],
        report=lambda id, what: told.append(f"{id}: {what}"),
    )
    return made, told


def batch(*messages: str, **fields: str) -> EventBatch:
    return EventBatch.from_events([Event(message=text, **fields) for text in messages])


def raise_on_bad(given: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
    if "bad" in given.column("message").to_pylist():
        raise RuntimeError("bad row")
    return given.with_columns({"level": "info"}), ()


def test_defaults_fill_what_is_empty_and_own_values_win() -> None:
    made, _ = chain()
    events = [
        Event(message="a"),
        Event(message="b", service_name="own", tags={"team": "x", "yaat.source": "spoofed"}),
    ]
    after, drops = made.run(
        EventBatch.from_events(events, Labels(service_name="label", tags={"log.file.path": "/p"}))
    )
    first, second = after
    assert not drops
    assert (first.service_name, second.service_name) == ("label", "own")
    assert first.tags == {
        "host.name": "h",
        "team": "payments",
        "log.file.path": "/p",
        "yaat.source": "sources.app",
    }
    assert second.tags["team"] == "x"
    assert second.tags["yaat.source"] == "sources.app"
    assert first.environment == "production"
    assert first.event_id is not None
    assert first.event_id != second.event_id


def test_a_label_names_the_parser() -> None:
    made, _ = chain(
        parsers={"up": Do(lambda b: (b.with_columns({"message": pc.utf8_upper(b.column("message"))}), ()))}
    )
    after, _ = made.run(batch("a").with_labels(Labels(format="up")))
    assert [event.message for event in after] == ["A"]
    after, _ = made.run(batch("a"))
    assert [event.message for event in after] == ["a"]


def test_rows_that_make_a_processor_raise_pass_unchanged() -> None:
    made, told = chain(Do(raise_on_bad))
    after, drops = made.run(batch("a", "bad", "b", "c", "bad"))
    assert [(event.message, event.level) for event in after] == [
        ("a", "info"),
        ("bad", None),
        ("b", "info"),
        ("c", "info"),
        ("bad", None),
    ]
    assert not drops
    assert told == ["processors.p0: raised RuntimeError on 2 of 5 events"]


def test_a_closed_processor_lets_nothing_through_that_it_did_not_see() -> None:
    made, _ = chain(Closed(raise_on_bad))
    after, drops = made.run(batch("a", "bad", "b"))
    assert [event.message for event in after] == ["a", "b"]
    assert [(drop.component, drop.reason, drop.count) for drop in drops] == [("processors.p0", "error", 1)]


def test_a_processor_that_always_raises_is_not_called_for_every_row() -> None:
    calls = 0

    def fail(given: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        nonlocal calls
        calls += 1
        raise RuntimeError

    made, _ = chain(Do(fail))
    after, _ = made.run(batch(*(["x"] * 4_096)))
    assert len(after) == 4_096
    assert calls < 300


def test_what_a_processor_hides_is_counted() -> None:
    made, _ = chain(Do(lambda given: (given.slice(0, 1), [Drop("filter", 1, "health")])))
    after, drops = made.run(batch("a", "b", "c"))
    assert len(after) == 1
    assert {(drop.reason, drop.rule): drop.count for drop in drops} == {
        ("filter", "health"): 1,
        ("undeclared", ""): 1,
    }


def test_a_processor_that_makes_events_is_refused() -> None:
    made, told = chain(Do(lambda given: (EventBatch.concat([given, given]), ())))
    after, drops = made.run(batch("a", "b"))
    assert [event.message for event in after] == ["a", "b"]
    assert not drops
    assert "ValueError" in told[0]


def test_nothing_left_ends_the_chain() -> None:
    made, _ = chain(Do(lambda b: (b.slice(0, 0), [Drop("all", len(b))])), Do(raise_on_bad))
    after, drops = made.run(batch("bad"))
    assert len(after) == 0
    assert drops[0].count == 1
