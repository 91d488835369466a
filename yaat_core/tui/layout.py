"""How a screen places its widgets: `Rows` and `Columns` of `Pane`s. What does not fit shrinks or goes, nothing is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from prompt_toolkit.filters import Condition
from prompt_toolkit.layout.containers import (
    AnyContainer,
    ConditionalContainer,
    DynamicContainer,
    HSplit,
    VSplit,
    Window,
)
from prompt_toolkit.layout.dimension import Dimension

from yaat_core.tui.text import Line, cells, safe, width_of
from yaat_core.tui.widgets.base import Label, Widget

if TYPE_CHECKING:
    from yaat_core.tui.shell import Shell


def share(weight: int = 1) -> Dimension:
    """A share of what is left."""
    return Dimension(min=0, preferred=0, weight=weight)


def exactly(cells: int) -> Dimension:
    """So many cells, when there is room."""
    return Dimension(min=0, preferred=cells, max=cells)


class Node:
    """Something with a place on a screen.

    ``weight``: its share of the room; or ``size`` cells of it (rows in `Rows`, columns in `Columns`, a pane's title
    included). It goes when the terminal has fewer than ``needs`` (columns, rows), or while ``when`` does not hold.
    """

    def __init__(
        self,
        *,
        weight: int = 1,
        size: int | None = None,
        needs: tuple[int, int] = (0, 0),
        when: Callable[[], bool] | None = None,
    ) -> None:
        self.weight, self.size, self.needs, self.when = weight, size, needs, when

    def panes(self) -> Iterator[Pane]:
        """Every pane in it."""
        raise NotImplementedError

    def made(self, shell: Shell) -> AnyContainer:
        """The container of it alone."""
        raise NotImplementedError

    def dimension(self) -> Dimension:
        """Of its room in the direction of its parent."""
        return share(self.weight) if self.size is None else exactly(self.size)

    def container(self, shell: Shell, *, across: bool) -> AnyContainer:
        """The container in its place; ``across``: in `Columns`."""
        inner = self.made(shell)
        dimension = self.dimension()
        boxed = HSplit([inner], width=dimension) if across else HSplit([inner], height=dimension)
        if self.needs == (0, 0) and self.when is None:
            return boxed
        return ConditionalContainer(boxed, Condition(lambda: self.shows(shell)))

    def shows(self, shell: Shell) -> bool:
        """Is there room for it, and does it apply?"""
        columns, rows = shell.size
        return columns >= self.needs[0] and rows >= self.needs[1] and (self.when is None or self.when())


class Pane(Node):
    """A widget under a title. ``title`` may be a function; without one there is no title row."""

    def __init__(
        self,
        widget: Widget,
        title: str | Callable[[], str] = "",
        *,
        weight: int = 1,
        size: int | None = None,
        needs: tuple[int, int] = (0, 0),
        when: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__(weight=weight, size=size, needs=needs, when=when)
        self.widget, self._title = widget, title

    @property
    def title(self) -> str:
        """As it is now."""
        return self._title if isinstance(self._title, str) else self._title()

    def panes(self) -> Iterator[Pane]:
        """Itself."""
        yield self

    def made(self, shell: Shell) -> AnyContainer:
        """Title row and widget."""
        self.widget.shell = shell
        body = self.widget.container()
        if not self._title:
            return body
        head = Label(lambda width, _: [self._head(shell, width)])
        head.shell = shell
        head.window.height = exactly(1)
        return HSplit([head.window, body])

    def _head(self, shell: Shell, width: int) -> Line:
        focused = self.widget.has_focus()
        rule = shell.glyphs.rule
        name = safe(self.title)
        note = safe(self.widget.note())
        style = "class:title.focus" if focused else "class:title"
        left: Line = [("class:rule", rule), (style, f" {name} "), ("class:rule", rule)]
        right: Line = [("class:dim", f" {note} "), ("class:rule", rule)] if note else []
        space = width - width_of(left) - width_of(right)
        if space < 0:
            right, space = [], max(0, width - width_of(left))
        return [*left, ("class:rule", rule * (space // cells(rule))), *right]


class Rows(Node):
    """Its parts one below the other."""

    def __init__(
        self,
        *parts: Node,
        weight: int = 1,
        size: int | None = None,
        needs: tuple[int, int] = (0, 0),
        when: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__(weight=weight, size=size, needs=needs, when=when)
        self.parts = parts

    def panes(self) -> Iterator[Pane]:
        """Those of its parts."""
        for part in self.parts:
            yield from part.panes()

    def made(self, shell: Shell) -> AnyContainer:
        """A split."""
        return HSplit([part.container(shell, across=False) for part in self.parts])


class Columns(Rows):
    """Its parts side by side; below ``stack_below`` columns of the terminal one below the other."""

    def __init__(
        self,
        *parts: Node,
        stack_below: int = 80,
        weight: int = 1,
        size: int | None = None,
        needs: tuple[int, int] = (0, 0),
        when: Callable[[], bool] | None = None,
    ) -> None:
        super().__init__(*parts, weight=weight, size=size, needs=needs, when=when)
        self.stack_below = stack_below

    def made(self, shell: Shell) -> AnyContainer:
        """A split of the one or the other kind."""
        across: list[AnyContainer] = []
        for part in self.parts:
            if across:
                across.append(self._line(shell, part))
            across.append(part.container(shell, across=True))
        side = VSplit(across)
        stacked = HSplit([part.container(shell, across=False) for part in self.parts])
        return DynamicContainer(lambda: stacked if shell.size[0] < self.stack_below else side)

    def _line(self, shell: Shell, after: Node) -> AnyContainer:
        line = Window(width=exactly(1), char=lambda: shell.glyphs.bar, style="class:rule")
        return ConditionalContainer(line, Condition(lambda: after.shows(shell)))
