"""Each screen by its key, at both sizes, in a real pseudo-terminal."""

from __future__ import annotations

import pytest
from support.terminal import Terminal
from support.tui import YAAT, Site, shown

SIZES = [(80, 24), (200, 50)]


def check_frame(terminal: Terminal) -> None:
    """The bars come to be in their places: nothing pushed a line off the screen or broke one."""
    terminal.wait(lambda _: framed(terminal), what="the bars in their places")


def framed(terminal: Terminal) -> bool:
    """Top bar, tabs and footer are where they belong."""
    lines = terminal.lines
    if not lines[0].startswith(" YAAT "):
        return False
    if terminal.rows < 10:
        return len(lines) == terminal.rows
    return lines[1].startswith(" 1") and any(word in lines[-1] for word in ("help", "Enter", "quit"))


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_each_screen_by_its_key(running: Site, columns: int, rows: int) -> None:
    with running.tui(columns=columns, rows=rows) as terminal:
        terminal.wait_for(
            "healthy", "Health", "Throughput", "Latency", "Sources", "Destinations", "Events", "picky"
        )
        check_frame(terminal)
        terminal.send("5")
        terminal.wait_for("Dead letters", "In the queue", "it is bad\\x1", "picky")
        check_frame(terminal)
        terminal.send("6")
        terminal.wait_for("Plugins: ", "● loaded", "Events to a backend")
        check_frame(terminal)
        terminal.send("0")
        terminal.wait_for("Screens", "Overview:", "Settings:")
        terminal.type("settings")
        terminal.wait_gone("Overview: how")
        terminal.send("enter")
        terminal.wait_for("theme", "dark", "Keys everywhere", "0 Settings")
        check_frame(terminal)
        terminal.send("[")
        terminal.wait_for("Plugins: ")
        terminal.send("]")
        terminal.wait_for("Keys everywhere")
        terminal.send("c-q")
        assert terminal.ended() == 0


def test_leaving_goes_back_and_then_out(running: Site) -> None:
    with running.tui() as terminal:
        terminal.wait_for("picky")
        terminal.send("5")
        terminal.wait_for("Dead letters")
        terminal.send("q")
        terminal.wait_for("Throughput")
        terminal.send("q")
        assert terminal.ended() == 0
    assert running.agent.running(), "leaving the TUI does not stop the agent"


def test_data_is_harmless_and_keeps_its_columns(looking: Terminal) -> None:
    """Escapes and signs of two columns in what a destination refused."""
    terminal = shown(looking, "5", "Dead letters", "picky")
    terminal.wait_for("it is bad\\x1")
    terminal.send("tab", "tab", "enter")
    terminal.wait_for("3 events that sinks.picky refused", "it is bad\\x1b[2J", "422 not that one")
    seen = terminal.text
    for _ in range(12):
        terminal.send("pagedown")
        terminal.read(0.2)
        seen += terminal.text
    assert "owned" in seen
    assert "漢" in seen
    assert b"]0;owned\x07" not in terminal.raw
    terminal.send("escape")
    terminal.wait_gone("422 not that one")
    check_frame(terminal)


SMALL = [(60, 16), (40, 10), (100, 30), (250, 70), (20, 5), (80, 24)]


def test_every_size_shows_what_fits(looking: Terminal) -> None:
    terminal = shown(looking, "1", "Throughput", "picky")
    terminal.wait_for("picky")
    for screen, text in (("1", "Health"), ("5", "Destinations"), ("6", "Plugins")):
        terminal.send(screen)
        terminal.wait_for(text)
        for columns, rows in SMALL:
            terminal.resize(columns, rows)
            check_frame(terminal)
            assert "Window too small" not in terminal.text
    check_frame(terminal)


def test_dialogs_fit_the_smallest_size(looking: Terminal) -> None:
    terminal = shown(looking, "5", "Dead letters", "picky", columns=60, rows=16)
    terminal.wait_for("picky")
    terminal.send("?")
    terminal.wait_for("Help", "Close", "destinations")
    terminal.send("escape")
    terminal.wait_gone("Close")
    terminal.send(":")
    terminal.type("purge")
    terminal.wait_for("queue.purge", "> purge")
    terminal.send("escape")
    terminal.wait_gone("> purge")
    terminal.send("D")
    terminal.wait_for("nothing waits for local")
    terminal.send("tab", "tab")
    terminal.wait_for("Space:mark")
    terminal.send("D")
    terminal.wait_for("Forget 1 dead letter?", "Cancel", "Forget them", "to go on")
    terminal.send("escape")
    terminal.wait_gone("Forget them")


def test_help_and_palette_know_the_keys_and_commands(looking: Terminal) -> None:
    terminal = shown(looking, "5", "Dead letters", "picky", columns=120, rows=40)
    terminal.wait_for("picky")
    terminal.send("?")
    terminal.wait_for("This pane: destinations", "deliver dead letters again", "This screen: Queue")
    terminal.send("/")
    terminal.type("read-only")
    terminal.send("enter")
    terminal.wait_for("read-only on or off")
    terminal.send("escape")
    terminal.wait_gone("This pane")
    terminal.send("c-p")
    terminal.type("ddvrfy")
    terminal.wait_gone("go to")
    terminal.send(*["backspace"] * 6)
    terminal.type("verify")
    terminal.wait_for("queue.verify", "yaat queue verify")
    terminal.send("enter")
    terminal.wait_for("damage: []", "ok: true")
    terminal.send("escape")
    terminal.wait_gone("damage: []")


def test_an_action_from_the_palette_with_a_form(looking: Terminal) -> None:
    terminal = shown(looking, "1", "Throughput", "picky", columns=100, rows=30)
    terminal.wait_for("picky")
    terminal.send(":")
    terminal.type("queue.show")
    terminal.wait_for("One record of the queue")
    terminal.send("enter")
    terminal.wait_for("sequence *", "yaat queue show")
    terminal.type("999999")
    terminal.send("tab", "tab", "enter")
    terminal.wait_for("the queue holds no record with sequence 999999")
    terminal.send("escape")
    terminal.wait_gone("no record with sequence")


def test_filter_sort_and_zoom(looking: Terminal) -> None:
    terminal = shown(looking, "6", "Plugins: ", columns=120, rows=30)
    terminal.wait_for("Plugins: ", "cloud", "leveldb")
    terminal.send("/")
    terminal.type("leveld")
    terminal.wait_for("/leveld", "1 of 1")
    terminal.send("enter")
    terminal.wait_gone("● loaded  sinks: cloud")
    terminal.send("/", "escape")
    terminal.wait(lambda _: not terminal.lines[-2].startswith("/"), what="no search")
    terminal.wait_for("cloud")
    terminal.send("tab", "+")
    terminal.wait_gone("Plugins: ")
    terminal.send("_")
    terminal.wait_for("Plugins: ")


def test_locked_it_changes_nothing(running: Site) -> None:
    before = running.account("picky")
    with running.tui("--read-only", "--screen", "queue") as terminal:
        terminal.wait_for("picky", "LOCKED", "it is bad")
        terminal.send("tab", "tab", "r")
        terminal.wait_for("locked: nothing is changed")
        terminal.send(":")
        terminal.type("dead.replay")
        terminal.wait_for("dead.replay:")
        terminal.send("enter")
        terminal.wait_for("after")
        terminal.send("tab", "tab", "tab", "tab", "enter")
        terminal.wait_for("this TUI is locked")
    assert running.account("picky") == before


@pytest.mark.parametrize(
    "environ", [{"NO_COLOR": "1"}, {"TERM": "xterm"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}]
)
def test_without_colour_and_without_utf8(running: Site, environ: dict[str, str]) -> None:
    with running.tui(**environ) as terminal:
        terminal.wait_for("healthy", "picky")
        if "NO_COLOR" in environ:
            assert b"[38;" not in terminal.raw
            assert b"[48;" not in terminal.raw
        if "LC_ALL" in environ:
            terminal.wait_for("[ok] healthy")
            assert all(line.isascii() for line in terminal.lines)


def test_copying_is_osc_52(looking: Terminal) -> None:
    terminal = shown(looking, "5", "Dead letters", "picky")
    terminal.wait_for("picky", "it is bad")
    terminal.send("Y")
    terminal.wait_for("copied: yaat queue list -c")
    assert b"\x1b]52;c;" in terminal.raw
    terminal.send("tab", "tab", "Y")
    terminal.wait_for("copied: yaat dead show")


def test_the_root_command_on_a_terminal_is_the_tui(running: Site) -> None:
    with Terminal(
        [*YAAT, "-c", str(running.config)],
        environ=running.agent.environ,
        cwd=running.folder,
    ) as terminal:
        terminal.wait_for("healthy", "picky")


def test_screens_work_while_one_is_broken(site: Site) -> None:
    (site.folder / "plugins" / "broken.py").write_text(
        "from yaat_core import hookimpl\nfrom yaat_core.panels import Panel\n"
        "@hookimpl\ndef panels():\n"
        '    return [Panel(name="broken", title="Broken", summary="no", screen="nowhere.at:All")]\n'
    )
    (site.folder / "plugins" / "worse.py").write_text(
        "from yaat_core import hookimpl\n@hookimpl\ndef panels():\n    raise RuntimeError('no panels today')\n"
    )
    site.agent.start()
    with site.tui() as terminal:
        terminal.wait_for("no panels today")
        terminal.wait_for("healthy")
        terminal.wait_gone("No agent is running")
        terminal.send("0")
        terminal.type("broken")
        terminal.wait_gone("Overview: how")
        terminal.send("enter")
        terminal.wait_for("0 Broken", "can't be shown", "Traceback")
        terminal.send("5")
        terminal.wait_for("Destinations")
