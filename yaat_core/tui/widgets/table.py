"""A table: columns that share the width, a selected row, sorting, filtering, marks. Draws only the rows that show."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

import attrs

from yaat_core.tui.keys import Key, Work
from yaat_core.tui.text import Align, Line, cells, fit, safe, wrap
from yaat_core.tui.widgets.scrolling import Moving

T = TypeVar("T")

#: Rows whose cells decide how wide columns are.
_MEASURED = 200
_MAX_NATURAL = 60


@attrs.frozen(kw_only=True)
class Column(Generic[T]):
    """``value`` gives the text of a row's cell. Of what does not fit, columns with the highest ``drop`` go first."""

    title: str
    value: Callable[[T], object]
    align: Align = "left"
    least: int = 4
    """Columns of the terminal that it needs."""
    drop: int = 0
    style: Callable[[T], str] | None = None
    sort: Callable[[T], Any] | None = None
    """What to sort by, when it is not the text."""
    stretch: bool = False
    """Takes the room that is left."""


class Table(Moving, Generic[T]):
    """Rows with a selected one. Set `rows` as often as you like: the selection stays with its row by ``identity``."""

    name = "list"

    def __init__(
        self,
        columns: Sequence[Column[T]],
        *,
        identity: Callable[[T], Hashable] = lambda row: row,
        empty: str = "nothing here",
        open: Callable[[T], Any] | None = None,
        open_does: str = "open it",
        open_footer: str = "open",
        marking: bool = False,
    ) -> None:
        self.columns = list(columns)
        self.identity = identity
        self.empty = empty
        self.marks: set[Hashable] = set()
        self._open, self._open_does, self._marking = open, open_does, marking
        self._open_footer = open_footer
        self._rows: list[T] = []
        self._shown: list[T] = []
        self._at = 0
        self._top = 0
        self._filter, self._inverted = "", False
        self._sort: int | None = None
        self._reverse = False
        self.on_select: Callable[[T], None] | None = None

    # --- rows

    @property
    def rows(self) -> Sequence[T]:
        """All rows, in the order in which they were given."""
        return self._rows

    @rows.setter
    def rows(self, rows: Sequence[T]) -> None:
        before = self.selected
        self._rows = list(rows)
        self._arrange(before)

    @property
    def shown(self) -> Sequence[T]:
        """The rows that the filter leaves, as they are sorted."""
        return self._shown

    @property
    def selected(self) -> T | None:
        """The row that keys act on."""
        return self._shown[self._at] if 0 <= self._at < len(self._shown) else None

    def select(self, identity: Hashable) -> None:
        """Select a row, if it shows."""
        for index, row in enumerate(self._shown):
            if self.identity(row) == identity:
                self._at = index

    @property
    def chosen(self) -> Sequence[T]:
        """The marked rows, or else the selected one."""
        marked = [row for row in self._rows if self.identity(row) in self.marks]
        return marked or ([self.selected] if self.selected is not None else [])

    def _arrange(self, keep: T | None) -> None:
        wanted = self._filter.lower()
        rows = [row for row in self._rows if self._matches(row, wanted)] if wanted else list(self._rows)
        if self._sort is not None:
            rows.sort(key=self._sort_key(self.columns[self._sort]), reverse=self._reverse)
        self._shown = rows
        there = {self.identity(row) for row in self._rows}
        self.marks &= there
        if keep is not None:
            identity = self.identity(keep)
            self._at = next((n for n, row in enumerate(rows) if self.identity(row) == identity), self._at)
        self._at = max(0, min(self._at, len(rows) - 1))

    def _matches(self, row: T, wanted: str) -> bool:
        found = any(wanted in safe(column.value(row)).lower() for column in self.columns)
        return found != self._inverted

    def _sort_key(self, column: Column[T]) -> Callable[[T], Any]:
        value = column.sort
        return value if value is not None else lambda row: safe(column.value(row)).lower()

    # --- drawing

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """The head and the rows that show."""
        if not self._shown:
            said = f"nothing matches “{self._filter}”" if self._filter and self._rows else self.empty
            return [[("class:dim", " " + line)] for line in wrap(said, max(8, width - 2))]
        self.page = max(1, height - 1)
        self._top = max(min(self._top, self._at), self._at - self.page + 1, 0)
        self._top = min(self._top, max(0, len(self._shown) - self.page))
        placed = self._placed(width - 1)
        lines: list[Line] = [self._head(placed)]
        for index in range(self._top, min(len(self._shown), self._top + self.page)):
            lines.append(self._row(self._shown[index], placed, width, index == self._at, focused))
        return lines

    def _head(self, placed: Sequence[tuple[Column[T], int]]) -> Line:
        line: Line = [("class:head", " ")]
        for column, width in placed:
            sorted_by = self._sort is not None and self.columns[self._sort] is column
            arrow = (self.shell.glyphs.up if self._reverse else self.shell.glyphs.down) if sorted_by else ""
            line += [("class:head", fit(column.title + arrow, width, column.align)), ("class:head", " ")]
        return line

    def _row(
        self, row: T, placed: Sequence[tuple[Column[T], int]], width: int, here: bool, focused: bool
    ) -> Line:
        glyphs = self.shell.glyphs
        base = ("class:row" if focused else "class:row-blur") if here else ""
        marked = self.identity(row) in self.marks
        sign = glyphs.mark if marked else glyphs.here if here and focused else " "
        line: Line = [(base + (" class:marked" if marked else ""), sign)]
        for column, room in placed:
            style = column.style(row) if column.style and not (here and focused) else ""
            line.append(
                (f"{base} {style}".strip(), fit(safe(column.value(row)), room, column.align, glyphs.dots))
            )
            line.append((base, " "))
        used = sum(cells(text) for _, text in line)
        return [*line, (base, " " * max(0, width - used))]

    def _placed(self, width: int) -> list[tuple[Column[T], int]]:
        """Which columns show, and how wide each is."""
        columns = list(self.columns)
        while len(columns) > 1 and sum(column.least + 1 for column in columns) > width:
            columns.remove(max(reversed(columns), key=lambda column: column.drop))
        sample = self._shown[self._top : self._top + self.page] or self._shown[:_MEASURED]
        natural = [
            max(
                column.least,
                cells(column.title) + 1,
                *(min(_MAX_NATURAL, cells(safe(column.value(row)))) for row in sample),
            )
            for column in columns
        ]
        over = sum(natural) + len(columns) - width
        while over > 0:
            widest = max(range(len(columns)), key=lambda n: natural[n] - columns[n].least)
            if natural[widest] <= columns[widest].least:
                break
            natural[widest] -= 1
            over -= 1
        if over < 0:
            stretch = next((n for n, column in enumerate(columns) if column.stretch), None)
            if stretch is not None:
                natural[stretch] -= over
        return list(zip(columns, natural, strict=True))

    # --- keys

    def keys(self) -> Sequence[Key]:
        """Moving, opening, sorting, marking."""
        made = [*super().keys()]
        if self._open is not None:
            made.append(
                Key(
                    name="list.open",
                    keys=("enter",),
                    does=self._open_does,
                    footer=self._open_footer,
                    run=self._opening,
                )
            )
        if self._marking:
            made += [
                Key(name="list.mark", keys=("space",), does="mark or unmark the row", footer="mark", run=self._mark),
                Key(name="list.mark-all", keys=("*",), does="mark all that show, or none", run=self._mark_all),
            ]  # fmt: skip
        return (
            *made,
            Key(name="list.sort", keys=("s",), does="sort by the next column", footer="sort", run=self._sort_next),
            Key(name="list.reverse", keys=("S",), does="sort the other way round", run=self._turn),
            Key(name="list.invert", keys=("!",), does="show what the filter does not match", run=self._invert),
        )  # fmt: skip

    @property
    def _opening(self) -> Work:
        async def opening() -> None:
            row, work = self.selected, self._open
            if row is not None and work is not None:
                done = work(row)
                if hasattr(done, "__await__"):
                    await done

        return opening

    def _mark(self) -> None:
        if self.selected is not None:
            self.marks ^= {self.identity(self.selected)}
            self.move(1)

    def _mark_all(self) -> None:
        everything = {self.identity(row) for row in self._shown}
        self.marks = set() if everything <= self.marks else self.marks | everything

    def _sort_next(self) -> None:
        keep = self.selected
        nth = 0 if self._sort is None else self._sort + 1
        self._sort = nth if nth < len(self.columns) else None
        self._arrange(keep)

    def _turn(self) -> None:
        self._reverse = not self._reverse
        self._arrange(self.selected)

    def _invert(self) -> None:
        self._inverted = not self._inverted
        self._arrange(self.selected)

    def search(self, text: str) -> None:
        """Keep the rows that have the text in one of their cells."""
        self._filter = text
        self._arrange(self.selected)

    def move(self, by: int) -> None:
        """The selection, so many rows."""
        before = self._at
        self._at = max(0, min(self._at + by, len(self._shown) - 1))
        if self._at != before and self.on_select and self.selected is not None:
            self.on_select(self.selected)

    def move_to(self, *, end: bool) -> None:
        """The selection, to an end."""
        self.move(len(self._shown) if end else -len(self._shown))

    def click(self, column: int, row: int) -> None:
        """Select the row; on the head: sort by that column."""
        if row:
            self.move(self._top + row - 1 - self._at)

    def copied(self) -> str:
        """The selected row, cells separated by tabs."""
        row = self.selected
        return "" if row is None else "\t".join(safe(column.value(row)) for column in self.columns)

    def dump(self) -> str:
        """Every row, nothing cut."""
        rows = [[column.title for column in self.columns]]
        rows += [[safe(column.value(row)) for column in self.columns] for row in self._shown]
        widths = [max(cells(row[n]) for row in rows) for n in range(len(self.columns))]
        return "\n".join(
            "  ".join(fit(text, width) for text, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )

    def note(self) -> str:
        """How many rows, and what the filter is."""
        total, shown = len(self._rows), len(self._shown)
        filtered = f"/{self._filter} " if self._filter else ""
        inverted = "not " if self._inverted and self._filter else ""
        marked = f"{len(self.marks)} marked, " if self.marks else ""
        if shown <= self.page and not filtered and not marked:
            return ""
        return f"{inverted}{filtered}{marked}{self._at + 1 if shown else 0} of {shown}" + (
            f" ({total})" if shown != total else ""
        )
