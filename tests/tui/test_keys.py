"""The key table: text fields own what is text, users' keys hold, the page in the docs has every key."""

from __future__ import annotations

import string
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.terminal import Terminal
from support.tui import Site, shown

from yaat_core.actions.dead import DEAD_PURGE, DEAD_REPLAY, DEAD_SHOW, DeadPurge, DeadReplay, DeadShow
from yaat_core.actions.queue import QUEUE_EXPORT, QUEUE_LIST, QueueExport, QueueList
from yaat_core.errors import UsageError
from yaat_core.plugins import load_plugins
from yaat_core.tui import acting, cli_line, keys, settings, text, themes
from yaat_core.tui.commands import Commands
from yaat_core.tui.panelling import PanelList
from yaat_core.tui.widgets.table import Column, Table
from yaat_core.tui.widgets.viewing import Log, Viewer

ROOT = Path(__file__).resolve().parents[2]
PRINTABLE = "".join(sign for sign in string.printable if sign.isprintable())


def test_every_text_field_takes_every_printable_sign(looking: Terminal) -> None:
    """The palette, the filter of a pane, and a form: none of the keys that mean something elsewhere gets away."""
    terminal = shown(looking, "6", "Plugins: ", columns=200, rows=30)
    terminal.wait_for("Plugins: ")
    for opening, prompt in (("/", "/"), (":", "> ")):
        terminal.send(opening)
        terminal.type(PRINTABLE)
        terminal.wait_for(prompt + PRINTABLE.rstrip())
        terminal.send("escape")
        terminal.wait_gone(PRINTABLE[:40])
    terminal.send(":")
    terminal.type("dead.list")
    terminal.wait_for("which sink refused")
    terminal.send("enter")
    terminal.wait_for("sink", "limit")
    terminal.type(PRINTABLE[:50])
    terminal.wait_for(PRINTABLE[:50])
    terminal.send("c-a", "c-k")
    terminal.wait_gone(PRINTABLE[:50])
    terminal.type(PRINTABLE[50:].rstrip())
    terminal.wait_for(PRINTABLE[50:].rstrip())
    terminal.send("escape")
    terminal.wait_gone("limit")


def test_keys_that_are_text_can_not_work_in_text_fields() -> None:
    for wrong in ("q", "space", "enter"):
        with pytest.raises(ValueError):
            keys.Key(name="x", keys=(wrong,), does="", run=lambda: None, anywhere=True)


def table() -> list[keys.Key]:
    shell: Any = SimpleNamespace(panels=PanelList(load_plugins()), undo=None, quit=None, back=None)
    return list(Commands(shell).table())


def test_no_key_means_two_things_everywhere() -> None:
    taken: dict[str, str] = {}
    for one in table():
        for key in one.keys:
            assert key not in taken, f"{key}: {one.name} and {taken[key]}"
            taken[key] = one.name
    assert not keys.wrong_keys(taken)


def test_the_page_has_every_key_that_works_everywhere() -> None:
    page = (ROOT / "docs" / "tui.md").read_text(encoding="utf-8")
    for one in table():
        if one.name.startswith("go."):
            continue
        assert any(keys.label(key) in page for key in one.keys), f"docs/tui.md: {one.name} {one.keys}"


def test_a_users_keys_and_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "tui.yaml"
    file.write_text(
        "theme: light\nrefresh: fast\ncolour: red\nkeys:\n  leave: [Q]\n  queue.purge: c-x\n  mouse: [ctrl-enter]\n"
    )
    found = settings.load(file)
    assert found.theme == "light"
    assert found.refresh == 1.0
    assert found.keys == {"leave": ("Q",), "queue.purge": ("c-x",)}
    assert len(found.problems) == 3
    assert any("ctrl-enter" in one for one in found.problems)
    settings.save(found, file)
    again = settings.load(file)
    assert again == found
    assert not again.problems


def test_a_users_key_works(site: Site) -> None:
    (site.folder / "tui.yaml").write_text("keys: {leave: [Q]}\n")
    site.config.write_text(site.config.read_text().replace("paths:", "pathz:"))
    with site.tui() as terminal:
        terminal.wait_for("Overview", "Q:quit")
        terminal.send("q")
        terminal.send("?")
        terminal.wait_for("This screen")
        terminal.send("escape")
        terminal.wait_gone("This screen")
        terminal.send("Q")
        assert terminal.ended() == 0


# --- actions


@pytest.mark.parametrize(
    ("action", "given_", "line"),
    [
        (DEAD_SHOW, DeadShow(id="5f0c2a"), "yaat dead show 5f0c2a"),
        (DEAD_SHOW, DeadShow(id="5f0c2a", limit=3), "yaat dead show --limit 3 5f0c2a"),
        (DEAD_REPLAY, DeadReplay(sink="cloud", id="5f"), "yaat dead replay --id 5f cloud"),
        (DEAD_PURGE, DeadPurge(sink="a b"), "yaat dead purge 'a b'"),
        (QUEUE_LIST, QueueList(), "yaat queue list"),
        (QUEUE_EXPORT, QueueExport(first=3, last=9), "yaat queue export --from 3 --to 9"),
    ],
)
def test_an_action_as_a_command_line(action: Any, given_: Any, line: str) -> None:
    assert cli_line.command_line(action, given_) == line


def test_a_form_gives_arguments_and_refuses_what_is_wrong() -> None:
    fields = {one.name: one for one in acting.fields_of(DeadShow)}
    assert fields["id"].required
    assert fields["limit"].kind == "number"
    assert fields["limit"].value == "100"
    assert acting.arguments(DEAD_SHOW, {"id": "5f", "limit": "7"}) == DeadShow(id="5f", limit=7)
    with pytest.raises(UsageError):
        acting.arguments(DEAD_SHOW, {"id": "5f", "limit": "-7"})


# --- text in cells


@given(st.lists(st.tuples(st.just(""), st.text(max_size=30)), max_size=5), st.integers(1, 60))
def test_a_line_is_exactly_as_wide_as_its_room(line: list[tuple[str, str]], width: int) -> None:
    made = text.fit_line(line, width)
    assert text.width_of(made) == width
    assert "\x1b" not in text.plain(made)


@given(st.text(max_size=80), st.integers(1, 40))
def test_text_is_cut_and_wrapped_within_its_room(value: str, width: int) -> None:
    assert text.cells(text.fit(text.safe(value), width)) == width
    for line in text.wrap(text.safe(value, lines=True), max(2, width)):
        assert text.cells(line) <= max(2, width)


def test_numbers_are_short() -> None:
    assert [text.count(n) for n in (0, 999, 1234, 48_000, 3_100_000)] == ["0", "999", "1.2k", "48k", "3.1M"]
    assert [text.size(n) for n in (0, 1536, 43 << 20)] == ["0 B", "1.5K", "43M"]
    assert [text.span(n) for n in (4.2, 42, 185, 7800, 273600)] == ["4.2s", "42s", "3m05s", "2h10m", "3d04h"]
    assert [text.latency(n) for n in (0.0004, 0.0123, 0.84, 2.1)] == ["400 µs", "12.3 ms", "840 ms", "2.1 s"]


@given(st.lists(st.text(max_size=20), max_size=30), st.integers(5, 60), st.integers(1, 12))
def test_a_table_draws_no_line_that_is_too_long(rows: list[str], width: int, height: int) -> None:
    made: Table[str] = Table(
        [
            Column(title="a", value=lambda row: row, least=4),
            Column(title="b", value=lambda row: len(row), align="right", least=3, drop=1),
            Column(title="c", value=lambda row: row[::-1], least=6, drop=2, stretch=True),
        ],
        marking=True,
    )
    made.shell = SimpleNamespace(glyphs=themes.UTF8)  # type: ignore[assignment]
    made.rows = rows
    made.move(3)
    lines = made.draw(width, height, focused=True)
    assert len(lines) <= max(2, height)
    for line in lines:
        assert text.width_of(text.fit_line(line, width)) == width


def test_a_table_keeps_its_selection_its_order_and_its_filter() -> None:
    made: Table[tuple[str, int]] = Table(
        [Column(title="n", value=lambda row: row[0]), Column(title="v", value=lambda row: row[1], sort=lambda row: row[1])],
        identity=lambda row: row[0],
        marking=True,
    )  # fmt: skip
    made.shell = SimpleNamespace(glyphs=themes.UTF8)  # type: ignore[assignment]
    made.rows = [("a", 3), ("b", 1), ("c", 2)]
    made.select("b")
    made.rows = [("c", 2), ("a", 5), ("b", 7)]
    assert made.selected == ("b", 7)
    by = {one.name: one for one in Table.keys(made)}
    by["list.sort"].run()
    by["list.sort"].run()
    assert [row[1] for row in made.shown] == [2, 5, 7]
    by["list.reverse"].run()
    assert [row[1] for row in made.shown] == [7, 5, 2]
    made.search("A")
    assert made.shown == [("a", 5)]
    by["list.invert"].run()
    assert [row[0] for row in made.shown] == ["b", "c"]
    by["list.mark-all"].run()
    assert {row[0] for row in made.chosen} == {"b", "c"}


def test_a_log_pauses_and_forgets_the_oldest() -> None:
    log = Log(keep=100)
    log.shell = SimpleNamespace(glyphs=themes.UTF8)  # type: ignore[assignment]
    log.add([("", f"line {n}")] for n in range(250))
    assert text.plain(log.draw(40, 10, focused=True)[-1]) == "line 249"
    log.pause()
    log.add([("", f"more {n}")] for n in range(30))
    assert text.plain(log.draw(40, 10, focused=True)[-1]) == "line 249"
    assert "+30 waiting" in log.note()
    log.pause()
    assert text.plain(log.draw(40, 10, focused=True)[-1]) == "more 29"
    log.marks = {"error": lambda line: "line 180" in text.plain(line)}
    log.hop("error", -1)
    assert text.plain(log.draw(40, 10, focused=True)[0]) == "line 180"


def test_a_viewer_finds_what_is_searched() -> None:
    viewer = Viewer("\n".join(f"row {n}" for n in range(100)))
    viewer.draw(40, 10, focused=True)
    viewer.search("row 42")
    assert text.plain(viewer.draw(40, 10, focused=True)[0]).strip() == "row 42"
    assert "1 hits" in viewer.note()
