"""A chart: drawn by a thread when what it shows or its size changes, and kept; drawing the pane only shows what was drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby

import trio
from prompt_toolkit.formatted_text import ANSI, to_formatted_text

from yaat_core.errors import YaatError
from yaat_core.tui.text import Line, plain, safe
from yaat_core.tui.widgets.base import Widget

#: Makes the lines, with ANSI colours, for a width and a height. Called in a thread; `YaatError` is shown in its place.
Render = Callable[[int, int], Sequence[str]]


class Chart(Widget):
    """Call `show` with what draws it, each time there is something new."""

    name = "chart"

    def __init__(self, *, empty: str = "nothing to draw yet") -> None:
        self.empty = empty
        self._render: Render | None = None
        self._version = 0
        self._lines: Sequence[Line] = ()
        self._drawn: tuple[int, int, int] | None = None
        self._begun: tuple[int, int, int] | None = None

    def show(self, render: Render | None) -> None:
        """Draw this from now on; None: nothing."""
        self._render = render
        self._version += 1
        if render is None:
            self._lines = ()

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """What was drawn last; what is out of date is drawn anew meanwhile."""
        if self._render is None:
            return [[("class:dim", f" {line}")] for line in self.empty.split("\n")]
        key = (self._version, width, height)
        if self._begun != key and width >= 10 and height >= 3:
            self._begun = key
            render = self._render
            self.shell.run_async(lambda: self._work(render, key))
        return self._lines

    async def _work(self, render: Render, key: tuple[int, int, int]) -> None:
        _, width, height = key
        try:
            made = await trio.to_thread.run_sync(render, width, height, abandon_on_cancel=True)
        except YaatError as error:
            made = [f" {line}" for line in safe(error.render(), lines=True).split("\n")]
        if self._begun == key:
            self._lines = [_line(line) for line in made]
            self._drawn = key
            self.shell.changed()

    def dump(self) -> str:
        """As it was drawn."""
        return "\n".join(plain(line).rstrip() for line in self._lines)

    def copied(self) -> str:
        """As it was drawn."""
        return self.dump()


def _line(text: str) -> Line:
    """With its colours as styles; neighbours of one style joined."""
    pieces = to_formatted_text(ANSI(text))
    return [
        (style, "".join(piece[1] for piece in same))
        for style, same in groupby(pieces, lambda piece: piece[0])
    ]
