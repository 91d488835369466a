"""Repetitions that no event tells of are told by one of their own."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from support.batches import START, at, batch

from yaat_core.event import Event
from yaat_plugin_sample import untold
from yaat_plugin_sample.config import DedupeConfig
from yaat_plugin_sample.repeats import TAG, Dedupe


class Clock:
    """Seconds after `START`."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return START.timestamp() + self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def dedupe(clock: Clock) -> Dedupe:
    return Dedupe(DedupeConfig(window=60.0), clock)  # type: ignore[arg-type]


def said(dedupe: Dedupe, *, final: bool = False) -> list[Event]:
    made = dedupe.flush(final=final)
    return [] if made is None else list(made)


def counts(events: list[Event]) -> dict[str | None, int]:
    return {event.message: int(event.tags[TAG]) for event in events}


def test_when_the_window_is_over_the_last_repetition_is_said_with_the_count(
    dedupe: Dedupe, clock: Clock
) -> None:
    given = batch(*(at(second, message="again", tags={"k": str(second)}) for second in range(5)))
    dedupe.process(given)
    assert said(dedupe) == []
    clock.now = 59.9
    assert said(dedupe) == []
    clock.now = 60
    [event] = said(dedupe)
    assert dict(event.tags) == {TAG: "4", "k": "4"}
    assert (event.message, event.timestamp) == ("again", at(4).timestamp)
    assert event.event_id is None, "the pipeline gives a new one"
    assert said(dedupe, final=True) == []


def test_the_next_event_tells_and_then_there_is_nothing_to_say(dedupe: Dedupe, clock: Clock) -> None:
    dedupe.process(batch(at(0, message="a"), at(1, message="a"), at(61, message="a")))
    clock.now = 1_000
    assert said(dedupe) == []
    dedupe.process(batch(at(62, message="a")))
    assert counts(said(dedupe, final=True)) == {"a": 1}


def test_while_a_backlog_comes_nothing_is_said_before_it_is_quiet(dedupe: Dedupe, clock: Clock) -> None:
    clock.now = 1_000_000
    for _ in range(10):
        dedupe.process(batch(at(0, message="old"), at(1, message="old")))
        clock.now += 1
        assert said(dedupe) == []
    clock.now += 4
    assert counts(said(dedupe)) == {"old": 19}


def test_a_clock_that_is_set_back_delays_nothing(dedupe: Dedupe, clock: Clock) -> None:
    clock.now = 10_000
    dedupe.process(batch(at(10_000, message="a"), at(10_000, message="a")))
    clock.now = 0
    assert counts(said(dedupe)) == {"a": 1}


def test_spans_and_metrics_are_not_said_again(dedupe: Dedupe) -> None:
    kinds: dict[str, Any] = {
        "span": {"operation": "GET /"},
        "metric": {"metric_name": "n", "metric_value": 1.0},
    }
    for kind, fields in kinds.items():
        dedupe.process(batch(*[at(0, event_type=kind, **fields)] * 3))
    assert said(dedupe, final=True) == []


@pytest.mark.parametrize("limit", [1, 20_000, 8 << 20])
def test_whatever_comes_every_drop_is_told_or_beyond_what_is_kept(
    dedupe: Dedupe, clock: Clock, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr(untold, "KEPT_BYTES", limit)
    monkeypatch.setattr(untold, "_HELD_BYTES", 4 * limit)
    rng = random.Random(limit)
    told, dropped = Counter[str](), Counter[str]()
    for _ in range(200):
        messages = [f"m{rng.randrange(50)}" for _ in range(rng.randrange(30))]
        after, drops = dedupe.process(batch(*(at(clock.now, message=one) for one in messages)))
        dropped.update(messages)
        dropped.subtract(str(event.message) for event in after)
        assert sum(drop.count for drop in drops) == len(messages) - len(after)
        told.update(counts([event for event in after if TAG in event.tags]))
        told.update(counts(said(dedupe)))
        clock.now += rng.choice([0, 1, 70])
    told.update(counts(said(dedupe, final=True)))
    if limit > 1 << 20:
        assert +told == +dropped
    assert all(told[message] <= count for message, count in dropped.items())
