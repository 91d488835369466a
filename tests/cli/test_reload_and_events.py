"""`yaat reload` and `yaat events` against an agent's API, and what they say."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from typing import Any

import pytest
from support import small_agent
from support.small_agent import SmallAgent

from yaat_core.config.problems import ConfigError, ConfigProblem
from yaat_core.reloading.results import NoReload, Reloaded


@pytest.fixture
def agent(yaat: Any) -> Iterator[SmallAgent]:
    with small_agent.serving(SmallAgent(), yaat.state_dir) as agent:
        yield agent


def test_reload_tells_what_changed(yaat: Any, agent: SmallAgent) -> None:
    done = yaat("reload")
    assert done.code == 0, done.err
    for said in ("restarted sources.app", "changed   tags", "3 components", "state_dir: takes a restart"):
        assert said in done.text
    document = yaat("reload", "--json").document
    assert document["changes"][0] == {"component": "sources.app", "what": "restarted"}
    assert document["restart_needed"] == ["state_dir"]


def test_a_refused_file_is_told_whole(yaat: Any, agent: SmallAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [
        ConfigProblem(
            code="YAAT-E101",
            what="unknown key `pths`",
            file="yaat.yaml",
            line=3,
            column=2,
            nearest="paths",
            excerpt=" pths: [x]",
        ),
        ConfigProblem(code="YAAT-E102", what="wrong\x1b[31m", file="more.yaml", line=7),
    ]

    async def refuse(by: str) -> Reloaded:
        raise ConfigError(problems)

    monkeypatch.setattr(agent, "reload", refuse)
    done = yaat("reload", "--json")
    assert done.code == 2
    for said in ("--> yaat.yaml:3:2", " pths: [x]", "^ did you mean paths?", "more.yaml:7", "wrong\\x1b[31m"):
        assert said in done.err
    assert [one["line"] for one in done.document["error"]["problems"]] == [3, 7]


def test_an_agent_that_can_not_reload_now(
    yaat: Any, agent: SmallAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(by: str) -> Reloaded:
        raise NoReload("the agent is starting", fix="ask again")

    monkeypatch.setattr(agent, "reload", refuse)
    done = yaat("reload")
    assert done.code == 1
    assert "YAAT-E710" in done.err
    assert "fix: ask again" in done.err


def test_events(yaat: Any, agent: SmallAgent) -> None:
    done = yaat("events")
    assert done.code == 0, done.err
    assert "2026-01-01 00:00:00Z" in done.text
    assert "sinks.local: no answer 1\\x1b[2J" in done.text
    assert "fix: wait" in done.text
    document = yaat("events", "--json", "--limit", "1").document
    assert [one["what"] for one in document["happenings"]] == ["no answer 0\x1b[2J"]


def test_events_followed(yaat: Any, agent: SmallAgent) -> None:
    """Each line is a document, each event comes once."""
    with yaat.start("events", "--follow", "--json") as process:
        found = [json.loads(process.stdout.readline())["what"] for _ in range(2)]
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert found == ["no answer 0\x1b[2J", "no answer 1\x1b[2J"]


def test_a_broken_file_still_finds_its_agent(yaat: Any, agent: SmallAgent) -> None:
    for text in (
        "state_dir: state\nsources: [",
        "state_dir: state\nsevice_name: x\n",
        "state_dir: ${env:NO}\n",
    ):
        yaat.config.write_text(text)
        done = yaat("status")
        assert done.code == (2 if "NO" in text else 0), done.err
        assert "problem" in done.err
