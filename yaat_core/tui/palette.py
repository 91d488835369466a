"""Finding things by typing: the command palette, the menu of screens, and the line that filters a pane."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from yaat_core.tui import dialogs
from yaat_core.tui.keys import Key, keys_of, labels
from yaat_core.tui.layout import Pane
from yaat_core.tui.widgets.fields import Field
from yaat_core.tui.widgets.table import Column, Table

if TYPE_CHECKING:
    from yaat_core.tui.shell import Shell


@attrs.frozen(kw_only=True)
class Entry:
    """Something that can be chosen by name."""

    title: str
    run: Callable[[], Any]
    key: str = ""
    command: str = ""


def entries(shell: Shell) -> Iterator[Entry]:
    """Screens, what keys do here, and every action there is."""
    from yaat_core.actions import ACTIONS
    from yaat_core.tui import acting, starting
    from yaat_core.tui.helping import global_keys

    tabs = {panel.name: digit for digit, panel in shell.panels.tabs.items()}
    for panel in shell.panels.panels:
        yield Entry(
            title=f"go to {panel.title}: {panel.summary}",
            key=tabs.get(panel.name, ""),
            command=f"yaat {panel.command}" if panel.command else "",
            run=lambda name=panel.name: shell.go(name),  # type: ignore[misc]
        )
    screen, focused = shell.current, shell.focused()
    here = [*(screen.keys() if screen else ()), *(focused.keys() if focused else ())]
    for key in [*here, *global_keys(shell)]:
        if key.name.startswith(("go.", "move.")) or not key.when():
            continue
        yield Entry(
            title=key.does,
            key=labels(keys_of(key, shell.overrides)),
            command=f"yaat {key.command}" if key.command else "",
            run=lambda key=key: shell.perform(key),  # type: ignore[misc]
        )
    for title, work in starting.entries(shell):
        yield Entry(title=title, run=work, command="yaat run")
    for action in ACTIONS.values():
        yield Entry(
            title=f"{action.name}: {action.summary}",
            command=f"yaat {action.command}" if action.command else "",
            run=lambda action=action: shell.run_async(lambda: acting.do(shell, action)),  # type: ignore[misc]
        )


def matched(text: str, found: Sequence[Entry]) -> list[Entry]:
    """Those that have every letter of ``text`` in this order, the closest first."""
    scored = [(score, n, one) for n, one in enumerate(found) if (score := _score(text, one)) is not None]
    return [one for _, _, one in sorted(scored, key=lambda three: three[:2])]


def _score(text: str, entry: Entry) -> float | None:
    """Less is closer; None: it does not match."""
    where = f"{entry.title} {entry.command}".lower()
    best = 0.0
    for word in text.lower().split():
        place = where.find(word)
        if place >= 0:
            best += place / 100 - (1 if place == 0 or not where[place - 1].isalnum() else 0)
            continue
        spread = _spread(word, where)
        if spread is None:
            return None
        best += spread
    return best


def _spread(word: str, where: str) -> float | None:
    at, first = -1, 0
    for nth, letter in enumerate(word):
        at = where.find(letter, at + 1)
        if at < 0:
            return None
        first = at if nth == 0 else first
    gap = at - first - len(word)
    return 2 + gap / 10 if gap <= 3 * len(word) else None


def show(shell: Shell) -> None:
    """The palette: type, choose, Enter."""
    _pick(shell, "Commands", list(entries(shell)))


def menu(shell: Shell) -> None:
    """Every screen, also those without a tab."""
    tabs = {panel.name: digit for digit, panel in shell.panels.tabs.items()}
    found = [
        Entry(
            title=f"{panel.title}: {panel.summary}",
            key=tabs.get(panel.name, ""),
            run=lambda name=panel.name: shell.go(name),  # type: ignore[misc]
        )
        for panel in shell.panels.panels
    ]
    _pick(shell, "Screens", found)


def _pick(shell: Shell, title: str, found: Sequence[Entry]) -> None:
    commands = any(entry.command for entry in found)
    table: Table[Entry] = Table(
        [
            Column(title="What", value=lambda one: one.title, least=20, stretch=True),
            Column(title="Key", value=lambda one: one.key, least=4, style=lambda _: "class:key"),
            *(
                [Column[Entry](title="Command line", value=lambda one: one.command, least=10, drop=1,
                               style=lambda _: "class:dim")]
                if commands
                else []
            ),
        ],
        identity=lambda one: one.title,
        empty="nothing matches",
        open=lambda one: dialog.answer(one),
        open_does="do it",
    )  # fmt: skip
    table.rows = found

    def changed(text: str) -> None:
        table.rows = matched(text, found) if text.strip() else found
        table.move_to(end=False)

    field = Field(
        prompt="> ",
        changed=changed,
        accept=lambda _: dialog.answer(table.selected),
        keys=(
            Key(name="pick.up", keys=("up",), does="up", run=lambda: table.move(-1), anywhere=True),
            Key(name="pick.down", keys=("down",), does="down", run=lambda: table.move(1), anywhere=True),
            Key(name="pick.page-up", keys=("pageup",), does="page up", run=lambda: table.move(-table.page), anywhere=True),
            Key(name="pick.page-down", keys=("pagedown",), does="page down", run=lambda: table.move(table.page), anywhere=True),
        ),
    )  # fmt: skip
    dialog = dialogs.Dialog(
        title, [Pane(field, size=1), Pane(table)], wide=100, high=min(len(found) + 3, 20), first=field
    )
    dialog.then = lambda entry: entry.run()
    shell.show(dialog)


# --- the line that filters a pane


def begin_search(shell: Shell) -> None:
    """Give the focus to the line that filters the focused pane."""
    focused = shell.focused()
    if focused is None or not focused.searchable:
        shell.notify("this pane has nothing to filter")
        return
    shell.searching = focused
    field = search_field(shell)
    field.text = ""
    shell.app.layout.update_parents_relations()
    shell.app.layout.focus(field.window)


def search_field(shell: Shell) -> Field:
    """The line, made once."""
    if shell.search_line is None:
        made = Field(
            prompt="/",
            changed=lambda text: shell.searching.search(text) if shell.searching else None,
            accept=lambda _: end_search(shell, keep=True),
            keys=(
                Key(name="search.leave", keys=("escape",), does="no filter", anywhere=True,
                    run=lambda: end_search(shell, keep=False)),
            ),
        )  # fmt: skip
        made.shell = shell
        shell.search_line = made
    return shell.search_line


def end_search(shell: Shell, *, keep: bool) -> None:
    """Back to the pane, with the filter or without."""
    widget, shell.searching = shell.searching, None
    if widget is None:
        return
    if not keep:
        widget.search("")
    shell.focus(widget)
