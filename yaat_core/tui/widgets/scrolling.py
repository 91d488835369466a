"""What is longer than its room: which part shows, and the keys that move it."""

from __future__ import annotations

from collections.abc import Sequence

from yaat_core.tui.keys import Key
from yaat_core.tui.text import Line
from yaat_core.tui.widgets.base import Widget


class Moving(Widget):
    """A widget with a position that the usual keys move: a selected row, or the first line shown."""

    page: int = 10
    """Rows that fitted when it was last drawn."""

    def move(self, by: int) -> None:
        """So many rows down, or up."""
        raise NotImplementedError

    def move_to(self, *, end: bool) -> None:
        """To the first or the last row."""
        raise NotImplementedError

    def keys(self) -> Sequence[Key]:
        """Up, down, pages, ends: the same in every pane."""
        return (
            Key(name="move.up", keys=("k", "up"), does="up", run=lambda: self.move(-1)),
            Key(name="move.down", keys=("j", "down"), does="down", run=lambda: self.move(1)),
            Key(name="move.page-up", keys=("pageup", "c-b"), does="page up", run=lambda: self.move(-self.page)),
            Key(name="move.page-down", keys=("pagedown", "c-f"), does="page down", run=lambda: self.move(self.page)),
            Key(name="move.half-up", keys=("c-u",), does="half a page up", run=lambda: self.move(-self.page // 2)),
            Key(name="move.half-down", keys=("c-d",), does="half a page down", run=lambda: self.move(self.page // 2)),
            Key(name="move.first", keys=("g", "home"), does="to the first", run=lambda: self.move_to(end=False)),
            Key(name="move.last", keys=("G", "end"), does="to the last", run=lambda: self.move_to(end=True)),
        )  # fmt: skip

    def scroll(self, lines: int) -> None:
        """The mouse wheel."""
        self.move(lines)


class Offset(Moving):
    """A `Moving` whose position is the first line shown; ``total`` lines at its last drawing."""

    def __init__(self) -> None:
        self.top = 0
        self.total = 0

    def move(self, by: int) -> None:
        """So many lines."""
        self.top = max(0, min(self.top + by, self.total - self.page))

    def move_to(self, *, end: bool) -> None:
        """To an end."""
        self.top = max(0, self.total - self.page) if end else 0

    def shown(self, lines: Sequence[Line], height: int) -> Sequence[Line]:
        """The part of ``lines`` that shows in ``height`` rows."""
        self.page, self.total = max(1, height), len(lines)
        self.top = max(0, min(self.top, self.total - self.page))
        return lines[self.top : self.top + height]

    def note(self) -> str:
        """How far down it is, when not all shows."""
        if self.total <= self.page:
            return ""
        return f"{min(self.total, self.top + self.page)} of {self.total}"
