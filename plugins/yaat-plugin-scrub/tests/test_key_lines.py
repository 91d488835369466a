"""A private key whose lines are events of their own."""

from __future__ import annotations

import base64
import itertools
import random
from typing import Any

import pytest

from yaat_core.event import Event, EventBatch, Labels

BODY = base64.b64encode(random.Random(7).randbytes(1200)).decode()
KEY = [
    "-----BEGIN RSA PRIVATE KEY-----",
    "Proc-Type: 4,ENCRYPTED",
    "DEK-Info: AES-128-CBC,0123456789ABCDEF",
    "",
    *(BODY[start : start + 64] for start in range(0, len(BODY), 64)),
    "-----END RSA PRIVATE KEY-----",
]
LINES = ["starting", *KEY, "done", "ordinary", "deadbeef"]


def batch_of(lines: list[str], stream: str = "a") -> EventBatch:
    return EventBatch.from_events([Event(message=line) for line in lines], Labels(stream=stream))


def through(processor: Any, *batches: EventBatch) -> list[str]:
    results = [processor.process(batch)[0] for batch in batches]
    return list(itertools.chain.from_iterable(result.column("message").to_pylist() for result in results))


@pytest.mark.parametrize("size", [1, 2, 5, 7, len(LINES)])
def test_no_line_of_the_key_is_left_however_it_is_cut_into_batches(bench: Any, size: int) -> None:
    pieces = [batch_of(LINES[start : start + size]) for start in range(0, len(LINES), size)]
    after = through(bench.scrub(), *pieces)
    assert after == [
        "starting",
        *["[private_key]"] * 3,
        "",
        *["[private_key]"] * (len(KEY) - 4),
        "done",
        "ordinary",
        "deadbeef",
    ]
    assert bench.hits == {"private_key": len(KEY) - 1}


def test_streams_do_not_meet(bench: Any) -> None:
    scrub = bench.scrub()
    assert through(scrub, batch_of(KEY[:10], "a"))[-1] == "[private_key]"
    assert through(scrub, batch_of(["deadbeef", KEY[10]], "b")) == ["deadbeef", KEY[10]]
    assert through(scrub, batch_of([KEY[10], "the end", KEY[11]], "a")) == [
        "[private_key]",
        "the end",
        KEY[11],
    ]


def test_a_key_that_never_ends_stops_with_the_first_other_line(bench: Any) -> None:
    after = through(bench.scrub(), batch_of([*KEY[:8], "2026-01-05 INFO started", "deadbeef"]))
    assert after[-2:] == ["2026-01-05 INFO started", "deadbeef"]
    assert not set(after) & set(KEY[4:])


def test_a_key_in_one_piece_opens_nothing(bench: Any) -> None:
    after = through(bench.scrub(), batch_of(["\n".join(KEY), "deadbeef"]))
    assert after == ["[private_key]", "deadbeef"]


def test_without_the_detector_nothing_is_done(bench: Any) -> None:
    assert through(bench.scrub(detectors=("email",)), batch_of(KEY)) == KEY
