"""What the meter makes of the agent's counters."""

from __future__ import annotations

from yaat_core.rates import KEPT, SPAN, Meter
from yaat_core.stats import Stats
from yaat_core.status import QueueFigures


def made() -> tuple[Stats, Meter]:
    stats = Stats()
    return stats, Meter(stats, lambda: QueueFigures(events=7, bytes=700, oldest_seconds=0))


def test_rates_are_those_of_the_last_few_looks() -> None:
    stats, meter = made()
    read = stats.counter("yaat_events_read_total", "", component="sources.app")
    failed = stats.counter("yaat_component_failures_total", "", component="sources.app")
    size = stats.counter("yaat_source_bytes_total", "", component="sources.app")
    meter.look(100.0)
    for second in range(1, 20):
        read.add(50)
        size.add(5_000)
        failed.add(1)
        meter.look(100.0 + second)
    (rates,) = meter.rates(["sources.app"], 119.5)
    assert (rates.in_, rates.bytes, rates.errors, rates.out) == (50, 5_000, 1, 0)
    assert rates.last_event_seconds == 0.5
    for second in range(SPAN + 1):
        meter.look(120.0 + second)
    (rates,) = meter.rates(["sources.app"], 126.0)
    assert (rates.in_, rates.last_event_seconds) == (0, 7.0)


def test_labels_of_one_component_are_added_and_others_kept_apart() -> None:
    stats, meter = made()
    meter.look(1.0)
    for rule in ("a", "b"):
        stats.counter("yaat_processor_errors_total", "", component="processors.scrub", rule=rule).add(3)
    stats.counter("yaat_events_dead_total", "", component="sinks.cloud").add(4)
    meter.look(3.0)
    by_name = {one.component: one for one in meter.rates(["processors.scrub", "sinks.cloud", "sinks.x"], 3.0)}
    assert by_name["processors.scrub"].errors == 3
    assert by_name["sinks.cloud"].errors == 2
    assert (by_name["sinks.x"].errors, by_name["sinks.x"].last_event_seconds) == (0, None)


def test_history_is_five_minutes_and_no_more() -> None:
    stats, meter = made()
    assert meter.history(0.0).seconds == []
    read = stats.counter("yaat_events_read_total", "", component="sources.app")
    delivered = [stats.counter("yaat_events_delivered_total", "", component=f"sinks.{n}") for n in "ab"]
    for second in range(KEPT + 50):
        read.add(second)
        for one in delivered:
            one.add(1)
        meter.look(float(second))
    history = meter.history(float(KEPT + 50))
    assert history.seconds == [float(KEPT - n) for n in range(KEPT)]
    assert history.in_ == [float(50 + n) for n in range(KEPT)], "a value a second, oldest first"
    assert set(history.out) == {2.0}, "of all sinks together"
    assert set(history.queue_events) == {7.0}
    assert set(history.queue_bytes) == {700.0}


def test_what_shrinks_is_not_a_negative_rate() -> None:
    stats, meter = made()
    stats.counter("yaat_events_read_total", "", component="sources.app").add(5)
    meter.look(1.0)
    stats.forget(component="sources.app")
    meter.look(2.0)
    assert meter.rates(["sources.app"], 2.0)[0].in_ == 0
    assert meter.history(2.0).in_[-1] == 0
