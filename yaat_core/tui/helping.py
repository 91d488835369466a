"""The help: what keys do in the focused pane, on the screen, everywhere; made from the keys themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from yaat_core.tui import dialogs
from yaat_core.tui.keys import Key, keys_of, labels
from yaat_core.tui.text import cells, fit

if TYPE_CHECKING:
    from yaat_core.tui.shell import Shell
    from yaat_core.tui.widgets.base import Widget


def show(shell: Shell) -> None:
    """The help for where the focus is. It can be searched with /."""
    shell.show(dialogs.reading("Help  (/ searches, Esc closes)", text(shell, shell.focused()), style=_style))


def text(shell: Shell, widget: Widget | None) -> str:
    """As it is shown."""
    return "\n".join(_lines(shell, widget))


def _lines(shell: Shell, widget: Widget | None) -> Iterator[str]:
    if widget is not None and (keys := widget.keys()):
        yield f"# This pane: {widget.name}"
        if widget.help:
            yield widget.help
        yield from _table(shell, keys)
    screen = shell.current
    if screen is not None and not shell.dialogs:
        yield f"# This screen: {screen.panel.title}"
        yield screen.panel.summary
        if screen.help:
            yield from ("", *screen.help.strip().split("\n"))
        if keys := screen.keys():
            yield from _table(shell, keys)
        if screen.panel.command:
            yield f"On the command line: yaat {screen.panel.command}"
            yield ""
    yield "# Everywhere"
    yield from _table(shell, global_keys(shell))
    yield "In a text field every key that is text is text; Esc leaves the field, Tab goes to the next."


def global_keys(shell: Shell) -> Sequence[Key]:
    """Those that work everywhere."""
    from yaat_core.tui.commands import Commands

    return Commands(shell).table()


def _table(shell: Shell, keys: Sequence[Key]) -> Iterator[str]:
    rows = [(labels(keys_of(key, shell.overrides)), key.does) for key in keys if key.when()]
    width = max((cells(name) for name, _ in rows), default=0)
    for name, does in rows:
        yield f"  {fit(name, width)}  {does}"
    yield ""


def _style(line: str) -> str:
    return "class:title" if line.startswith("# ") else ""
