"""What is done from the TUI is done: dead letters replayed and purged, an agent started, lost and found again."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest
from support.agents import YAAT, wait_until
from support.terminal import Terminal
from support.tui import HOSTILE, Site


@pytest.fixture
def refused(site: Site) -> Site:
    """A running agent whose destination `picky` refused three of four events."""
    site.agent.start()
    site.write(*HOSTILE)
    site.wait_account("picky", dead=3, delivered=1)
    return site


def to_letters(terminal: Terminal) -> None:
    """The focus goes to the dead letters."""
    terminal.wait_for("it is bad")
    terminal.send("tab", "tab")
    terminal.wait_for("Space:mark")


def test_a_dead_letter_is_delivered_again_and_one_is_purged(refused: Site) -> None:
    site = refused
    (site.folder / "mended").touch()
    with site.tui("--screen", "queue", columns=100, rows=30) as terminal:
        to_letters(terminal)
        terminal.send("r")
        terminal.wait_for("Deliver 1 dead letter again?", "3 events", "it is bad\\x1b[2J", "Cancel")
        terminal.send("enter")
        terminal.wait_gone("Deliver 1 dead letter again?")
        assert site.account("picky")["dead"] == 3, "Cancel has the focus"
        terminal.send("r")
        terminal.wait_for("Deliver 1 dead letter again?")
        terminal.send("right", "enter")
        terminal.wait_for("with 3 events queued to be delivered again")
        site.wait_account("picky", dead=0, delivered=4)
        terminal.wait_for("no dead letters")

        (site.folder / "mended").unlink()
        site.write("another bad line")
        site.wait_account("picky", dead=1)
        terminal.wait_for("it is bad")
        terminal.send("D")
        terminal.wait_for("Forget 1 dead letter?", "1 events", "can't be had back", "purge", "to go on")
        terminal.type("purg")
        terminal.send("enter")
        terminal.wait_for("type purge to go on")
        assert site.account("picky")["dead"] == 1
        terminal.type("e")
        terminal.send("enter")
        terminal.wait_for("1 dead letter forgotten")
        site.wait_account("picky", dead=0, dropped=1)


def test_it_reconnects_after_a_restart_of_the_agent(site: Site) -> None:
    site.agent.start()
    with site.tui() as terminal:
        terminal.wait_for("healthy", "picky", f"pid {site.agent.process.pid}")  # type: ignore[union-attr]
        terminal.wait_gone("No agent is running")
        site.agent.kill()
        terminal.wait_for("the agent is gone", "ago", "reconnecting")
        assert "picky" in terminal.text, "the last data stay"
        terminal.send("5")
        terminal.wait_for("Dead letters", "Destinations")
        site.agent.start()
        terminal.wait_for("healthy", f"pid {site.agent.process.pid}")  # type: ignore[union-attr]
        terminal.wait_gone("the agent is gone")


def test_without_an_agent_it_looks_around_and_starts_one(refused: Site) -> None:
    site = refused
    assert site.agent.terminate() == 0
    with site.tui(columns=100, rows=30) as terminal:
        terminal.wait_for("No agent is running", "Start it", "Start it for now", "Look around", "Quit")
        terminal.send("down", "down", "enter")
        terminal.wait_gone("Start it for now")
        terminal.send("5")
        terminal.wait_for("it is bad", "picky", "○ stopped", "no agent is running")
        terminal.send(":")
        terminal.type("as long as")
        terminal.wait_for("start the agent for as long as this TUI runs")
        terminal.send("enter")
        terminal.wait_for("healthy", "it stops when you leave")
        pid = site.pid()
        terminal.send("c-q")
        assert terminal.ended() == 0
    wait_until(lambda: not _alive(pid), what=f"the agent {pid} ends with the TUI")


def test_an_agent_that_stays(site: Site) -> None:
    with site.tui(columns=100, rows=30) as terminal:
        terminal.wait_for("No agent is running")
        terminal.send("enter")
        terminal.wait_for("healthy", "the agent runs")
        pid = site.pid()
        terminal.send("c-q")
        assert terminal.ended() == 0
    try:
        assert _alive(pid), "it stays"
    finally:
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not _alive(pid), what="its end")


def test_a_configuration_with_errors_is_told_inside(site: Site) -> None:
    site.config.write_text(site.config.read_text().replace("paths:", "pathz:"))
    with site.tui(columns=100, rows=30) as terminal:
        terminal.wait_for("the configuration has errors", "Overview")
        terminal.send("6")
        terminal.wait_for("Plugins: ", "picky")
        terminal.send("5")
        terminal.wait_for("Dead letters")
        terminal.send("1")
        terminal.wait_for("pathz", "did you mean")


def test_without_a_terminal_it_says_so(site: Site) -> None:
    done = subprocess.run(
        [*YAAT, "tui", "-c", str(site.config)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    shown = subprocess.run(YAAT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    assert "Commands" in shown.stdout


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
