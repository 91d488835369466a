"""The screen Tail on a real agent: what was and what comes, pause, filter, points, one event, its lineage, its trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from support.tui import Site

from yaat_core.taps import TapBatch
from yaat_core.tui.screens.live.pace import Pace
from yaat_core.tui.screens.live.showing import in_full
from yaat_core.tui.screens.live.tail import KEPT, Tail

TRACE = "0af7651916cd43dd8448eb211c80319c"


def event(message: str, level: str = "info", **more: str) -> str:
    now = datetime.now(UTC).isoformat()
    return json.dumps({"timestamp": now, "level": level, "message": message, **more})


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An agent with six events of before."""
    site = Site.made(tmp_path_factory.mktemp("live"))
    text = site.config.read_text().replace("poll: 200ms", "poll: 200ms, format: json")
    site.config.write_text(text)
    with site.agent.start():
        site.write(
            event("the first order"),
            event("payment refused", "error", stacktrace="Traceback:\n  File pay.py\nValueError: no"),
            event("stock is low", "warning", service="stock"),
            event("traced order", trace_id=TRACE),
            event("evil \x1b[2J\x1b]0;owned\x07 漢字"),
            event('{"order": {"id": 7}}'),
        )
        site.wait_account("local", delivered=6)
        yield site


def test_what_was_and_what_comes_at_every_size(shop: Site) -> None:
    with shop.tui("--screen", "live", columns=60, rows=16) as terminal:
        for columns, rows in ((60, 16), (80, 24), (200, 50)):
            terminal.resize(columns, rows)
            terminal.wait_for(
                "the first order", "payment refused", "traced order", "evil \\x1b[2J", "ERROR", "WARN"
            )
        terminal.wait_for("yaat.source")  # the selected event beside the list
        shop.write(event("a fresh one"))
        terminal.wait_for("a fresh one", "/s")
        terminal.send(" ")
        terminal.wait_for("paused")
        shop.write(event("one that waits"))
        terminal.wait_for("paused, +1 waiting")
        assert "one that waits" not in terminal.text
        terminal.send(" ")
        terminal.wait_for("one that waits")


def test_one_event_its_lineage_and_its_trace(shop: Site) -> None:
    with shop.tui("--screen", "live", columns=100, rows=30) as terminal:
        terminal.wait_for("payment refused", "traced order")
        terminal.send("g", "e")
        terminal.wait_for("▸", "new (G)")
        terminal.send("enter")
        terminal.wait_for("event_id", "stacktrace", "ValueError: no", "log.file.path")
        terminal.send("escape")
        terminal.wait_gone("event_id")
        terminal.send("d")
        terminal.wait_for("sources.app", "its database has it", "What the pipeline does to it now")
        terminal.send("escape")
        terminal.wait_gone("What the pipeline")
        terminal.send("m", "G")
        terminal.wait(lambda screen: "payment refused" in screen.split("\n")[3], what="the pin above")
        terminal.send("t")
        terminal.wait_for("has no trace_id")


def test_what_is_wanted_and_from_where(shop: Site) -> None:
    with shop.tui("--screen", "live", columns=120, rows=40) as terminal:
        terminal.wait_for("the first order")
        terminal.send("l", "l")
        terminal.wait_for("warning or worse", "stock is low", "payment refused")
        terminal.wait_gone("the first order")
        terminal.send("f")
        terminal.wait_for("What is wanted", "regular expression")
        terminal.type("refus")
        terminal.send("enter")
        for _ in range(3):
            terminal.send("tab")
        terminal.type("no_such_column = 1")
        terminal.send("tab", "tab", "tab", "enter")
        terminal.wait_for("no_such_column", "f changes what is wanted")
        terminal.send("Y")
        terminal.wait_for("copied: yaat tap queue --filter")
        terminal.send("p")
        terminal.wait_for("sources.app", "what leaves it", "sinks.picky", "what comes to it")
        terminal.send("escape")
        terminal.wait_gone("what leaves it")


def test_another_point(shop: Site) -> None:
    with shop.tui("--screen", "live", columns=120, rows=40) as terminal:
        terminal.wait_for("the first order")
        terminal.send("p")
        terminal.wait_for("what leaves it")
        terminal.send("enter")
        terminal.wait_for("sources.app", "nothing passes sources.app yet")
        shop.write(event("seen"))
        terminal.wait_for('"message": "seen"')


def test_without_an_agent_it_shows_what_is_stored(site: Site) -> None:
    with site.agent.start():
        site.write("one plain line")
        site.wait_account("local", delivered=1)
    with site.tui("--screen", "live") as terminal:
        terminal.wait_for("Look around")
        terminal.send("escape")
        terminal.wait_for("one plain line", "Stored events: no agent is running")


# --- the parts


def told(number: int, level: str = "info") -> dict[str, object]:
    return {"event_id": number, "timestamp": "2026-01-31T14:22:07.123456Z", "level": level,
            "service_name": "shop", "event_type": "log", "message": f"event {number}", "tags": {}}  # fmt: skip


def test_the_tail_is_bounded_and_keeps_its_place() -> None:
    tail = Tail(open=lambda _: None)
    tail.add(told(n) for n in range(5000))
    tail.move(-1000)
    kept = tail.selected
    for start in range(5000, 15_900, 100):
        tail.add(told(n) for n in range(start, start + 100))
    assert tail.selected is not None
    assert tail.selected is not kept, "it was let go"
    tail.move_to(end=True)
    assert tail.following
    assert KEPT <= int(tail.note().removesuffix(" events").replace(",", "")) < KEPT + 1000
    assert tail.selected.event["event_id"] == 15_899
    tail.pause()
    tail.add(told(n) for n in range(20_000, 40_000))
    assert (tail.waiting, tail.note()) == (20_000, "paused, +20,000 waiting, 10,000 let go")
    tail.pause()
    assert tail.selected.event["event_id"] == 39_999


def test_the_tail_finds_errors_among_what_the_filter_leaves() -> None:
    tail = Tail(open=lambda _: None)
    tail.add(told(n, "error" if n % 10 == 0 else "info") for n in range(100))
    tail.search("event 5")
    tail.move_to(end=True)
    assert tail.hop(("error",), -1)
    assert tail.selected is not None
    assert tail.selected.event["event_id"] == 50
    assert not tail.hop(("error",), -1)
    tail.search("")
    assert tail.selected.event["event_id"] == 50, "the selection stays with its event"
    assert tail.hop(("error",), 1)
    assert tail.selected.event["event_id"] == 60


def test_the_pace_tells_how_much_is_shown() -> None:
    pace = Pace()
    batch = TapBatch(at="queue", events=(), seen=0, shown=50, filtered=9, hidden=0, skipped=425, seconds=0.25)
    for _ in range(8):
        pace.heard(batch)
    assert pace.told() == "showing 200 of 1,900/s"


def test_an_event_in_full_lays_json_out() -> None:
    text = in_full({**told(1), "message": '{"a":{"b":[1]}}', "stacktrace": "one\ntwo", "tags": {"k": "v"}})
    assert '    "a": {' in text.split("\n")
    assert "  two" in text.split("\n")
    assert "  k  v" in text.split("\n")
