"""The commands against a running agent's API."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from support import small_agent
from support.small_agent import SmallAgent

from yaat_core.cli.door import Door
from yaat_core.cli.progress import Progress
from yaat_core.status import Problem


@pytest.fixture
def agent(yaat: Any) -> Iterator[SmallAgent]:
    with small_agent.serving(SmallAgent(), yaat.state_dir) as agent:
        yield agent


def test_status(yaat: Any, agent: SmallAgent) -> None:
    done = yaat("status")
    assert done.code == 0, done.err
    for said in ("running", "sources.app", "read 5 = accepted 5 + dropped before the queue 0", "healthy"):
        assert said in done.text
    document = yaat("status", "--json").document
    assert document["accounting"]["by_sink"]["local"]["queued"] == 5
    assert document["health"] == {"ok": True, "problems": []}


@pytest.mark.parametrize(
    ("level", "fail_on", "code"),
    [
        ("error", None, 1),
        ("warn", None, 0),
        ("warn", "warn", 1),
        ("error", "warn", 1),
        ("error", "never", 0),
    ],
)
@pytest.mark.parametrize("command", ["status", "diagnose"])
def test_unhealthy_is_1(
    yaat: Any, agent: SmallAgent, command: str, level: Any, fail_on: str | None, code: int
) -> None:
    agent.problems = (
        Problem(
            component="sinks.cloud", since="2026-01-01", what="refused\x1b[31m", advice="look", level=level
        ),
    )
    done = yaat(command, *(["--fail-on", fail_on] if fail_on else []))
    assert done.code == code
    assert "refused\\x1b[31m" in done.text
    assert "fix: look" in done.text


def test_diagnose_has_the_documented_shape(yaat: Any, agent: SmallAgent) -> None:
    document = yaat("diagnose", "--json").document
    assert {"accounting", "health", "queue", "uptime_seconds", "version", "last_error"} <= set(document)
    assert document["queue"] == {"events": 5, "bytes": 100, "oldest_seconds": 1.0}
    assert document["running"]


def test_query(yaat: Any, agent: SmallAgent) -> None:
    assert [row["n"] for row in yaat("query", "numbers 2500", "--json").document] == list(range(2500))
    limited = yaat("query", "numbers 10", "--limit", "3", "--json")
    assert len(limited.document) == 3
    assert "only the first 3 rows" in limited.err
    refused = yaat("query", "drop everything", "--json")
    assert refused.code == 2
    assert refused.document["error"]["code"] == "YAAT-E601"
    broken = yaat("query", "broken 5000", "--json")
    assert broken.code == 1
    assert broken.document["error"]["code"] == "YAAT-E602"


def test_ctrl_c_is_130_and_stops_the_query(yaat: Any, agent: SmallAgent) -> None:
    process = yaat.start("query", "numbers 9000000", "--limit", "9000000", "--format", "csv")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert err.strip() == b"interrupted"
    assert agent.answers[0].closed.wait(10)


def test_queue(yaat: Any, agent: SmallAgent) -> None:
    assert yaat("queue", "list", "--json").document["records"][0]["last"] == 5
    assert yaat("queue", "show", "2", "--json").document["events"][0]["message"] == "m0"
    verified = yaat("queue", "verify")
    assert verified.code == 1
    assert "a record does not check out" in verified.text
    purged = yaat("queue", "purge", "local", "--confirm", "local", "--json")
    assert purged.document == {"sink": "sinks.local", "events": 5}
    assert yaat("queue", "accept-loss", "--confirm", "loss", "--json").document == {"done": True}
    assert agent.loss_accepted


def test_queue_repair_and_export(yaat: Any, agent: SmallAgent) -> None:
    assert yaat("queue", "repair", "--json").document["lost"] == {"sinks.local": 2}
    assert "2 events are lost for sinks.local" in yaat("queue", "repair").text
    lines = [json.loads(line) for line in yaat("queue", "export", "--from", "2").text.splitlines()]
    assert [line["sequence"] for line in lines] == [2, 3, 4, 5]
    assert [line["event"]["message"] for line in lines] == ["m1", "m2", "m3", "m4"]
    written = yaat("queue", "export", "--to", "3", "-o", "part.jsonl", "--json").document
    assert written == {"events": 3, "first": 1, "last": 3, "missing": 0, "file": "part.jsonl"}
    assert len((yaat.folder / "part.jsonl").read_text().splitlines()) == 3
    assert (yaat.folder / "part.jsonl").stat().st_mode & 0o777 == 0o600
    assert yaat("queue", "export", "--from", "4", "--to", "3").code == 2


def test_dead_letters(yaat: Any, agent: SmallAgent) -> None:
    (letter,) = yaat("dead", "list", "--json").document["letters"]
    assert letter["reasons"]["too long"] == 1
    assert "sinks.local: 2 dead events in all" in yaat("dead", "list").err
    assert yaat("dead", "show", "5f0c2a", "--json").document["events"][0]["sequence"] == 3
    human = yaat("dead", "show", "5f0c2a").text
    assert "no name\\x1b[2J: 1" in human
    assert "sent 3 times" in human
    assert "last answer: 422 no such field\\x1b]0;owned" in human
    listed = yaat("dead", "list").text
    assert "422 no such field\\x1b]0;owned" in listed
    assert max(map(len, listed.splitlines())) < 400
    assert (letter["attempts"], letter["answer"][:3]) == (3, "422")
    assert "\x1b" not in human
    assert yaat("dead", "show", "77").code == 2
    assert yaat("dead", "purge", "local", "--json").code == 2
    purged = yaat("dead", "purge", "local", "--yes", "--json").document
    assert purged == {"sink": "sinks.local", "letters": 1, "events": 2}


def test_dead_letters_are_delivered_again_step_by_step(yaat: Any, agent: SmallAgent) -> None:
    done = yaat("dead", "replay", "local", "--json")
    assert done.code == 5
    assert done.document == {
        "letters": 2,
        "events": 4,
        "refused": [{"id": "77aa", "sink": "sinks.local", "problem": "is damaged\x1b[2J"}],
        "left": 0,
        "next": None,
    }
    told = yaat("dead", "replay", "--all")
    assert told.code == 5
    assert "2 letters with 4 events queued to be delivered again" in told.text
    assert "77aa of sinks.local is damaged\\x1b[2J" in told.err
    assert "\x1b" not in told.err, "no bar where nobody looks"
    assert yaat("dead", "replay", "--id", "5f0c2a", "--json").document["letters"] == 1
    for wrong in ((), ("local", "--all"), ("--all", "--id", "5f"), ("nothing",)):
        assert yaat("dead", "replay", *wrong).code == 2


def test_a_bar_shows_how_far_it_is(yaat: Any, agent: SmallAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    for as_json in (True, False):
        with Progress(Door(as_json=as_json), "dead letters") as progress:
            progress.at(256, 1_000)
            progress.at(1_000, 1_000)
        assert bool(terminal.getvalue()) != as_json
    first, second, end = terminal.getvalue().split("\r")[1:]
    assert "[#######" in first
    assert "256 of 1,000 dead letters" in first
    assert "." not in second
    assert end == "\x1b[K", "the line is free again"
    terminal.truncate(0)
    with Progress(Door(), "dead letters") as progress:
        progress.at(3, 3)
    assert not terminal.getvalue().strip("\0"), "one step is no progress"


def test_the_running_configuration(yaat: Any, agent: SmallAgent) -> None:
    document = yaat("config", "show", "--running", "--json").document
    assert document == {"service_name": "web", "sinks": {"cloud": {"api_key": "***"}}}
    assert "api_key: '***'" in yaat("config", "show", "--running").text


def test_a_second_agent_is_refused(yaat: Any, agent: SmallAgent) -> None:
    done = yaat("run", "--once", "--json")
    assert done.code == 1
    assert done.document["error"]["code"] == "YAAT-E501"
    assert f"pid {os.getpid()}" in done.document["error"]["what"]
