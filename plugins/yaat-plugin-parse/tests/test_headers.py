"""Formats that learn from a header, when reading begins in a stream's middle."""

from __future__ import annotations

from collections.abc import Callable

from yaat_core import Processor
from yaat_core.event import Event, EventBatch, Labels

Make = Callable[..., Processor]
ROW = "2026-01-05 10:00:00 203.0.113.9 GET /cart 200"
FIELDS = "#Fields: date time c-ip cs-method cs-uri-stem sc-status"


def run(step: Processor, *lines: str, opening: str = "", stream: str = "s") -> list[Event]:
    events = [Event(message=line) for line in lines]
    after, _ = step.process(EventBatch.from_events(events, Labels(stream=stream, opening=opening)))
    return list(after)


def test_csv_takes_its_header_from_the_opening(make: Make) -> None:
    step = make("csv")
    assert [event.message for event in run(step, "5,fell", opening="n,message")] == ["fell"]
    assert [event.message for event in run(step, "6,rose")] == ["rose"], "later batches come without it"
    assert [dict(event.tags) for event in run(step, "7,x", opening="a,b", stream="t")] == [
        {"a": "7", "b": "x"}
    ]


def test_columns_that_are_configured_win(make: Make) -> None:
    step = make("csv", columns=("level", "message"))
    assert [event.message for event in run(step, "warn,fell", opening="a,b")] == ["fell"]


def test_w3c_takes_the_last_fields_of_the_opening(make: Make) -> None:
    for name in ("w3c", "auto"):
        step = make(name)
        [event] = run(step, ROW, opening=f"#Version: 1.0\n#Fields: a b\n1 2\n{FIELDS}")
        assert (event.event_type, event.operation, event.status_code) == ("span", "GET /cart", 200), name
        assert run(step, ROW)[0].event_type == "span"
        assert run(step, ROW, stream="other")[0].event_type == "log", "others have fields of their own"


def test_an_opening_that_is_no_header_changes_nothing(make: Make) -> None:
    line = '{"level":"warn","message":"fell"}'
    for opening in ("started", line, "#", "#!/bin/sh\nls", ""):
        [event] = run(make("auto"), line, opening=opening)
        assert (event.level, event.message) == ("warning", "fell")
