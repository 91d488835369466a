"""Fields to columns: aliases, levels, ids, numbers, and what can't be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yaat_core.components import Processor
from yaat_core.event import LEVELS, Event, EventBatch, Labels
from yaat_plugin_parse import levels, tracing

WHEN = datetime(2026, 1, 5, 10, tzinfo=UTC)
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture
def event(make: Callable[..., Processor]) -> Callable[..., Event]:
    def of(**fields: Any) -> Event:
        """The event of one JSON object, between two others so that columns have gaps."""
        lines = ['{"x":1}', json.dumps(fields), '{"msg":"y"}']
        result, _ = make("json").process(EventBatch.from_events([Event(message=line) for line in lines]))
        return list(result)[1]

    return of


@pytest.mark.parametrize("name", ["timestamp", "time", "ts", "@timestamp", "datetime", "asctime"])
def test_time_names(name: str, event: Callable[..., Event]) -> None:
    found = event(**{name: "2026-01-05T10:00:00Z"})
    assert (found.timestamp, found.tags) == (WHEN, {})


@pytest.mark.parametrize(
    "fields",
    [
        {"level": "WARN"},
        {"severity": "warning"},
        {"lvl": "W"},
        {"log": {"level": "Wrn"}},
        {"levelname": "WARNING"},
        {"level": 40},
        {"severity": 4},
    ],
)
def test_level_names(fields: dict[str, Any], event: Callable[..., Event]) -> None:
    found = event(**fields)
    assert (found.level, found.tags) == ("warning", {})


@pytest.mark.parametrize(
    "fields", [{"message": "hi"}, {"msg": "hi"}, {"log": "hi"}, {"text": "hi"}, {"event": "hi"}]
)
def test_message_names(fields: dict[str, Any], event: Callable[..., Event]) -> None:
    found = event(**fields)
    assert (found.message, found.tags) == ("hi", {})


@pytest.mark.parametrize(
    ("fields", "column", "value"),
    [
        ({"stacktrace": "at x"}, "stacktrace", "at x"),
        ({"exc_info": "Traceback\n  x"}, "stacktrace", "Traceback\n  x"),
        ({"error": {"stack_trace": "at y"}}, "stacktrace", "at y"),
        ({"service": "pay"}, "service_name", "pay"),
        ({"service": {"name": "pay"}}, "service_name", "pay"),
        ({"env": "dev"}, "environment", "dev"),
        ({"traceId": TRACE.upper()}, "trace_id", TRACE),
        ({"trace": {"id": TRACE}}, "trace_id", TRACE),
        ({"trace_id": "0af76519-16cd-43dd-8448-eb211c80319c"}, "trace_id", TRACE),
        ({"trace_id": "af7651916cd43dd8448eb211c80319c"}, "trace_id", TRACE),
        ({"dd": {"trace_id": "13235353014750950193"}}, "trace_id", f"{13235353014750950193:016x}"),
        ({"dd.trace_id": TRACE}, "trace_id", TRACE),
        ({"span_id": SPAN}, "span_id", SPAN),
        ({"dd.span_id": 12345}, "span_id", "0000000000003039"),
        ({"duration_ms": 12.5}, "duration_ms", 12.5),
        ({"duration_ms": "7"}, "duration_ms", 7.0),
        ({"status": 404}, "status_code", 404),
        ({"status_code": "503"}, "status_code", 503),
        ({"event_type": "span"}, "event_type", "span"),
        ({"operation": "GET /"}, "operation", "GET /"),
        ({"metric_name": "m"}, "metric_name", "m"),
        ({"metric_value": -2e3}, "metric_value", -2000.0),
    ],
)
def test_known_names(fields: dict[str, Any], column: str, value: Any, event: Callable[..., Event]) -> None:
    found = event(**fields)
    assert getattr(found, column) == value
    assert not found.tags


def test_traceparent_gives_both_ids(event: Callable[..., Event]) -> None:
    found = event(traceparent=f"00-{TRACE}-{SPAN}-01")
    assert (found.trace_id, found.span_id, found.tags) == (TRACE, SPAN, {})


@pytest.mark.parametrize(
    ("fields", "tags"),
    [
        ({"status": "ok"}, {"status": "ok"}),
        ({"status": 70_000}, {"status": "70000"}),
        ({"duration_ms": -1}, {"duration_ms": "-1"}),
        ({"level": "loud"}, {"level.raw": "loud"}),
        ({"level": 3}, {"level.raw": "3"}),
        ({"time": "tomorrow"}, {"timestamp.raw": "tomorrow"}),
        ({"time": "1969-01-01T00:00:00Z"}, {"timestamp.raw": "1969-01-01T00:00:00Z"}),
        ({"trace_id": "none"}, {"trace_id": "none"}),
        ({"trace_id": "0" * 32}, {"trace_id": "0" * 32}),
        ({"dd.trace_id": "0"}, {"dd.trace_id": "0"}),
        ({"dd.trace_id": "18446744073709551616"}, {"dd.trace_id": "18446744073709551616"}),
        ({"dd.trace_id": "9" * 20}, {"dd.trace_id": "9" * 20}),
        ({"event_type": "party"}, {"event_type": "party"}),
        ({"exc_info": True}, {"exc_info": "true"}),
        ({"service": " "}, {"service": " "}),
        ({"metric_value": "NaN"}, {"metric_value": "NaN"}),
        ({"metric_value": "1e400"}, {"metric_value": "1e400"}),
    ],
)
def test_what_a_column_can_not_hold_stays_a_tag(
    fields: dict[str, Any], tags: dict[str, str], event: Callable[..., Event]
) -> None:
    assert event(**fields).tags == tags


def test_the_best_name_wins_and_the_others_stay(event: Callable[..., Event]) -> None:
    found = event(
        message="a", msg="b", time="bad", ts=1767607200, timestamp="worse", level="?", severity="err"
    )
    assert (found.message, found.timestamp, found.level) == ("a", WHEN, "error")
    assert found.tags == {"msg": "b", "timestamp.raw": "worse", "time": "bad", "level.raw": "?"}


def test_without_a_time_the_time_of_reading_stays(make: Callable[..., Processor]) -> None:
    read = datetime(2026, 2, 2, tzinfo=UTC)
    batch = EventBatch.from_events(
        [Event(message='{"a":1}', timestamp=read), Event(message='{"ts":0}', timestamp=read)]
    )
    assert [event.timestamp for event in make("json").process(batch)[0]] == [
        read,
        datetime(1970, 1, 1, tzinfo=UTC),
    ]


def test_found_wins_over_what_the_source_set_and_nothing_else_is_touched(
    make: Callable[..., Processor],
) -> None:
    own = Event(
        message='{"level":"info","a":"new"}', level="error", service_name="s", tags={"a": "old", "b": "kept"}
    )
    other = Event(message='{"c":1}', level="error")
    first, second = make("json").process(EventBatch.from_events([own, other]))[0]
    assert (first.level, first.service_name, first.tags) == ("info", "s", {"a": "new", "b": "kept"})
    assert second.level == "error"


@given(st.lists(st.text(max_size=12) | st.sampled_from([*levels.WORDS, *map(str, range(70))])))
def test_levels_are_of_the_schema(words: list[str]) -> None:
    found = levels.parse(pa.array(words, pa.string())).to_pylist()
    assert set(found) <= {*LEVELS, None}
    assert all(level is not None for word, level in zip(words, found, strict=True) if word in levels.WORDS)


@given(
    st.lists(
        st.one_of(st.text(max_size=40), st.integers(0, 2**66).map(str), st.from_regex(r"[0-9a-fA-F-]{0,40}"))
    )
)
def test_ids_are_hex_or_null(texts: list[str]) -> None:
    column = pa.array(texts, pa.string())
    for read, widths in (
        (tracing.trace_id, {16, 32}),
        (tracing.span_id, {16}),
        (tracing.datadog_id, {16, 32}),
        (tracing.traceparent_trace, {32}),
        (tracing.traceparent_span, {16}),
    ):
        for found in read(column).to_pylist():
            assert found is None or (len(found) in widths and int(found, 16) and found == found.lower())


@given(st.integers(1, 18446743999999999999))
def test_datadog_ids_are_the_same_number(number: int) -> None:
    assert tracing.datadog_id(pa.array([str(number)])).to_pylist() == [f"{number:016x}"]


def test_unmatched_lines_are_counted_and_looked_at(make: Callable[..., Processor]) -> None:
    lines = [
        "2026-01-05 10:00:00 [error] 7#7: open() failed",
        "[05/Jan/2026:10:00:00 +0000] WARN something",
        "Jan  5 host app: ERROR here",
        "for more info read the manual",
        "error: no such thing",
        None,
        "",
    ]
    step = make("json")
    events = list(
        step.process(
            EventBatch.from_events(
                [Event(message=line, timestamp=datetime(2000, 1, 1, tzinfo=UTC)) for line in lines], Labels()
            )
        )[0]
    )
    assert [event.message for event in events] == lines
    assert [event.level for event in events] == ["error", "warning", "error", None, "error", None, None]
    assert [event.timestamp == WHEN for event in events] == [True, True, False, False, False, False, False]
