"""Dialogs of these screens: a difference to agree to, what a test found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from yaat_core.config.editing.results import Applied
from yaat_core.tui import copying
from yaat_core.tui.dialogs import Buttons, Dialog
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Pane
from yaat_core.tui.text import Line, cells, fit_line, safe, wrap
from yaat_core.tui.widgets.base import Label, Widget
from yaat_core.tui.widgets.viewing import Diff

if TYPE_CHECKING:
    from yaat_core.tui.shell import Shell

_WIDE = 110


async def agreed(
    shell: Shell, title: str, plan: Applied, *, yes: str, command: str, danger: bool = False, note: str = ""
) -> bool:
    """Show what a change would write, and the command line that does the same; True: do it.

    ``danger``: Cancel has the focus, as always where something goes.
    """
    diff = Diff(plan.diff, empty="no line of the file differs")
    warnings = [f"{shell.glyphs.warn} {safe(one.what)}" for one in plan.warnings]
    warnings += [f"{shell.glyphs.warn} {safe(note)}"] if note else []
    told = [*warnings, f"The same: {safe(command)}" if command else ""]
    buttons = Buttons(["Cancel", yes], lambda at: dialog.answer(at == 1), at=0 if danger else 1)
    wide = min(
        _WIDE, max(56, *(cells(line) + 3 for line in plan.diff.split("\n")), min(90, len(command) + 12))
    )
    below = wrap("\n".join(told).strip(), min(wide, shell.size[0] - 6))[:6]
    high = len(plan.diff.splitlines()) + len(below) + 2

    def copy() -> None:
        copying.copy(shell, command, "command")

    dialog = Dialog(
        title,
        [
            Pane(diff),
            Pane(_label(below), size=len(below) + 1),
            Pane(buttons, size=1),
        ],
        wide=wide,
        high=max(8, high),
        first=buttons,
        danger=danger,
        keys=(
            Key(name="change.copy", keys=("Y",), does="copy the command line", run=copy),
            Key(name="change.down", keys=("pagedown",), does="further down", run=lambda: diff.move(diff.page)),
            Key(name="change.up", keys=("pageup",), does="further up", run=lambda: diff.move(-diff.page)),
        ),
    )  # fmt: skip
    return bool(await shell.ask(dialog))


async def shown(
    shell: Shell,
    title: str,
    widget: Widget,
    *,
    buttons: dict[str, str] | None = None,
    wide: int = 100,
    high: int = 18,
) -> str | None:
    """Something to read with what may be done about it: the answer of the button that was pressed."""
    names = {"Close": "", **(buttons or {})}
    row = Buttons(list(names), lambda at: dialog.answer(list(names.values())[at]))
    dialog = Dialog(
        title,
        [Pane(widget), Pane(_label([]), size=1), Pane(row, size=1)],
        wide=wide,
        high=high,
        first=widget,
        keys=(Key(name="dialog.leave", keys=("q",), does="close", run=lambda: dialog.answer("")),),
    )
    answer: str | None = await shell.ask(dialog)
    return answer


def _label(lines: list[str]) -> Label:
    def drawn(width: int, _: int) -> list[Line]:
        return [[("", "")], *(fit_line([("class:dim", line)], width) for line in lines)]

    return Label(drawn)
