"""Events as JSON: whatever is in a batch, a JSON parser finds the same in the text."""

from __future__ import annotations

import json
import math
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yaat_core.event import SCHEMA, Event, EventBatch
from yaat_core.wire import json_elements, rows_from_json, rows_to_json, to_json_lines

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
MAYBE = st.none() | TEXT
EVENTS = st.builds(
    Event,
    message=MAYBE,
    level=st.sampled_from([None, "", "info", "error"]),
    timestamp=st.datetimes(min_value=datetime(1, 1, 1), timezones=st.just(UTC)),
    service_name=TEXT,
    environment=TEXT,
    organization_id=TEXT,
    event_id=st.uuids(),
    stacktrace=MAYBE,
    operation=MAYBE,
    duration_ms=st.none() | st.floats(),
    status_code=st.none() | st.integers(0, 65535),
    metric_name=MAYBE,
    metric_value=st.none() | st.floats(),
    tags=st.dictionaries(TEXT, TEXT, max_size=4),
)


def expected(event: Event) -> dict[str, Any]:
    """The document of an event, field by field."""
    values = {name: getattr(event, name) for name in SCHEMA.names}
    for name in ("timestamp", "received_at"):
        values[name] = values[name].replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    values["event_id"] = str(values["event_id"] or uuid.UUID(int=0))
    return {
        name: value
        for name, value in values.items()
        if value is not None and not (isinstance(value, float) and not math.isfinite(value))
    }


def one(**fields: Any) -> dict[str, Any]:
    """The document of one event."""
    (line,) = rows_to_json(EventBatch.from_events([Event(**fields)]))
    document: dict[str, Any] = json.loads(line)
    return document


@given(st.lists(EVENTS, max_size=8))
def test_a_parser_finds_what_was_in_the_batch(events: list[Event]) -> None:
    batch = EventBatch.from_events(events)
    documents = [json.loads(line) for line in rows_to_json(batch)]
    assert documents == [expected(event) for event in events]
    assert [list(document) for document in documents] == [list(expected(event)) for event in events]


@given(st.lists(EVENTS, max_size=8))
def test_what_was_written_is_read_back(events: list[Event]) -> None:
    """But for numbers that JSON has no way to write."""
    finite = [
        attrs.evolve(
            event,
            duration_ms=_finite(event.duration_ms),
            metric_value=_finite(event.metric_value),
        )
        for event in events
    ]
    rows = [msgspec.Raw(row) for row in rows_to_json(EventBatch.from_events(events))]
    assert rows_from_json(rows).columns.equals(EventBatch.from_events(finite).columns)


def _finite(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else number


@pytest.mark.parametrize(
    "change",
    [{"event_id": 1}, {"timestamp": "soon"}, {"status_code": 70_000}, {"tags": {"a": 1}}, {"message": 5}],
)
def test_a_row_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    document = {**one(message="m", status_code=5), **change}
    with pytest.raises(msgspec.MsgspecError):
        rows_from_json([msgspec.Raw(msgspec.json.encode(document))])
    del document["event_id"]
    with pytest.raises(msgspec.MsgspecError):
        rows_from_json([msgspec.Raw(msgspec.json.encode(document))])


@given(st.lists(EVENTS, min_size=1, max_size=8), st.data())
def test_lines_are_the_rows_of_slices_too(events: list[Event], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(events)))
    batch = EventBatch.from_events(events).slice(start)
    assert to_json_lines(batch) == b"".join(row + b"\n" for row in rows_to_json(batch))
    assert [json.loads(line) for line in rows_to_json(batch)] == [expected(event) for event in events[start:]]


def test_times_are_rfc_3339_with_microseconds() -> None:
    cases = {
        datetime(2026, 1, 5, 10, tzinfo=UTC): "2026-01-05T10:00:00.000000Z",
        datetime(2026, 1, 5, 23, 59, 59, 999999, tzinfo=UTC): "2026-01-05T23:59:59.999999Z",
        datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC): "1969-12-31T23:59:59.000001Z",
        datetime(1, 1, 1, tzinfo=UTC): "0001-01-01T00:00:00.000000Z",
        datetime(9999, 12, 31, tzinfo=UTC) + timedelta(hours=23): "9999-12-31T23:00:00.000000Z",
    }
    assert {one(timestamp=when)["timestamp"] for when in cases} == set(cases.values())


def test_absent_fields_are_left_out() -> None:
    assert set(one(message=None)) == {
        "organization_id",
        "service_name",
        "environment",
        "event_id",
        "timestamp",
        "received_at",
        "event_type",
        "tags",
    }
    assert one(level="", message="")["message"] == ""


def test_numbers_that_json_can_not_write_are_left_out() -> None:
    values = [float("nan"), float("inf"), -math.inf, 0.1, 1e300, -0.0, 3.0]
    rows = rows_to_json(EventBatch.from_events([Event(metric_value=value) for value in values]))
    assert [json.loads(row).get("metric_value") for row in rows] == [None, None, None, 0.1, 1e300, 0.0, 3.0]


def test_one_event_is_one_line_whatever_it_holds() -> None:
    text = 'a"b\\c\nd\re\x00\x1b\u2028\x7f\U0001f600'
    batch = EventBatch.from_events([Event(message=text, stacktrace=text, tags={text: text})] * 3)
    lines = to_json_lines(batch).split(b"\n")
    assert len(lines) == 4
    assert lines[3] == b""
    document = msgspec.json.decode(lines[0])
    assert document["message"] == document["stacktrace"] == document["tags"][text] == text


def test_a_tag_without_a_value_does_not_take_the_others_away() -> None:
    batch = EventBatch.build(2, {"tags": [("a", None), ("b", "1")]})
    assert [json.loads(row)["tags"] for row in rows_to_json(batch)] == [{"a": "", "b": "1"}] * 2


def test_no_rows() -> None:
    assert to_json_lines(EventBatch.empty()) == b""
    assert rows_to_json(EventBatch.empty()) == []


def test_elements_of_an_array_can_be_cut_anywhere() -> None:
    batch = EventBatch.from_events([Event(message=f'"{n}"\n' * n) for n in range(20)])
    data, offsets = json_elements(batch)
    whole = [json.loads(row) for row in rows_to_json(batch)]
    for start, stop in ((0, 20), (3, 4), (5, 19)):
        cut = bytes(data[offsets[start] : offsets[stop] - 1])
        assert json.loads(b"[" + cut + b"]") == whole[start:stop]
    data, offsets = json_elements(EventBatch.empty())
    assert (bytes(data), list(offsets)) == (b"", [0])
