"""What each processor keeps, drops, counts and marks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.batches import at, batch

from yaat_core.components import Drop, Processor
from yaat_core.event import EventBatch
from yaat_plugin_sample.config import DedupeConfig, FilterConfig, SampleConfig, ThrottleConfig
from yaat_plugin_sample.filtering import Filter
from yaat_plugin_sample.keys import keys_of
from yaat_plugin_sample.recent import Recent
from yaat_plugin_sample.repeats import Dedupe
from yaat_plugin_sample.sampling import Sample
from yaat_plugin_sample.throttling import Throttle


def run(processor: Processor, *events: Any) -> tuple[list[str | None], list[Drop]]:
    after, drops = processor.process(batch(*events))
    return after.column("message").to_pylist(), list(drops)


def test_filter_keeps_or_drops_and_counts() -> None:
    events = [at(0, message="a", level="info"), at(0, message="b", level="debug"), at(0, message="c")]
    assert run(Filter(FilterConfig(keep="level = 'info'")), *events) == (["a"], [Drop("filter", 2)])
    assert run(Filter(FilterConfig(drop="level = 'info'")), *events) == (["b", "c"], [Drop("filter", 1)])


def test_what_can_not_be_computed_counts_as_false() -> None:
    events = [at(0, message="12"), at(0, message="no number"), at(0, message=None)]
    assert run(Filter(FilterConfig(keep="message::INT > 10")), *events)[0] == ["12"]
    assert run(Filter(FilterConfig(drop="message::INT > 10")), *events)[0] == ["no number", None]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "write one of `keep` and `drop`"),
        ({"keep": "true", "drop": "true"}, "write one of `keep` and `drop`"),
        ({"keep": "levl = 'x'"}, "did you mean `level`?"),
        ({"drop": "read_text('/etc/passwd') = ''"}, "`read_text` can't be used here"),
        ({"drop": "level = "}, "syntax error"),
        ({"drop": "message"}, "not true or false"),
        ({"drop": "(SELECT true)"}, "subquery can't be used here"),
    ],
)
def test_a_wrong_expression_is_refused_with_the_reason(options: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(").replace("?", r"\?")):
        FilterConfig(**options)


def test_sampling_decides_as_opentelemetry_does() -> None:
    """Threshold and randomness as in the specification: with 25 % what has R >= 0xc0000000000000 is kept."""
    below, at_least = "0" * 18 + "bfffffffffffff", "0" * 18 + "c0000000000000"
    kept, drops = run(
        Sample(SampleConfig(percent=25)),
        at(0, message="dropped", trace_id=below),
        at(0, message="kept", trace_id=at_least),
        at(0, message="kept too", trace_id=at_least),
    )
    assert kept == ["kept", "kept too"]
    assert drops == [Drop("sampled_out", 1)]


def test_a_larger_share_holds_the_smaller_and_the_share_is_met() -> None:
    events = [at(0, message=str(number)) for number in range(10_000)]
    made = batch(*events)
    few = set(Sample(SampleConfig(percent=10)).process(made)[0].column("message").to_pylist())
    many = set(Sample(SampleConfig(percent=30)).process(made)[0].column("message").to_pylist())
    assert few < many
    assert 850 < len(few) < 1150
    assert 2750 < len(many) < 3250


def test_events_with_the_same_value_stay_together_and_what_is_kept_is_marked() -> None:
    events = [at(0, message=str(number), tags={"user": f"u{number % 20}"}) for number in range(200)]
    after, _ = Sample(SampleConfig(percent=40, by="tags.user")).process(batch(*events))
    users = [event.tags["user"] for event in after]
    assert 0 < len(set(users)) < 20
    assert all(users.count(user) == 10 for user in set(users))
    assert {event.tags["sample.percent"] for event in after} == {"40"}


def test_when_leaves_the_others_alone() -> None:
    events = [at(0, message=str(number), level="error" if number < 50 else "info") for number in range(100)]
    after, _ = Sample(SampleConfig(percent=1, when="level = 'info'")).process(batch(*events))
    errors = [event for event in after if event.level == "error"]
    assert len(errors) == 50
    assert all("sample.percent" not in event.tags for event in errors)
    assert all(event.tags["sample.percent"] == "1" for event in after if event.level == "info")


def test_a_noisy_key_does_not_take_the_share_of_others() -> None:
    throttle = Throttle(ThrottleConfig(rate=2, per=1.0, key=("tags.pod",)))  # type: ignore[arg-type]
    noisy = [at(0.1, message=f"n{number}", tags={"pod": "noisy"}) for number in range(5)]
    assert run(
        throttle, *noisy, at(0.1, message="q", tags={"pod": "quiet"}), *[at(0.1, message="none")] * 3
    ) == (
        ["n0", "n1", "q", "none", "none", "none"],
        [Drop("over_limit", 3)],
    )
    assert run(throttle, at(0.9, message="late", tags={"pod": "noisy"}))[0] == []
    assert run(throttle, at(1.1, message="next window", tags={"pod": "noisy"}))[0] == ["next window"]


def test_a_backlog_is_not_thinned_for_being_read_quickly() -> None:
    throttle = Throttle(ThrottleConfig(rate=1, per=1.0))  # type: ignore[arg-type]
    kept, drops = run(throttle, *(at(second, message=str(second)) for second in range(100)))
    assert len(kept) == 100
    assert sum(drop.count for drop in drops) == 0


def test_events_from_the_future_count_as_of_when_they_were_received() -> None:
    throttle = Throttle(ThrottleConfig(rate=1, per=3600.0))  # type: ignore[arg-type]
    far = [
        attrs.evolve(at(0, message="x"), timestamp=datetime(2100, 1, day, tzinfo=UTC)) for day in (1, 2, 3)
    ]
    assert len(run(throttle, *far)[0]) == 1


def test_what_is_remembered_is_bounded() -> None:
    throttle = Throttle(ThrottleConfig(rate=1, per=3600.0, max_keys=10))  # type: ignore[arg-type]
    for number in range(100):
        run(throttle, at(0, service_name=f"s{number}", message="m"))
    assert len(throttle._used) == 10


def test_repetitions_are_dropped_and_the_next_one_says_how_many() -> None:
    dedupe = Dedupe(DedupeConfig(window=60.0))  # type: ignore[arg-type]
    after, drops = dedupe.process(batch(*(at(second, message="again") for second in range(0, 100, 10))))
    assert [event.tags for event in after] == [{}, {"dedupe.repeated": "5"}]
    assert list(drops) == [Drop("repeated", 8)]
    after, _ = dedupe.process(batch(at(200, message="again"), at(201, message="other")))
    assert [event.tags for event in after] == [{"dedupe.repeated": "3"}, {}]


def test_numbers_may_be_ignored() -> None:
    events = [at(0, message="took 12 ms"), at(1, message="took 345 ms"), at(2, message="took long")]
    assert run(Dedupe(DedupeConfig(ignore_numbers=True)), *events)[0] == ["took 12 ms", "took long"]
    assert len(run(Dedupe(DedupeConfig()), *events)[0]) == 3


def test_a_field_that_is_absent_differs_from_one_that_is_empty() -> None:
    events = [at(0, message=None), at(0, message=""), at(0, message=""), at(0, message=None)]
    assert run(Dedupe(DedupeConfig()), *events) == ([None, ""], [Drop("repeated", 2)])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: DedupeConfig(by=()), "by is empty"),
        (lambda: DedupeConfig(by=("mesage",)), "did you mean `message`"),
        (lambda: ThrottleConfig(rate=0), "must be more than 0"),
        (lambda: SampleConfig(percent=0), "more than 0"),
        (lambda: SampleConfig(percent=101), "at most 100"),
        (lambda: SampleConfig(percent=1, by="tags."), "no field"),
    ],
)
def test_wrong_options_are_refused(make: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


@given(
    st.lists(
        st.tuples(
            st.sampled_from([None, "", "a", "b", "a\0", "\0a", "-"]), st.sampled_from([None, "", "x", "-"])
        )
    )
)
def test_keys_are_equal_exactly_where_the_fields_are(pairs: list[tuple[str | None, str | None]]) -> None:
    events = [at(0, message=message, level=level) for message, level in pairs]
    keys = keys_of(batch(*events) if events else EventBatch.empty(), ("message", "level"))
    digests = [keys.digests[code] for code in keys.codes]
    assert len(set(digests)) == len(set(pairs))
    seen: dict[bytes, tuple[str | None, str | None]] = {}
    assert all(seen.setdefault(digest, pair) == pair for digest, pair in zip(digests, pairs, strict=True))


def test_the_least_recently_used_is_forgotten() -> None:
    recent: Recent[str, int] = Recent(2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert recent.get("b") is None
    assert (recent.get("a"), recent.get("c")) == (1, 3)
