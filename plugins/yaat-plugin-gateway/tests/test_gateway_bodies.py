"""Bodies as a whole: those that are none, too many events or values, names that stand twice."""

from __future__ import annotations

import json
import time
import tracemalloc

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_plugin_gateway.ingest import doubled
from yaat_plugin_gateway.ingest.decoding import Decoded, decode
from yaat_plugin_gateway.web.refusal import Refused

NOW = 1_767_000_000_000_000


def decoded(body: bytes | str) -> Decoded:
    return decode(body.encode() if isinstance(body, str) else body, "acme", NOW, 1_000)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nonsense",
        "[]",
        "null",
        "{}",
        '{"events": {}}',
        '{"events": null}',
        '{"events": [], "more": 1}',
        '{"events": [], "events": []}',
        '{"events": [',
        '{"events": []} x',
        '\ufeff{"events": []}',
        '{"events": [{"service_name": "a\nb"}]}',
        "[" * 100_000,
        '{"events":' + "[" * 100_000,
        '{"events":[{"service_name":"s","tags":{"a":' + "[" * 100_000 + "]" * 100_000 + "}}]}",
        b'{"events": [{"service_name": "\xff"}]}',
    ],
)
def test_a_body_that_is_none_is_refused_as_a_whole(body):
    with pytest.raises(Refused) as caught:
        decoded(body)
    assert caught.value.status == 400
    assert len(caught.value.problem) < 300


def test_no_events_are_fine():
    assert decoded('{"events": []}').events == 0


def test_more_events_than_are_allowed_are_refused():
    body = json.dumps({"events": [{"service_name": "s"}] * 1_001})
    for text in (body, body.replace('"s"', '" s "')):
        with pytest.raises(Refused) as caught:
            decoded(text)
        assert caught.value.status == 413


@pytest.mark.parametrize(
    "body",
    [
        b'{"events":[' + b"{}," * 8_000_000 + b"{}]}",
        b'{"events":[{"service_name":"s","tags":{"a":[' + b"1," * 12_000_000 + b"1]}}]}",
        b'{"events":[{"service_name":"s","tags":{"a":[' + b"[]," * 8_000_000 + b"1]}}]}",
    ],
    ids=["events", "numbers", "lists"],
)
def test_a_body_that_would_fill_the_memory_is_refused_before_it_is_parsed(body):
    tracemalloc.start()
    try:
        with pytest.raises(Refused) as caught:
            decoded(body)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (caught.value.status, caught.value.code) == (413, "too_many_values")
    assert peak < 2 * len(body)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.text('a"\\: \n', max_size=4), st.text('a"\\:n ', max_size=4)), max_size=5),
    st.booleans(),
)
def test_doubled_names_are_never_overlooked(pairs, spaced):
    colon = " : " if spaced else ":"
    members = ",".join(f"{json.dumps(name)}{colon}{json.dumps(value)}" for name, value in pairs)
    body = ("{" + members + "}").encode()
    names = len(msgspec.json.decode(body))
    assert doubled.none(body, names) == (names == len(pairs))
    if doubled.surely_none(body, names):
        assert names == len(pairs)


def test_a_large_body_of_unusual_events_ends():
    began = time.process_time()
    found = decoded(json.dumps({"events": [{"service_name": " s ", "tags": {"a": [1] * 500}}] * 1_000}))
    assert len(found.batch) == 1_000
    assert time.process_time() - began < 60
