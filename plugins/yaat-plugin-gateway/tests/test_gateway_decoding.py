"""Bodies to batches: what is taken, what is refused, and that the quick way and the careful one agree."""

from __future__ import annotations

import datetime
import json
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_core import wire
from yaat_core.event import EVENT_TYPES, LEVELS, TIME_TYPE, Event, EventBatch
from yaat_plugin_gateway.ingest import careful, doubled, fast
from yaat_plugin_gateway.ingest.decoding import Decoded, decode
from yaat_plugin_gateway.ingest.reading import read
from yaat_plugin_gateway.web.refusal import Refused

NOW = 1_767_000_000_000_000
ID = "01890a5d-ac96-774b-bcce-b302099a8057"


def decoded(body: bytes | str) -> Decoded:
    return decode(body.encode() if isinstance(body, str) else body, "acme", NOW, 1_000)


def one(**fields: Any) -> Event:
    """The only event of a body that is taken."""
    found = decoded(json.dumps({"events": [{"service_name": "shop", **fields}]}))
    assert not found.bad, found.bad
    (event,) = found.batch
    return event


def bad(text: str) -> tuple[str, str]:
    """Field and value of the only event of a body, which is bad."""
    found = decoded(text if text.startswith('{"events"') else f'{{"events":[{text}]}}')
    assert not len(found.batch)
    (only,) = found.bad
    assert only.index == 0
    return only.field, only.got


def both_ways(body: bytes) -> EventBatch:
    quick = fast.decode(body, "acme", pa.scalar(NOW, pa.int64()).cast(TIME_TYPE))
    slow, wrong = careful.batch_of(read(body)["events"], "acme", NOW)
    assert quick is not None
    assert not wrong
    assert quick.columns.equals(slow.columns)
    return quick


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).map(str.strip).filter(bool)
HEX = st.none() | st.text("0123456789abcdef", min_size=1, max_size=32)
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.datetimes(
    datetime.datetime(1970, 1, 1), datetime.datetime(2200, 1, 1), timezones=st.just(datetime.UTC)
)
EVENTS = st.builds(
    Event,
    message=st.none() | TEXTS,
    level=st.none() | st.sampled_from(LEVELS),
    timestamp=TIMES,
    event_type=st.sampled_from(EVENT_TYPES),
    service_name=NAMES,
    environment=NAMES,
    event_id=st.uuids(),
    stacktrace=st.none() | TEXTS,
    trace_id=HEX,
    span_id=HEX,
    parent_span_id=HEX,
    operation=st.none() | TEXTS,
    duration_ms=NUMBERS,
    status_code=st.none() | st.integers(0, 65_535),
    metric_name=st.none() | TEXTS,
    metric_value=NUMBERS,
    tags=st.dictionaries(NAMES, TEXTS, max_size=4),
)


@settings(max_examples=60)
@given(st.lists(EVENTS, min_size=1, max_size=4))
def test_what_an_agent_writes_arrives_as_it_was(events):
    batch = EventBatch.from_events(events)
    body = b'{"events":[' + wire.to_json_lines(batch).strip().replace(b"\n", b",") + b"]}"
    arrived = both_ways(body)
    received = pa.scalar(NOW, pa.int64()).cast(TIME_TYPE)
    expected = batch.with_columns({"organization_id": "acme", "received_at": received})
    assert arrived.columns.equals(expected.columns)


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [*careful._FIELDS, "tags", "organization_id", "received_at", "more"]


@settings(max_examples=120)
@given(st.lists(st.dictionaries(st.sampled_from(FIELDS), JSONS, max_size=6) | JSONS, max_size=4))
def test_whatever_json_comes_every_event_is_taken_or_named(events):
    found = decoded(json.dumps({"events": events}))
    assert found.events == len(events)
    assert sorted({one.index for one in found.bad}) == [one.index for one in found.bad]
    found.batch.columns.validate(full=True)
    msgspec.json.encode([one.to_json() for one in found.bad])


@settings(max_examples=120)
@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_whatever_bytes_come_they_are_taken_or_refused(body):
    for whole in (body, b'{"events":[' + body + b"]}", b'{"events":[{"service_name":' + body + b"}]}"):
        try:
            decoded(whole).batch.columns.validate(full=True)
        except Refused as refused:
            assert refused.status == 400


def test_what_is_absent_is_filled():
    event = one()
    assert (event.environment, event.event_type, event.organization_id) == ("production", "log", "acme")
    assert event.event_id is None, "the pipeline gives one"
    assert event.timestamp == event.received_at
    assert (event.level, event.message, dict(event.tags)) == (None, None, {})


def test_what_is_null_or_blank_counts_as_absent():
    fields = (
        "environment",
        "event_id",
        "timestamp",
        "event_type",
        "trace_id",
        "tags",
        "duration_ms",
        "status_code",
    )
    given: dict[str, Any] = dict.fromkeys(fields)
    assert one(**given) == one()
    assert one(environment=" ", event_id="", timestamp="", event_type="", parent_span_id="") == one()


def test_what_is_written_differently_is_put_right():
    event = one(
        service_name=" shop ",
        level="ERROR",
        event_type=" Span ",
        trace_id=ID.upper(),
        span_id="ABC",
        event_id=ID.upper(),
    )
    assert (event.service_name, event.level, event.event_type) == ("shop", "error", "span")
    assert (event.trace_id, event.span_id) == (ID.replace("-", ""), "abc")
    assert event.event_id == uuid.UUID(ID)


def test_organization_and_received_at_are_not_theirs_to_say():
    event = one(organization_id="rival", received_at="2001-01-01T00:00:00Z")
    assert event.organization_id == "acme"
    assert event.received_at.year == 2025


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05T10:00:00Z", "2026-01-05T10:00:00+00:00"),
        ("2026-01-05t10:00:00z", "2026-01-05T10:00:00+00:00"),
        ("2026-01-05T10:00:00.5Z", "2026-01-05T10:00:00.500000+00:00"),
        ("2026-01-05T10:00:00.123456789Z", "2026-01-05T10:00:00.123456+00:00"),
        ("2026-01-05T10:00:00.999999999+02:00", "2026-01-05T08:00:00.999999+00:00"),
        ("2026-01-05T10:00:00-05:30", "2026-01-05T15:30:00+00:00"),
        ("2026-12-31T23:59:60Z", "2026-12-31T23:59:59.999999+00:00"),
        ("1969-12-31T23:59:59.9Z", "1969-12-31T23:59:59.900000+00:00"),
    ],
)
def test_times_of_rfc_3339(text, expected):
    assert one(timestamp=text).timestamp.isoformat() == expected


def test_times_of_different_lengths_in_one_batch_are_quick():
    ends = ["00Z", "00.1Z", "00.123456789Z", "00.25Z", "00+01:00", "00.5-00:30"]
    events = [{"service_name": "s", "timestamp": f"2026-01-05T10:00:{end}"} for end in ends]
    found = [event.timestamp.isoformat() for event in both_ways(json.dumps({"events": events}).encode())]
    assert found == [
        "2026-01-05T10:00:00+00:00",
        "2026-01-05T10:00:00.100000+00:00",
        "2026-01-05T10:00:00.123456+00:00",
        "2026-01-05T10:00:00.250000+00:00",
        "2026-01-05T09:00:00+00:00",
        "2026-01-05T10:30:00.500000+00:00",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "yesterday", "2026-01-05", "2026-01-05T10:00:00", "2026-01-05 10:00:00Z", "2026-13-05T10:00:00Z",
        "2026-02-30T10:00:00Z", "2026-01-05T24:00:00Z", "2026-01-05T10:61:00Z", "2026-01-05T10:00:61Z",
        "2026-01-05T10:00:00.Z", "2026-01-05T10:00:00.1234567890Z", "2026-01-05T10:00:00+25:00",
        "2026-01-05T10:00:00+02", "2026-01-05T10:00:00+0200", "\u0662\u066026-01-05T10:00:00Z", "1767000000",
    ],
)  # fmt: skip
def test_other_times_are_bad(text):
    assert bad(json.dumps({"service_name": "s", "timestamp": text})) == ("timestamp", text)


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ("5", ""),
        ("[]", ""),
        ("null", ""),
        ("{}", "service_name"),
        ('{"service_name": " \\u00a0"}', "service_name"),
        ('{"service_name": 5}', "service_name"),
        ('{"service_name": "' + "x" * 2_000 + '"}', "service_name"),
        ('{"service_name": "s", "environment": ["prod"]}', "environment"),
        ('{"service_name": "s", "event_id": "5"}', "event_id"),
        ('{"service_name": "s", "event_id": "' + ID.replace("-", "") + '"}', "event_id"),
        ('{"service_name": "s", "event_type": "trace"}', "event_type"),
        ('{"service_name": "s", "level": "fatal"}', "level"),
        ('{"service_name": "s", "message": {"a": 1}}', "message"),
        ('{"service_name": "s", "trace_id": "xyz"}', "trace_id"),
        ('{"service_name": "s", "span_id": "' + "a" * 65 + '"}', "span_id"),
        ('{"service_name": "s", "duration_ms": "12"}', "duration_ms"),
        ('{"service_name": "s", "duration_ms": true}', "duration_ms"),
        ('{"service_name": "s", "duration_ms": NaN}', "duration_ms"),
        ('{"service_name": "s", "metric_value": -Infinity}', "metric_value"),
        ('{"service_name": "s", "metric_value": 1e999}', "metric_value"),
        ('{"service_name": "s", "metric_value": ' + "1" * 100_000 + "}", "metric_value"),
        ('{"service_name": "s", "status_code": 65536}', "status_code"),
        ('{"service_name": "s", "status_code": -1}', "status_code"),
        ('{"service_name": "s", "status_code": 200.5}', "status_code"),
        ('{"service_name": "s", "tags": ["a"]}', "tags"),
        ('{"service_name": "s", "tags": {"": "x"}}', "tags"),
        ('{"service_name": "s", "tags": {"a": NaN}}', "tags.a"),
        ('{"service_name": "s", "tags": {"a": "\\ud800"}}', "tags.a"),
        ('{"service_name": "s", "tags": {"a": ["\\udfff"]}}', "tags.a"),
        ('{"service_name": "s", "tags": {"\\ud800": "x"}}', "tags"),
        ('{"service_name": "s", "tags": {"a": ' + "[" * 40 + "]" * 40 + "}}", "tags.a"),
        ('{"service_name": "s", "message": "\\udc00"}', "message"),
        ('{"service_name": "s", "message": "a", "message": "b"}', "message"),
        ('{"service_name": "s", "message" : "a", "message":"b"}', "message"),
        ('{"service_name": "s", "message":null,"message":"b"}', "message"),
        ('{"service_name": "s", "tags": {"a": "1", "a": "2"}}', "tags.a"),
        ('{"service_name": "s", "tags": {"a": {"b": 1, "b": 2}}}', "tags.a.b"),
    ],
)  # fmt: skip
def test_a_bad_event_is_named_by_its_field(event, field):
    assert bad(event)[0] == field


def test_what_is_shown_of_a_bad_value_is_cut():
    _, got = bad('{"service_name": "s", "level": "' + "x" * 50_000 + '"}')
    assert len(got) == 100


def test_tags_that_are_no_texts_are_written_as_json_has_them():
    body = (
        '{"events":[{"service_name":"s","tags":{"n":1.50,"big":123456789012345678901234567890,"yes":true,'
        '"none":null,"list":[1, "é\\"",{}],"text":"as it is"}}]}'
    )
    (event,) = decoded(body).batch
    assert dict(event.tags) == {
        "n": "1.50",
        "big": "123456789012345678901234567890",
        "yes": "true",
        "none": "",
        "list": '[1,"é\\"",{}]',
        "text": "as it is",
    }


def test_fields_that_nobody_knows_become_tags():
    event = one(user_id=7, region="eu", tags={"region": "us"})
    assert dict(event.tags) == {"user_id": "7", "region": "us"}


def test_good_and_bad_events_are_told_apart():
    events = [{"service_name": "a"}, {}, {"service_name": "b"}, {"service_name": "c", "level": "x"}]
    found = decoded(json.dumps({"events": events}))
    assert [event.service_name for event in found.batch] == ["a", "b"]
    assert [(wrong.index, wrong.field) for wrong in found.bad] == [(1, "service_name"), (3, "level")]


def test_what_agents_write_takes_the_quick_way():
    events = [
        Event(service_name="s", environment="e", message=f'{{"a": "{n}: \\\\"}}', tags={"k": "v:"})
        for n in range(50)
    ]
    lines = wire.to_json_lines(EventBatch.from_events(events)).strip()
    body = b'{"events":[' + lines.replace(b"\n", b",") + b"]}"
    assert fast.decode(body, "acme", pa.scalar(NOW, pa.int64()).cast(TIME_TYPE)) is not None
    indented = json.dumps(json.loads(body), indent=2).encode()
    assert doubled.surely_none(body, 1 + 50 * 10)
    assert fast.decode(indented, "acme", pa.scalar(NOW, pa.int64()).cast(TIME_TYPE)) is not None


def test_logs_and_spans_in_one_body_take_the_quick_way():
    """What one kind has and the other lacks or leaves null is filled in as for each alone."""
    log = {"service_name": "web", "level": "info", "message": "stored", "event_type": None}
    span = {"service_name": "web", "event_type": "span", "environment": "staging", "status_code": 200}
    batch = both_ways(json.dumps({"events": [log, span, {"service_name": "db"}]}).encode())
    assert batch.column("event_type").to_pylist() == ["log", "span", "log"]
    assert batch.column("environment").to_pylist() == ["production", "staging", "production"]


def test_the_first_agents_events_are_taken():
    path = Path(__file__).parent / "first_agent.json"
    found = decoded(path.read_bytes())
    assert not found.bad
    kinds = [event.event_type for event in found.batch]
    assert kinds == ["log", "span", "metric", "log"]
    span = list(found.batch)[1]
    assert span.trace_id == "5f0c1d4ba3624d3f9d0ae4a1c7c7a0f2"
    assert span.parent_span_id is None
    assert span.tags["yaat.sidecar"] == "true"
