"""Plain aligned tables for people."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from yaat_core.display import terminal_safe

GAP = "  "


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], *, width: int | None = None) -> Iterator[str]:
    """Lines of a table: the head, then the rows; numbers to the right. Cells are data: they are made safe here.

    Cells are cut with `…` only when a ``width`` is given.
    """
    return stream(head, [rows], width=width)


def stream(
    head: Sequence[str], chunks: Iterable[Iterable[Sequence[Any]]], *, width: int | None = None
) -> Iterator[str]:
    """As `table`, for rows that come in chunks: the first one decides the widths, a wider cell later shifts its row."""
    layout: _Layout | None = None
    for chunk in chunks:
        values = list(chunk)
        cells = [[_cell(value) for value in row] for row in values]
        if layout is None:
            layout = _Layout.fit(head, cells, values, width)
            yield layout.line([terminal_safe(name) for name in head])
        for row in cells:
            yield layout.line(row)
    if layout is None:
        yield GAP.join(terminal_safe(name) for name in head)


def terminal_width() -> int:
    """Columns of the terminal."""
    return shutil.get_terminal_size((80, 24)).columns


class _Layout:
    def __init__(self, widths: list[int], right: list[bool], *, cut: bool) -> None:
        self._widths, self._right, self._cut = widths, right, cut

    @classmethod
    def fit(
        cls, head: Sequence[str], cells: list[list[str]], values: list[Sequence[Any]], width: int | None
    ) -> _Layout:
        columns = list(zip(*cells, strict=True)) if cells else [() for _ in head]
        widths = [
            max([cells_wide(terminal_safe(name)), *map(cells_wide, column)])
            for name, column in zip(head, columns, strict=True)
        ]
        right = [
            bool(values) and all(value is None or _is_number(value) for value in column)
            for column in (zip(*values, strict=True) if values else [() for _ in head])
        ]
        if width is not None:
            widths = _shrunk(widths, width - len(GAP) * (len(widths) - 1))
        return cls(widths, right, cut=width is not None)

    def line(self, cells: Sequence[str]) -> str:
        parts = []
        for cell, width, right in zip(cells, self._widths, self._right, strict=True):
            shown = cut(cell, width) if self._cut else cell
            pad = " " * max(0, width - cells_wide(shown))
            parts.append(pad + shown if right else shown + pad)
        return GAP.join(parts).rstrip()


def _shrunk(widths: list[int], room: int) -> list[int]:
    """The widest columns made narrower until all fit, none below 8 cells."""
    widths = list(widths)
    while sum(widths) > room and max(widths, default=0) > 8:
        widest = max(range(len(widths)), key=widths.__getitem__)
        others = sorted(widths, reverse=True)
        step = max(1, min(sum(widths) - room, widths[widest] - (others[1] if len(others) > 1 else 8)))
        widths[widest] = max(8, widths[widest] - step)
    return widths


def cut(text: str, width: int) -> str:
    """The text in at most ``width`` cells, with `…` where it was longer."""
    if cells_wide(text) <= width:
        return text
    kept = ""
    for sign in text:
        if cells_wide(kept + sign) > width - 1:
            break
        kept += sign
    return kept + "…"


def _cell(value: Any) -> str:
    return "" if value is None else terminal_safe(value if isinstance(value, str) else str(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def cells_wide(text: str) -> int:
    """How many cells of a terminal the text takes (combining signs none, East Asian wide ones two)."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )
