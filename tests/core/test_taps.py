"""Taps on a chain: who sees what, what is kept, what it costs nobody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import trio

from yaat_core.components import ComponentId, Drop, Processor
from yaat_core.discretion import DROPPED, HIDDEN, discreet
from yaat_core.event import Event, EventBatch
from yaat_core.looking import Look
from yaat_core.pipeline.chain import Chain, Step
from yaat_core.pipeline.defaults import Defaults
from yaat_core.stats import ComponentStats, Stats
from yaat_core.taps import MAX_ROWS, Passage, Tap, TapBatch, Taps


class Parse(Processor):
    """`user=NAME rest` becomes a tag and a message."""

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        messages, tags = [], []
        for text, own in zip(
            batch.column("message").to_pylist(), batch.column("tags").to_pylist(), strict=True
        ):
            head, _, rest = text.partition(" ")
            user = head.removeprefix("user=") if head.startswith("user=") else None
            tags.append([*own, *([("user", user.upper() if self.transforms else user)] if user else [])])
            messages.append(rest if user else text)
        columns = {"message": pa.array(messages), "tags": pa.array(tags, batch.column("tags").type)}
        return batch.with_columns(columns), ()

    transforms = False


class Without(Processor):
    """Drops what holds a word."""

    def __init__(self, word: str) -> None:
        self.word = word

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        kept = batch.filter(pc.invert(pc.match_substring(batch.column("message"), self.word)))
        return kept, [Drop("word", len(batch) - len(kept))]


class Redact(Without):
    """The tag `user` becomes `[user]`, `s3cret` in messages `[secret]`; what holds a word is dropped."""

    fail_closed = True

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        batch, drops = super().process(batch)
        tags = [
            [(key, "[user]" if key == "user" else value) for key, value in row]
            for row in batch.column("tags").to_pylist()
        ]
        messages = pc.replace_substring(batch.column("message"), "s3cret", "[secret]")
        columns = {"message": messages, "tags": pa.array(tags, batch.column("tags").type)}
        return batch.with_columns(columns), drops


def step(name: str, processor: Processor) -> Step:
    id = ComponentId("processors", name)
    return Step(id, processor, ComponentStats(Stats(), str(id)))


def chain(parser: Processor | None = None) -> Chain:
    defaults = Defaults(
        service_name="shop",
        environment="production",
        organization_id="local",
        host_name="h",
        tags={},
        reserved={},
    )
    steps = [step("quiet", Without("debug")), step("scrub", Redact("health"))]
    return Chain(
        parsers={},
        parser=step("parse", parser or Parse()),
        defaults=defaults,
        steps=steps,
        report=lambda id, what: None,
    )


LINES = [
    "user=bob came with s3cret",
    "user=eve debug s3cret",
    "plain s3cret",
    "user=tom health",
    "user=ann said hello to ann",
]


def look_at(
    point: str, lines: Sequence[str] = LINES, way: Chain | None = None
) -> tuple[TapBatch, EventBatch]:
    """What a tap at a point shows, and what the chain made."""
    taps, tap, way = Taps(), Tap(point), way or chain()
    with taps.watching(tap):
        batch = EventBatch.from_events([Event(message=line) for line in lines])
        trail = taps.trail("sources.app", way)
        assert trail is not None
        after, _ = way.run(batch, trail)
    look = Look(tap, 100, None, lambda ids: [Redact("health") for id in ids])
    return look._looked(tap.take(), 100, 1.0)[0], after


def events(batch: TapBatch) -> list[Any]:
    return [msgspec.json.decode(event) for event in batch.events]  # type: ignore[arg-type]


def messages(batch: TapBatch) -> list[str]:
    return [event["message"] for event in events(batch)]


def shown(batch: TapBatch) -> list[tuple[str, Any]]:
    return [(event["message"], event["tags"].get("user")) for event in events(batch)]


def test_a_tap_at_the_source_shows_its_lines_without_what_the_redaction_takes_out() -> None:
    batch, _ = look_at("sources.app")
    assert shown(batch) == [
        ("user=[user] came with [secret]", None),
        (DROPPED, None),
        ("plain [secret]", None),
        ("user=[user] said hello to [user]", None),
    ]
    assert (batch.seen, batch.shown, batch.hidden, batch.skipped) == (5, 4, 1, 0)


def test_a_tap_behind_a_format_shows_its_parts_redacted() -> None:
    batch, _ = look_at("processors.parse")
    assert shown(batch)[0] == ("came with [secret]", "[user]")
    assert shown(batch)[1] == (DROPPED, None)


def test_a_tap_behind_the_redaction_shows_what_is_stored() -> None:
    batch, after = look_at("processors.scrub")
    assert messages(batch) == after.column("message").to_pylist()
    assert (batch.seen, batch.hidden) == (3, 0)


def test_what_a_format_wrote_in_another_way_is_not_guessed_at() -> None:
    shouting = Parse()
    shouting.transforms = True
    batch, _ = look_at("sources.app", ["user=bob hello", "plain"], chain(shouting))
    assert shown(batch) == [(HIDDEN, None), ("plain", None)]


def test_a_redaction_that_fails_shows_nothing() -> None:
    batch = EventBatch.from_events([Event(message="user=bob s3cret")])
    batch = batch.with_columns({"event_id": pa.array([b"1" * 16], pa.binary(16))})
    parsed = batch.with_columns({"message": "s3cret"})

    def fails(batch: EventBatch) -> EventBatch:
        raise RuntimeError

    made, gone = discreet(batch, parsed, parsed.with_columns({"message": "[secret]"}), fails)
    assert made.column("message").to_pylist() == [HIDDEN]
    assert gone == 0


def test_when_everything_is_dropped_before_the_redaction_no_text_is_shown() -> None:
    batch, after = look_at("sources.app", ["debug s3cret", "debug"])
    assert len(after) == 0
    assert shown(batch) == [(DROPPED, None)] * 2


def test_a_chain_makes_the_same_with_a_tap_and_without() -> None:
    _, tapped = look_at("sources.app")
    plain, _ = chain().run(EventBatch.from_events([Event(message=line) for line in LINES]))
    for name in ("message", "tags", "service_name"):
        assert tapped.column(name).equals(plain.column(name))


def test_nobody_looks_where_nobody_looks() -> None:
    taps = Taps()
    assert taps.trail("sources.app", chain()) is None
    with taps.watching(Tap("sources.other")):
        assert taps.trail("sources.app", chain()) is None
    with taps.watching(Tap("processors.scrub")):
        assert taps.trail("sources.app", chain()) is not None
    assert taps.trail("sources.app", chain()) is None


def test_what_nobody_takes_is_bounded_and_the_newest_stays() -> None:
    tap = Tap("queue")
    for number in range(200):
        batch = EventBatch.from_events([Event(message=str(number))] * 1_000)
        tap.put(Passage(batch, last=(number + 1) * 1_000))
    taken = tap.take()
    kept = sum(len(one.batch) for one in taken.passages)
    assert kept <= MAX_ROWS
    assert taken.seen == 200_000
    assert taken.passages[-1].batch.column("message")[0].as_py() == "199"
    look = Look(tap, 100, None, lambda ids: [])
    told, _ = look._looked(taken, 100, 1.0)
    assert messages(told) == ["199"] * 100
    assert (told.seen, told.shown, told.skipped) == (200_000, 100, 199_900)
    assert told.sequence == 200_000


def test_a_filter_is_asked_before_the_newest_are_chosen() -> None:
    tap = Tap("queue")
    for start in (0, 3):
        tap.put(
            Passage(EventBatch.from_events([Event(message=f"keep {n}") for n in range(start, start + 3)]))
        )
        tap.put(Passage(EventBatch.from_events([Event(message="drop me")] * 5)))
    look = Look(tap, 4, Without("drop"), lambda ids: [])
    told, _ = look._looked(tap.take(), 4, 1.0)
    assert messages(told) == [f"keep {n}" for n in (2, 3, 4, 5)]
    assert (told.seen, told.shown, told.filtered, told.skipped) == (16, 4, 10, 2)


async def test_looking_ends_with_the_one_who_looks(autojump_clock: trio.testing.MockClock) -> None:
    taps, tap = Taps(), Tap("sinks.local")
    closing = Without("x")
    closed: list[bool] = []
    closing.close = lambda: closed.append(True)  # type: ignore[method-assign]
    batches = Look(tap, 10, closing, lambda ids: []).batches(taps)
    first = await anext(batches)
    assert (first.events, first.live) == ((), True)
    taps.show("sinks.local", EventBatch.from_events([Event(message="here")]))
    assert messages(await anext(batches)) == ["here"]
    await batches.aclose()  # type: ignore[attr-defined]
    assert closed
    taps.show("sinks.local", EventBatch.from_events([Event(message="late")]))
    assert tap.take().seen == 0


@pytest.mark.parametrize("rate", [1, 10])
async def test_no_more_are_shown_than_were_asked_for(
    autojump_clock: trio.testing.MockClock, rate: int
) -> None:
    taps, tap = Taps(), Tap("sinks.local")
    batches = Look(tap, rate, None, lambda ids: []).batches(taps)
    await anext(batches)
    began, shown, skipped = trio.current_time(), 0, 0
    for _ in range(40):
        taps.show("sinks.local", EventBatch.from_events([Event(message="m")] * 20))
        told = await anext(batches)
        shown, skipped = shown + told.shown, skipped + told.skipped
        assert told.seen == told.shown + told.skipped
    assert shown <= rate * (trio.current_time() - began + 1)
    assert shown + skipped == 800
    await batches.aclose()  # type: ignore[attr-defined]
