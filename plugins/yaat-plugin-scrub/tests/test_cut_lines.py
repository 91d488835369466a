"""Secrets that a source cut in two: what is left of them at the end of the line is found, and only there."""

from __future__ import annotations

from typing import Any

import pytest

from yaat_core.event import Event, EventBatch

CUT = {"log.truncated": "true"}
#: The whole text, what its secret is, and the detector.
SECRETS = [
    ("key AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE", "aws_key"),
    ("aws_secret_access_key=wJalrXUtnFEMIK7MDENG", "wJalrXUtnFEMIK7MDENG", "aws_key"),
    ("push with ghp_0123456789abcdefghij", "ghp_0123456789abcdefghij", "github_token"),
    ("made yaat_k3q7m2xw4p_Ff5iz0M4oJwlbEeZ6XhHqT", "Ff5iz0M4oJwlbEeZ6XhHqT", "yaat_key"),
    ("slack xox" + "b-123456789012-abcdef", "xox" + "b-123456789012-abcdef", "generic_token"),
    ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NT", "jwt"),
    ("dsn postgres://bob:hunter2-canary", "hunter2-canary", "url_credentials"),
    ("sent bearer abcdefabcdef", "abcdefabcdef", "bearer_token"),
    ("login password=hunter2-canary", "hunter2-canary", "password"),
    ("card 4111 1111 1111 1111", "4111 1111 1111 1111", "credit_card"),
    ("from bob.smith@mail.example.com", "bob.smith@mail.example.com", "email"),
]
PLACES = {
    "message": lambda text: {"message": text},
    "a line of several": lambda text: {"message": f"{text}\nnext line"},
    "stacktrace": lambda text: {"stacktrace": f"{text}\n  at x"},
    "tag": lambda text: {"message": "x", "tags": {"note": text}},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("text", "secret", "kind"), SECRETS, ids=[row[2] for row in SECRETS])
def test_wherever_it_is_cut_no_half_is_left(
    bench: Any, place: str, text: str, secret: str, kind: str
) -> None:
    start = text.index(secret)
    # of a card six digits tell, of an address the part before the @, of a prefix the prefix itself
    least = {"credit_card": 7, "email": 10, "jwt": 4, "generic_token": 6, "github_token": 5}.get(kind, 4)
    cut = [text[:end] for end in range(start + least, len(text))]
    events = []
    for one in cut:
        fields = PLACES[place](one)
        events.append(Event(**{**fields, "tags": {**fields.get("tags", {}), **CUT}}))
    scrub = bench.scrub(detectors=("secrets", "email"))
    after, _ = scrub.process(EventBatch.from_events(events))
    for half, event in zip(cut, after, strict=True):
        left = " ".join([event.message or "", event.stacktrace or "", *event.tags.values()])
        assert half[start:] not in left, left
        assert f"[{kind}]" in left
    assert bench.hits[kind] == len(cut)


def test_whole_lines_keep_what_is_too_short_for_a_secret(bench: Any) -> None:
    texts = ["AKIA", "yaat_k3q7m2xw4p", "yaat_k3q7m2xw4p_", "see eyJ", "ghp_12", "item 4111 11", "sk-1"]
    assert bench.messages(bench.scrub(), *texts) == texts


def test_only_the_events_that_were_cut_are_looked_at_so(bench: Any) -> None:
    events = [Event(message="x AKIA12", tags=CUT), Event(message="x AKIA12", tags={"a": "b"})]
    after, _ = bench.scrub().process(EventBatch.from_events(events))
    assert [event.message for event in after] == ["x [aws_key]", "x AKIA12"]
