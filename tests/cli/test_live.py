"""The commands that watch, against a small agent whose taps are real."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from support import small_agent
from support.agents import wait_until
from support.small_agent import SmallAgent

from yaat_core.actions.live import TAP, TapGiven
from yaat_core.cli.door import Door
from yaat_core.cli.event_lines import event_line
from yaat_core.cli.following import followed
from yaat_core.cli.top_screen import Order, picture
from yaat_core.control.client import Client
from yaat_core.control.listen import Limits
from yaat_core.event import Event, EventBatch
from yaat_core.status import Rates, Status


@pytest.fixture
def agent(yaat: Any) -> Iterator[SmallAgent]:
    stop = threading.Event()
    with small_agent.serving(SmallAgent(), yaat.state_dir) as agent:

        def show() -> None:
            while not stop.wait(0.01):
                agent.live.taps.show("queue", agent.batch, 5)

        thread = threading.Thread(target=show)
        thread.start()
        yield agent
        stop.set()
        thread.join()


def test_tap_shows_lines_or_objects_up_to_a_limit(yaat: Any, agent: SmallAgent) -> None:
    done = yaat("tap", "--limit", "7", "--rate", "10")
    assert done.code == 0, done.err
    assert len(done.text.splitlines()) == 7
    assert done.text.splitlines()[0].endswith(" web: m0")
    events = [json.loads(line) for line in yaat("tap", "--json", "--limit", "2").text.splitlines()]
    assert [event["message"] for event in events] == ["m0", "m1"]
    assert {"event_id", "timestamp", "tags"} <= set(events[0])
    assert yaat("tap", "--filter", "true", "--limit", "1").code == 2, "no plugin knows expressions here"


def test_a_tap_says_how_much_is_not_shown(yaat: Any, agent: SmallAgent) -> None:
    done = yaat("tap", "--rate", "5", "--limit", "20")
    assert re.search(r"^showing \d of [\d,]+/s ", done.err, re.MULTILINE), done.err
    assert "(--rate for more, --filter for less)" in done.err


def test_a_reader_that_was_let_go_goes_on_and_says_so(
    yaat: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from functools import partial

    from yaat_core.control import server

    monkeypatch.setattr(server, "Limits", partial(Limits, write_timeout=0.2))
    large = EventBatch.from_events([Event(message="x" * 1_000, service_name="web")] * 1_000)
    with small_agent.serving(SmallAgent(), yaat.state_dir) as agent, Client(yaat.state_dir) as client:
        taps = agent.live.taps
        batches = followed(Door(), client, TAP, TapGiven(per_second=10_000))
        assert not next(batches).events
        wait_until(lambda: taps.show("queue", large) or not taps.anybody, what="it is let go")
        told = next(
            batch for batch in batches if taps.show("queue", large) or "let go" in capsys.readouterr().err
        )
        assert told.at == "queue"
        batches.close()


def test_top_is_one_picture_where_no_terminal_is(yaat: Any, agent: SmallAgent) -> None:
    done = yaat("top")
    assert done.code == 0
    assert "running" in done.text
    assert "COMPONENT  STATE  IN/S" in done.text
    document = yaat("top", "--json", "--once").document
    assert {"version", "state", "uptime_seconds", "healthy", "queue", "rates"} == set(document)


def status(**rates: float) -> Status:
    import attrs
    import trio

    made = trio.run(SmallAgent().status)
    shown = [Rates(component=f"sources.{name}", in_=value) for name, value in rates.items()]
    return attrs.evolve(made, rates=shown)


def test_a_digit_sorts_and_the_same_again_turns(yaat: Any) -> None:
    rows = [(one, "ok") for one in status(b=5, a=9, c=1).rates]

    def names(*keys: str) -> str:
        order = Order()
        for key in keys:
            order = order.after(key)
        return "".join(one.component[-1] for one, _ in order.sorted(rows))

    assert names() == "bac"
    assert names("1") == "abc"
    assert names("3") == "abc"
    assert names("3", "3") == "cba"
    assert names("1", "1", "0") == "bac"
    assert names("x", "9") == "bac"


def test_a_picture_fits_the_terminal() -> None:
    many = status(**{f"a-source-with-a-long-name-{number}": number for number in range(50)})
    for width in (40, 59, 60, 80, 84, 200):
        lines = list(picture(many, width=width, height=20))
        assert len(lines) <= 20
        assert max(map(len, lines[3:])) <= width, width
        assert lines[-1] == "... 35 more"
    assert len(list(picture(many))) == 54, "all of it where nothing has to fit"


def test_the_screen_of_top_obeys_keys_and_leaves_the_terminal_as_it_was(yaat: Any, agent: SmallAgent) -> None:
    main, terminal = pty.openpty()
    process = yaat.start("top", stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    shown = _read_until(main, b"q: quit")
    assert b"\x1b[?1049h" in shown
    assert b"1:COMPONENT" in shown
    os.write(main, b"3")
    _read_until(main, b"3:IN/S-")
    os.write(main, b"q")
    left = _read_until(main, b"\x1b[?1049l")
    assert b"\x1b[?25h" in left
    assert process.wait(60) == 0
    os.close(main)


def _read_until(descriptor: int, text: bytes) -> bytes:
    seen = b""
    while text not in seen:
        ready, _, _ = select.select([descriptor], [], [], 60)
        assert ready, seen
        seen += os.read(descriptor, 65_536)
    return seen


def test_agent_log_and_log_level(yaat: Any, agent: SmallAgent) -> None:
    import logging

    agent.live.log.emit(logging.LogRecord("yaat.x", logging.ERROR, "", 1, "bad \x1b[2J", (), None))
    done = yaat("agent-log", "--no-follow", "--color", "never")
    assert done.text.rstrip().endswith("ERROR   yaat.x: bad \\x1b[2J")
    (line,) = (json.loads(one) for one in yaat("agent-log", "--no-follow", "--json").text.splitlines())
    assert (line["level"], line["logger"]) == ("error", "yaat.x")
    assert yaat("log-level", "usual", "--json").document["until"] is None
    assert "must be a duration" in yaat("log-level", "debug", "--for", "soon").err
    assert yaat("log-level", "loud").code == 2


def test_an_event_is_a_line_whatever_is_in_it() -> None:
    def told(**fields: Any) -> str:
        from yaat_core.control.rows import rows_of

        (row,) = rows_of(EventBatch.from_events([Event(service_name="web", **fields)]).columns)
        return event_line(row)

    assert told(message="a\n\x1b[2Jb", level="error").endswith("\x1b[0m web: a\\n\\x1b[2Jb")
    assert told(message="m", stacktrace="one\ntwo\x07").endswith("m\n    one\n    two\\x07")
    span = told(event_type="span", operation="GET /", duration_ms=1.5, status_code=200)
    assert span.endswith("web: GET / 1.500 ms 200")
    metric = told(
        event_type="metric", metric_name="load", metric_value=0.5, tags={"cpu": "1", "yaat.source": "x"}
    )
    assert metric.endswith("web: load = 0.5 {cpu=1}")


def test_without_an_agent_it_says_so(yaat: Any) -> None:
    for command in ("tap", "top", "agent-log"):
        assert yaat(command).code == 3
