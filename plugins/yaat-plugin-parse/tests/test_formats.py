"""What each format makes of lines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_core.components import Processor
from yaat_core.event import Event, EventBatch, Labels


@pytest.fixture
def parse(make: Callable[..., Processor]) -> Callable[..., list[Event]]:
    def run(name: str, *lines: str, **options: str) -> list[Event]:
        batch = EventBatch.from_events([Event(message=line) for line in lines], Labels(stream="s"))
        after, drops = make(name, **options).process(batch)
        assert not drops
        return list(after)

    return run


def test_json_known_names_become_columns_and_others_tags(parse: Any) -> None:
    [event] = parse(
        "json",
        '{"ts":"2026-01-05T10:00:00.5Z","level":"WARN","msg":"slow","user":{"id":7,"name":"x"},"ok":true,"trace_id":"'
        + "ab" * 16
        + '","service":"pay"}',
    )
    assert event.timestamp == datetime(2026, 1, 5, 10, 0, 0, 500_000, UTC)
    assert (event.level, event.message, event.service_name) == ("warning", "slow", "pay")
    assert event.trace_id == "ab" * 16
    assert event.tags == {"user.id": "7", "user.name": "x", "ok": "true"}


def test_json_keeps_what_it_does_not_understand(parse: Any) -> None:
    broken, odd = parse("json", "{broken", '{"ts":"last tuesday","level":"loud","msg":"m"}')
    assert broken.message == "{broken"
    assert odd.tags == {"timestamp.raw": "last tuesday", "level.raw": "loud"}


def test_python_layouts(parse: Any) -> None:
    events = parse(
        "python",
        "2026-01-05 10:00:00,123 - shop.pay - ERROR - card declined",
        "2026-01-05 10:00:00,123 INFO shop.cart: added: 3 items",
        "CRITICAL:root:on fire",
        "nothing of the kind",
    )
    assert [(event.level, event.message, event.tags.get("logger")) for event in events] == [
        ("error", "card declined", "shop.pay"),
        ("info", "added: 3 items", "shop.cart"),
        ("critical", "on fire", "root"),
        (None, "nothing of the kind", None),
    ]
    assert events[0].timestamp == datetime(2026, 1, 5, 10, 0, 0, 123_000, UTC)


def test_regex_groups(parse: Any) -> None:
    [event] = parse("regex", "<err> bob fell", pattern=r"^<(?P<level>\w+)> (?P<who>\S+) (?P<message>.*)$")
    assert (event.level, event.message, event.tags) == ("error", "fell", {"who": "bob"})


@pytest.mark.parametrize("pattern", ["(?=x)(?P<a>x)", "(", "no groups"])
def test_regex_is_checked(make: Callable[..., Processor], pattern: str) -> None:
    with pytest.raises(ValueError, match="RE2|group"):
        make("regex", pattern=pattern)


def test_auto_takes_each_line_by_what_fits_and_follows_a_change(make: Callable[..., Processor]) -> None:
    step = make("auto")
    json_lines = ['{"level":"info","msg":"a"}'] * 20
    python_lines = ["2026-01-05 10:00:00,123 - x - ERROR - boom"] * 20
    for lines, level in ((json_lines, "info"), (python_lines, "error"), ([*json_lines, "words"], "info")):
        batch = EventBatch.from_events([Event(message=line) for line in lines], Labels(stream="s"))
        after, _ = step.process(batch)
        assert [event.level for event in after][:20] == [level] * 20
    assert list(after)[-1].message == "words"


@settings(max_examples=30)
@given(lines=st.lists(st.text(max_size=80), max_size=20))
def test_auto_loses_no_line(make: Callable[..., Processor], lines: list[str]) -> None:
    after, drops = make("auto").process(EventBatch.from_events([Event(message=line) for line in lines]))
    assert len(after) == len(lines)
    assert not drops
