"""Sources, processors and sinks from the TUI: looked at, added, changed, tried, taken out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.agents import wait_until, yaat
from support.terminal import Terminal
from support.tui import Site

from yaat_core.config.editing.types import types_of
from yaat_core.plugins import load_plugins

LINES = ("level=info msg=hello password=hunter2", "not a pair at all")


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running agent that has read two lines."""
    site = Site.made(tmp_path_factory.mktemp("components"))
    with site.agent.start():
        site.write(*LINES)
        site.wait_account("local", delivered=2)
        yield site


@pytest.fixture
def shop(agent: Site) -> Iterator[Site]:
    """The agent, with its configuration as it was afterwards."""
    before = agent.config.read_bytes()
    yield agent
    if agent.config.read_bytes() != before:
        agent.config.write_bytes(before)
        done = yaat("reload", "-c", str(agent.config), **agent.agent.environ)
        assert done.returncode == 0, done.stderr


def components(site: Site, kind: str) -> dict[str, Any]:
    """As the command line lists them."""
    done = yaat(kind, "list", "-c", str(site.config), "--json", **site.agent.environ)
    return {one["name"]: one for one in json.loads(done.stdout)["components"]}


def fill(terminal: Terminal, type: str) -> None:
    """From the list to the form of a type."""
    terminal.send("a")
    terminal.wait_for("Types of")
    terminal.type(f"/{type}")
    terminal.wait_for(f"/{type}")
    terminal.send("enter", "enter")
    terminal.wait_for(f": {type}", "Save", "name *")


def to_field(terminal: Terminal, type: str, start: str, name: str, help: str) -> None:
    """From one field of a form down to another."""
    found = next(one for one in types_of(load_plugins([])) if one.name == type)
    names = ["name", *(one.name for one in found.options if one.name != "name")]
    for _ in range(names.index(name) - names.index(start)):
        terminal.send("down")
    terminal.wait_for(help)


def test_a_source_is_added_changed_tried_and_taken_out(shop: Site) -> None:
    before = shop.config.read_text()
    with shop.tui("--screen", "sources", columns=80, rows=24) as terminal:
        terminal.wait_for("1 source", "app", "● ok", "yaat.yaml:6", "in/s", "err/s")
        fill(terminal, "file")
        terminal.send("end")
        terminal.type("-two")
        terminal.send("down")
        terminal.wait_for("Files to read", "example: /var/log/app/*.log")
        terminal.type("logs/app.log, [")
        terminal.wait_for("Preview: ")
        terminal.send("backspace", "backspace", "backspace")
        terminal.wait_for("Preview: 2 lines, format raw", "password=[password]")
        assert "hunter2" not in terminal.text, "the preview is redacted"
        assert shop.config.read_text() == before, "nothing is written before it is agreed to"
        to_field(terminal, "file", "paths", "format", "How its lines are read")
        terminal.type("logfm")
        terminal.wait_for("logfmt")
        terminal.type("t")
        terminal.wait_for("50% unparsed", "level=info")
        terminal.send("c-s")
        terminal.wait_for(
            "Write sources.file-two?", "+    paths: [logs/app.log]", "The same: yaat sources add file-two"
        )
        terminal.send("enter")
        terminal.wait_for("added, and the agent has taken it up", "2 sources", "file-two")
        wait_until(lambda: components(shop, "sources")["file-two"]["status"] is not None, what="it runs")

        terminal.send("c")
        terminal.wait_for("Change the source file-two (file)", "format logfmt")
        to_field(terminal, "file", "name", "environment", "Environment of its events")
        terminal.type("staging")
        terminal.send("c-y")
        terminal.wait_for("copied: yaat sources edit file-two --set environment=staging")
        terminal.send("c-s")
        terminal.wait_for("Write sources.file-two?", "+    environment: staging")
        terminal.send("enter")
        terminal.wait_for("changed, and the agent has taken it up")
        assert components(shop, "sources")["file-two"]["value"]["environment"] == "staging"

        terminal.send("t")
        terminal.wait_for("sources.file-two: 2 lines", "50% unparsed", "message=hello")
        terminal.send("q")
        terminal.wait_gone("50% unparsed")
        terminal.send("enter")
        terminal.wait_for("sources.file-two (file)", "environment", "in force:", "Close")
        terminal.send("q")
        terminal.wait_gone("in force:")

        terminal.send("D")
        terminal.wait_for("Take sources.file-two out?", "-    paths: [logs/app.log]", "Take it out")
        terminal.send("enter")
        terminal.wait_gone("Take sources.file-two out?")
        assert "file-two" in shop.config.read_text(), "Cancel has the focus"
        terminal.send("D")
        terminal.wait_for("Take sources.file-two out?")
        terminal.send("tab", "enter")
        terminal.wait_for("taken out, and the agent has taken it up", "1 source")
        assert shop.config.read_text() == before
        terminal.send("u")
        terminal.wait_for("taken back", "2 sources")
        assert "environment: staging" in shop.config.read_text()
    done = yaat("sources", "remove", "file-two", "--yes", "-c", str(shop.config), **shop.agent.environ)
    assert done.returncode == 0, done.stderr
    assert shop.config.read_text() == before


@pytest.mark.faults
def test_processors_are_tried_ordered_and_sinks_checked(shop: Site) -> None:
    before = shop.config.read_text()
    with shop.tui("--screen", "sources", columns=200, rows=50) as terminal:
        terminal.wait_for("1 source", "─ app ─", "options", "in force:", "logs/*.log")
        terminal.send(">")
        terminal.wait_for("1 processor", "scrub", "● ok", "by default", "detectors")
        fill(terminal, "filter")
        to_field(terminal, "filter", "name", "drop", "The other way round")
        terminal.type("level =")
        terminal.wait_for("✗ is not an expression over an event")
        terminal.type(" 'info'")
        terminal.wait_gone("✗ is not")
        terminal.send("c-t")
        terminal.wait_for("lines of sources.app", "not a pair at all")
        terminal.send("c-s")
        terminal.wait_for("Write processors.filter?", "+  - type: filter")
        terminal.send("enter")
        terminal.wait_for("added, and the agent", "2 processors, in their order")
        terminal.send("{")
        terminal.wait_for("moved, and the agent has taken it up")
        assert list(components(shop, "processors")) == ["filter", "scrub"]
        done = yaat("processors", "move", "filter", "--yes", "-c", str(shop.config), **shop.agent.environ)
        assert done.returncode == 0, done.stderr
        assert list(components(shop, "processors")) == ["scrub", "filter"]
        terminal.send(">")
        terminal.wait_for("2 sinks", "picky", "waits", "dead")
        terminal.send("t")
        terminal.wait_for("sinks.local: works", "nothing is wrong with it")
        terminal.send("q")
        terminal.wait_gone("nothing is wrong with it")
        terminal.send("c")
        terminal.wait_for("Change the sink local (duckdb)", "events.duckdb")
        terminal.send("end")
        terminal.type("2")
        terminal.send("escape")
        terminal.wait_for("Forget what was typed?")
        terminal.send("tab", "enter")
        terminal.wait_gone("Change the sink local")
    for _ in range(3):
        yaat("config", "undo", "--yes", "-c", str(shop.config), **shop.agent.environ)
    assert shop.config.read_text() == before


def test_what_was_found_on_the_machine_is_offered(shop: Site) -> None:
    with shop.tui("--screen", "sources", columns=100, rows=30) as terminal:
        terminal.wait_for("1 source")
        terminal.send("a")
        terminal.wait_for("Found on this machine, not read yet", "Types of sources", "hostmetrics")
        terminal.wait_gone("looking ...")
        terminal.send("escape")
        terminal.wait_gone("Types of sources")


def test_a_name_that_is_taken_is_told_at_its_field(shop: Site) -> None:
    with shop.tui("--screen", "sources", columns=80, rows=24) as terminal:
        terminal.wait_for("1 source")
        fill(terminal, "file")
        for _ in range(4):
            terminal.send("backspace")
        terminal.type("app")
        terminal.send("down")
        terminal.type("x.log")
        terminal.wait_for("✗ there is a source `app`")
        terminal.send("c-s")
        terminal.wait_for("there is a source `app`")
        assert "Write" not in terminal.text


def test_without_an_agent_and_locked(site: Site) -> None:
    with site.tui("--screen", "sources", columns=80, rows=24) as terminal:
        terminal.wait_for("No agent is running")
        terminal.send("escape")
        terminal.wait_for("1 source, no agent runs", "○ not running", "app")
        fill(terminal, "file")
        terminal.send("down")
        terminal.type("other/*.log")
        terminal.send("c-s")
        terminal.wait_for("Write sources.file?", "+    paths: [other/*.log]")
        terminal.send("enter")
        terminal.wait_for("added", "2 sources")
        assert "other/*.log" in site.config.read_text()
        terminal.send("R")
        terminal.wait_for("LOCKED")
        terminal.send("D")
        terminal.wait_for("locked: nothing is changed")
        terminal.send("t")
        terminal.wait_for("there was nothing to read")


def test_it_is_usable_at_60x16(shop: Site) -> None:
    with shop.tui("--screen", "sources", columns=60, rows=16) as terminal:
        terminal.wait_for("1 source", "app", "● ok")
        fill(terminal, "file")
        terminal.send("down")
        terminal.wait_for("paths *", "Files to read", "Cancel", "Save")
