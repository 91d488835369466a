"""The exit codes of docs/cli.md, command by command; with --json an error is one document on stdout."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import pytest
from support import small_agent
from support.small_agent import SmallAgent
from support.terminal import Terminal

NEEDS_AN_AGENT = [
    "status",
    "top --once",
    "tap",
    "tap app",
    "why 01a22fbc-3f3e-8006-8436-d400000081c4",
    "agent-log",
    "log-level debug",
    "reload",
    "stop",
    "events",
    "config show --running",
    "queue accept-loss --confirm loss",
]
#: And what the message must name.
WRONG = {
    "status --fial-on warn": "--fail-on",
    "diagnose --offlin": "--offline",
    "flare --dry-rnu": "--dry-run",
    "top --onec": "--once",
    "logs --levl error": "--level",
    "logs --level erorr": "did you mean `error`?",
    "tap --filtr x": "--filter",
    "why": "EVENT_ID",
    "agent-log --liens 1": "--lines",
    "log-level debgu": "did you mean `debug`?",
    "log-level": "debug, info, warning",
    "reload now": "unexpected extra argument",
    "events --folow": "--follow",
    "config sho": "Did you mean show",
    "config set service_name": "key=value",
    "config history --difs": "--diffs",
    "sources lst": "Did you mean list",
    "sources edit ap --set a=1": "did you mean `app`?",
    "sources test ap": "did you mean `app`?",
    "sources remove ap --yes": "did you mean `app`?",
    "sources add x --type wrods --yes": "did you mean `words`?",
    "processors edit shuot --set a=1": "did you mean `shout`?",
    "sinks test locla": "did you mean `local`?",
    "query --sink locla numbers": "did you mean `local`?",
    "queue show": "SEQUENCE",
    "queue export --form 1": "--from",
    "dead replay": "--all",
    "plugins show dmeo": "did you mean `demo`?",
    "plugins docs dmeo": "did you mean `demo`?",
    "plugins new surce x": "did you mean `source`?",
    "service instal": "Did you mean install",
    "uninstall --kep-data": "--keep-data",
    "explain YAAT-E1O1": "YAAT-E101",
    "completion zhs": "did you mean `zsh`?",
    "flare": "--yes",
    "config undo --redo --to 1": "can't both be given",
}
#: What is asked, and the answer that declines.
DECLINED = {
    "sources remove app": ("[Y/n]", "n"),
    "config set service_name=shop": ("[Y/n]", "n"),
    "flare": ("[y/N]", "n"),
    "dead purge local": ("Type local", "other"),
    "queue purge local": ("Type local", ""),
    "queue accept-loss": ("Type loss", "no"),
}


def is_an_error(done: Any, code: int) -> None:
    assert done.code == code, done.err
    document = json.loads(done.out)
    assert set(document["error"]) >= {"code", "what"}
    assert document["error"].get("fix"), document
    assert "\t" not in done.err


@pytest.mark.parametrize("line", NEEDS_AN_AGENT)
def test_without_an_agent_it_is_3(yaat: Any, line: str) -> None:
    done = yaat(*line.split(), "--json")
    is_an_error(done, 3)
    assert "yaat run" in done.err


@pytest.mark.parametrize("line", WRONG)
def test_wrong_usage_is_2_and_names_what_was_meant(yaat: Any, line: str) -> None:
    done = yaat(*line.split(), "--json")
    assert done.code == 2, done.err
    assert "error" in json.loads(done.out)
    assert WRONG[line] in done.err
    assert "\t" not in done.err


@pytest.mark.parametrize("line", DECLINED)
def test_what_is_declined_is_130_and_changes_nothing(yaat: Any, line: str) -> None:
    before = yaat.config.read_text()
    question, answer = DECLINED[line]
    more: dict[str, Any] = {"environ": yaat.environ(), "cwd": yaat.folder}
    with Terminal(yaat.command(*line.split()), columns=100, rows=40, **more) as terminal:
        terminal.wait_for(question)
        terminal.type(answer)
        terminal.send("enter")
        assert terminal.ended() == 130
    assert yaat.config.read_text() == before
    assert not list(yaat.folder.glob("*.gz"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may talk to every socket")
def test_not_allowed_is_4(yaat: Any) -> None:
    with small_agent.serving(SmallAgent(), yaat.state_dir):
        for socket in yaat.state_dir.glob("*.sock"):
            socket.chmod(0)
        for line in ("status", "tap", "reload", "queue list"):
            is_an_error(yaat(*line.split(), "--json"), 4)


def test_the_program_itself_ends_so(yaat: Any) -> None:
    assert yaat.process("tap").code == 3
    assert yaat.process("tpa").code == 2
    assert sys.executable in yaat.command("tap")
