"""Rows of an answer with any columns: scrolls both ways, sorts, filters. Values become text when they are drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

from yaat_core.control.encoders import shown
from yaat_core.tui.keys import Key
from yaat_core.tui.text import Align, Line, cells, fit, safe
from yaat_core.tui.widgets.scrolling import Moving
from yaat_core.tui.widgets.viewing import lit

#: Rows whose cells decide how wide columns are, and how wide one is at most.
_MEASURED: Final = 200
_WIDEST: Final = 48


@attrs.frozen(eq=False)
class Sheet:
    """An Arrow record batch, ready to be shown. Made in a thread (`sheet_of`)."""

    batch: Any
    names: Sequence[str]
    widths: Sequence[int]
    aligns: Sequence[Align]
    times: frozenset[int]

    def values(self, first: int, count: int) -> list[list[Any]]:
        """JSON values of some rows."""
        from yaat_core.control.rows import values_of

        columns = values_of(self.batch.slice(first, count))
        return [list(row) for row in zip(*columns, strict=True)]

    def text(self, column: int, value: Any) -> str:
        """A value as one line; times without what is the same everywhere."""
        if value is None:
            return ""
        if column in self.times:
            return str(value)[:23].replace("T", " ")
        if isinstance(value, float):
            return f"{value:.9g}"
        return safe(shown(value)).replace("\\n", " ")


def sheet_of(answer: Any) -> Sheet:
    """Of an answer's batches."""
    import pyarrow as pa

    table = pa.Table.from_batches(list(answer), answer.schema).combine_chunks()
    batches = table.to_batches()
    batch = batches[0] if batches else pa.RecordBatch.from_pylist([], schema=answer.schema)
    names = [safe(name) for name in answer.schema.names]
    kinds = [field.type for field in answer.schema]
    number = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    aligns: list[Align] = ["right" if any(one(kind) for one in number) else "left" for kind in kinds]
    times = frozenset(n for n, kind in enumerate(kinds) if pa.types.is_timestamp(kind))
    sheet = Sheet(batch, names, (), aligns, times)
    widths = [cells(name) + 1 for name in names]
    for row in sheet.values(0, _MEASURED):
        for column, value in enumerate(row):
            widths[column] = max(widths[column], min(_WIDEST, cells(sheet.text(column, value))))
    return attrs.evolve(sheet, widths=widths)


class Grid(Moving):
    """A selected row and a selected column."""

    name = "rows"
    help = "Left and right choose a column, s sorts by it, Enter shows the row in full, y copies the cell."

    def __init__(self, *, empty: str = "", open: Callable[[Sequence[str], Sequence[Any]], Any]) -> None:
        self.empty = empty
        self._open = open
        self._sheet: Sheet | None = None
        self._order: Sequence[int] | None = None
        """Rows that show, in their order; None: all, as they came."""
        self._at = self._top = self._column = self._left = 0
        self._wanted = ""
        self._sort: tuple[int, bool] | None = None

    @property
    def sheet(self) -> Sheet | None:
        """What it shows."""
        return self._sheet

    @sheet.setter
    def sheet(self, sheet: Sheet | None) -> None:
        same = self._sheet is not None and sheet is not None and self._sheet.names == sheet.names
        self._sheet = sheet
        self._at = self._top = 0
        if not same:
            self._column = self._left = 0
            self._sort = None
        self._arrange()

    @property
    def count(self) -> int:
        """Rows that show."""
        if self._sheet is None:
            return 0
        return int(self._sheet.batch.num_rows) if self._order is None else len(self._order)

    def _row(self, at: int) -> list[Any]:
        assert self._sheet is not None
        return self._sheet.values(at if self._order is None else self._order[at], 1)[0]

    # --- order

    def _arrange(self) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        sheet = self._sheet
        self._order = None
        if sheet is None:
            return
        order = None
        if self._sort is not None:
            column, down = self._sort
            try:
                order = pc.array_sort_indices(
                    sheet.batch.column(column), order="descending" if down else "ascending"
                )
            except (pa.ArrowNotImplementedError, pa.ArrowInvalid, TypeError):
                self._sort = None
                self.shell.notify(f"{sheet.names[column]} has no order to sort by")
        rows = order.to_pylist() if order is not None else None
        if self._wanted:
            kept = self._matching(sheet)
            rows = [row for row in rows if row in kept] if rows is not None else sorted(kept)
        self._order = rows
        self._at = max(0, min(self._at, self.count - 1))

    def _matching(self, sheet: Sheet) -> set[int]:
        """Rows that have the text in a column."""
        import pyarrow as pa
        import pyarrow.compute as pc

        found: set[int] = set()
        for column in sheet.batch.columns:
            kind = column.type
            if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind):
                continue
            texts = column if pa.types.is_string(kind) else pc.cast(column, pa.string())
            hits = pc.match_substring(texts, self._wanted, ignore_case=True)
            found.update(pc.indices_nonzero(pc.fill_null(hits, False)).to_pylist())
        return found

    # --- drawing

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """The head and the rows that show."""
        sheet = self._sheet
        if sheet is None or not self.count:
            said = self.empty
            if sheet is not None:
                said = f"nothing matches “{self._wanted}”" if self._wanted else "no rows: the answer is empty"
            return [[("class:dim", f" {line}")] for line in said.split("\n")]
        self.page = max(1, height - 1)
        self._top = max(min(self._top, self._at), self._at - self.page + 1, 0)
        placed = self._placed(sheet, width - 1)
        lines = [self._head(sheet, placed)]
        last = min(self.count, self._top + self.page)
        if self._order is None:
            rows = sheet.values(self._top, last - self._top)
        else:
            rows = [self._row(index) for index in range(self._top, last)]
        for index, row in enumerate(rows, self._top):
            lines.append(self._drawn(sheet, row, placed, width, index == self._at, focused))
        return lines

    def _placed(self, sheet: Sheet, width: int) -> list[tuple[int, int]]:
        """Columns that show, and their room; the last one has what is left."""
        self._left = min(self._left, self._column)
        while self._left < self._column and (
            sum(sheet.widths[n] + 1 for n in range(self._left, self._column + 1)) > width
        ):
            self._left += 1
        placed: list[tuple[int, int]] = []
        for column in range(self._left, len(sheet.widths)):
            if width < 4:
                break
            room = min(sheet.widths[column], width - 1)
            placed.append((column, room))
            width -= room + 1
        if placed and width > 0 and sheet.aligns[placed[-1][0]] == "left":
            placed[-1] = (placed[-1][0], placed[-1][1] + width)
        return placed

    def _head(self, sheet: Sheet, placed: Sequence[tuple[int, int]]) -> Line:
        line: Line = [("class:head", "<" if self._left else " ")]
        for column, room in placed:
            arrow = ""
            if self._sort is not None and self._sort[0] == column:
                arrow = self.shell.glyphs.up if self._sort[1] else self.shell.glyphs.down
            style = "class:head class:key" if column == self._column else "class:head"
            line += [
                (style, fit(sheet.names[column] + arrow, room, sheet.aligns[column])),
                ("class:head", " "),
            ]
        return line

    def _drawn(
        self,
        sheet: Sheet,
        row: Sequence[Any],
        placed: Sequence[tuple[int, int]],
        width: int,
        here: bool,
        focused: bool,
    ) -> Line:
        base = ("class:selected" if focused else "class:selected.blur") if here else ""
        line: Line = [(base, self.shell.glyphs.here if here and focused else " ")]
        for column, room in placed:
            value = row[column]
            style = base or ("class:dim" if value is None else "")
            text = fit("null" if value is None else sheet.text(column, value), room, sheet.aligns[column])
            line += [*lit(text, self._wanted, style), (base, " ")]
        used = sum(cells(text) for _, text in line)
        return [*line, (base, " " * max(0, width - used))] if base else line

    # --- keys

    def keys(self) -> Sequence[Key]:
        """Moving both ways, opening, sorting."""
        return (
            *super().keys(),
            Key(name="grid.left", keys=("left", "h"), does="the column before", run=lambda: self._aside(-1)),
            Key(name="grid.right", keys=("right", "l"), does="the next column", run=lambda: self._aside(1)),
            Key(name="grid.open", keys=("enter",), does="the row in full", footer="open", run=self._opening),
            Key(name="grid.sort", keys=("s",), does="sort by the column; again: the other way, as it came",
                footer="sort", run=self._sort_by),
        )  # fmt: skip

    def _aside(self, by: int) -> None:
        if self._sheet is not None:
            self._column = max(0, min(self._column + by, len(self._sheet.names) - 1))

    def _sort_by(self) -> None:
        now = self._sort
        if now is None or now[0] != self._column:
            self._sort = (self._column, False)
        else:
            self._sort = None if now[1] else (self._column, True)
        self._at = 0
        self._arrange()

    @property
    def _opening(self) -> Callable[[], Any]:
        async def opening() -> None:
            if self._sheet is not None and self.count:
                await self._open(self._sheet.names, self._row(self._at))

        return opening

    def search(self, text: str) -> None:
        """Keep the rows that have the text."""
        self._wanted = text.lower()
        self._arrange()

    def move(self, by: int) -> None:
        """The selection, so many rows."""
        self._at = max(0, min(self._at + by, self.count - 1))

    def move_to(self, *, end: bool) -> None:
        """The selection, to an end."""
        self._at = max(0, self.count - 1) if end else 0

    def click(self, column: int, row: int) -> None:
        """Select the row."""
        if row and self.count:
            self._at = min(self._top + row - 1, self.count - 1)

    def copied(self) -> str:
        """The selected cell."""
        if self._sheet is None or not self.count:
            return ""
        value = self._row(self._at)[self._column]
        return "" if value is None else safe(shown(value))

    def dump(self) -> str:
        """Every row that shows, cells separated by tabs."""
        sheet = self._sheet
        if sheet is None:
            return self.empty
        rows = [self._row(index) for index in range(self.count)]
        texts = ["\t".join(sheet.text(n, value) for n, value in enumerate(row)) for row in rows]
        return "\n".join(["\t".join(sheet.names), *texts])

    def note(self) -> str:
        """Which rows and columns show."""
        sheet = self._sheet
        if sheet is None or not self.count:
            return ""
        filtered = f"/{self._wanted}  " if self._wanted else ""
        column = f"  column {self._column + 1} of {len(sheet.names)}" if len(sheet.names) > 1 else ""
        return f"{filtered}{self._at + 1:,} of {self.count:,}{column}"
