"""Questions over a screen: confirm, choose, fill in, read. Each is awaited in trio and gives the answer.

Every one fits 60x16: what is longer scrolls, the buttons stay.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import trio
from prompt_toolkit.layout.containers import AnyContainer, HSplit, VSplit, Window
from prompt_toolkit.layout.dimension import Dimension

from yaat_core.tui.keys import Key, bindings
from yaat_core.tui.layout import Node, Pane, exactly, share
from yaat_core.tui.text import Line, cells, fit_line, safe, wrap
from yaat_core.tui.widgets.base import Label, Widget
from yaat_core.tui.widgets.fields import Field, FieldSpec, Form
from yaat_core.tui.widgets.table import Column, Table
from yaat_core.tui.widgets.viewing import Viewer

if TYPE_CHECKING:
    from yaat_core.tui.shell import Shell


class Buttons(Widget):
    """A row of them; left and right choose, Enter presses. Tab goes through them before it leaves them."""

    name = "buttons"

    def __init__(self, names: Sequence[str], press: Callable[[int], None], at: int = 0) -> None:
        self.names, self.at, self._press = list(names), at, press
        self._first = at

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """Side by side, at the right."""
        line: Line = []
        for index, name in enumerate(self.names):
            style = "class:button.focus" if focused and index == self.at else "class:button"
            line += [(style, f" {name} "), ("", "  ")]
        used = sum(cells(text) for _, text in line)
        return [[("", " " * max(0, width - used)), *line]]

    def keys(self) -> Sequence[Key]:
        """Choose and press."""
        return (
            Key(name="button.next", keys=("right", "l"), does="next button", run=lambda: self._step(1)),
            Key(
                name="button.previous", keys=("left", "h"), does="previous button", run=lambda: self._step(-1)
            ),
            Key(
                name="button.press",
                keys=("enter", "space"),
                does="press it",
                run=lambda: self._press(self.at),
            ),
            Key(name="button.tab", keys=("tab",), does="next button, then the next pane", run=lambda: self._tab(1)),
            Key(name="button.tab-back", keys=("s-tab",), does="previous button, then the pane before", run=lambda: self._tab(-1)),
        )  # fmt: skip

    def _tab(self, by: int) -> None:
        if 0 <= self.at + by < len(self.names):
            self.at += by
            return
        self.at = self._first
        layout = self.shell.app.layout
        if by > 0:
            layout.focus_next()
        else:
            layout.focus_previous()

    def _step(self, by: int) -> None:
        self.at = (self.at + by) % len(self.names)

    def click(self, column: int, row: int) -> None:
        """Press the one that was hit."""
        width = self.window.render_info.window_width if self.window.render_info else 0
        edge = max(0, width - sum(len(name) + 4 for name in self.names))
        for index, name in enumerate(self.names):
            if edge <= column < edge + len(name) + 2:
                self._press(index)
            edge += len(name) + 4


class Dialog:
    """A box in the middle of the screen. `answer` ends it; Esc gives None."""

    def __init__(
        self,
        title: str,
        parts: Sequence[Node],
        *,
        wide: int = 64,
        high: int = 10,
        first: Widget | None = None,
        keys: Sequence[Key] = (),
        danger: bool = False,
    ) -> None:
        self.title, self.parts, self.wide, self.high = title, parts, wide, high
        self.first, self.danger, self._more = first, danger, keys
        self.done = trio.Event()
        self.result: Any = None
        self.shell: Shell
        self.then: Callable[[Any], Any] | None = None
        """Called with the answer, when there is one."""
        self._container: AnyContainer | None = None
        self.before: Window | None = None
        """What had the focus."""

    def answer(self, result: Any) -> None:
        """End it."""
        self.result = result
        self.shell.close(self)

    def size(self, columns: int, rows: int) -> tuple[int, int]:
        """Of its box on a terminal of this size."""
        return min(self.wide + 4, columns), min(self.high + 2, rows)

    def container(self, shell: Shell) -> AnyContainer:
        """Made once."""
        if self._container is None:
            self.shell = shell
            keys = [
                *self._more,
                Key(name="dialog.close", keys=("escape",), does="close", run=lambda: self.answer(None), anywhere=True),
            ]  # fmt: skip
            head = Label(self._head)
            head.shell = shell
            head.window.height = exactly(1)
            body = HSplit([part.container(shell, across=False) for part in self.parts])
            edge = Dimension.exact(1)
            self._container = HSplit(
                [
                    head.window,
                    VSplit(
                        [self._side(shell), Window(width=edge), body, Window(width=edge), self._side(shell)]
                    ),
                    Window(height=exactly(1), char=lambda: shell.glyphs.rule, style="class:rule"),
                ],
                style="class:dialog",
                modal=True,
                key_bindings=bindings(keys, shell, dialog=True),
                height=share(),
            )
        return self._container

    def _side(self, shell: Shell) -> Window:
        return Window(width=Dimension.exact(1), char=lambda: shell.glyphs.bar, style="class:rule")

    def _head(self, width: int, _: int) -> Sequence[Line]:
        return [fit_line([("class:dialog.title", f" {self.title}")], width, "class:dialog.title")]

    def panes(self) -> list[Pane]:
        """Its widgets."""
        return [pane for part in self.parts for pane in part.panes()]


async def confirm(
    shell: Shell,
    title: str,
    lines: Sequence[str],
    *,
    yes: str = "Yes",
    word: str = "",
    count: str = "",
) -> bool:
    """Ask before something happens. ``lines`` list what it happens to; Cancel has the focus.

    With ``word`` it must be typed: for what can't be had back. Never asked while read-only: the action is refused.
    """
    text = "\n".join([*lines, *([count] if count else [])])
    high = len(wrap(text, 60)) + 2 + (3 if word else 0)
    viewer = Viewer(text)
    viewer.focusable = len(lines) > 6
    buttons = Buttons(["Cancel", yes], lambda at: press(at))
    parts: list[Node] = [Pane(viewer)]
    typed = Field(accept=lambda text: press(1 if text else 0))
    if word:
        ask = Label(lambda width, _: [[("class:warn", f" Type {safe(word)} to go on:")]])
        parts += [Pane(ask, size=1), Pane(typed, size=1), Pane(Label(lambda width, _: [[]]), size=1)]
    dialog = Dialog(
        title,
        [*parts, Pane(buttons, size=1)],
        high=min(high, 30),
        first=typed if word else buttons,
        danger=True,
    )

    def press(at: int) -> None:
        if at == 0:
            dialog.answer(False)
        elif word and typed.text.strip() != word:
            shell.notify(f"type {word} to go on, or Esc to leave it", error=True)
        else:
            dialog.answer(True)

    return bool(await shell.ask(dialog))


async def choose(shell: Shell, title: str, text: str, options: Sequence[tuple[str, str]]) -> int | None:
    """One of ``options`` (name, what it means); None: none of them."""
    table: Table[int] = Table(
        [
            Column(title="", value=lambda n: options[n][0], least=12),
            Column(title="", value=lambda n: options[n][1], least=10, stretch=True),
        ],
        open=lambda n: dialog.answer(n),
        open_does="choose it",
    )
    table.rows = range(len(options))
    told = Label(lambda width, _: [[("", line)] for line in wrap(safe(text, lines=True), width)])
    above = len(wrap(text, 68))
    dialog = Dialog(
        title, [Pane(told, size=above + 1), Pane(table)], wide=72, high=above + len(options) + 3, first=table
    )
    result = await shell.ask(dialog)
    return None if result is None else int(result)


def reading(
    title: str, text: str, *, style: Callable[[str], str] | None = None, widget: Widget | None = None
) -> Dialog:
    """Something to read; it scrolls and can be searched."""
    shown = widget or Viewer(text, style=style)
    buttons = Buttons(["Close"], lambda _: dialog.answer(None))
    wide = min(110, max(44, *(cells(line) + 3 for line in text.split("\n"))))
    high = len(wrap(text, wide - 2)) + 2
    long = high > 10
    dialog = Dialog(
        title,
        [Pane(shown), Pane(buttons, size=1)],
        wide=wide,
        high=high,
        first=shown if long else buttons,
        keys=(Key(name="dialog.leave", keys=("q",), does="close", run=lambda: dialog.answer(None)),),
    )
    return dialog


async def message(shell: Shell, title: str, text: str) -> None:
    """Something to read."""
    await shell.ask(reading(title, text))


async def fill_in(
    shell: Shell, title: str, fields: Sequence[FieldSpec], *, yes: str = "OK", text: str = ""
) -> dict[str, str] | None:
    """A form; None when it was left."""
    form = Form(fields)
    buttons = Buttons(["Cancel", yes], lambda at: press(at), at=1)
    told = Label(lambda width, _: [[("", line)] for line in wrap(safe(text, lines=True), width)])
    above = [Pane(told, size=len(wrap(text, 74)) + 1)] if text else []
    high = len(above) * (len(wrap(text, 74)) + 1) + 2 * len(fields) + 3
    dialog = Dialog(title, [*above, Pane(form), Pane(buttons, size=1)], wide=80, high=high)

    def press(at: int) -> None:
        problems = form.problems() if at else {}
        if problems:
            form.refused = problems
            shell.notify("; ".join(f"{name} {problem}" for name, problem in problems.items()), error=True)
        else:
            dialog.answer(form.values() if at else None)

    result: dict[str, str] | None = await shell.ask(dialog)
    return result
