"""Rows as blocks, a line a column: for rows that are wider than the screen."""

from __future__ import annotations

from typing import Any

import attrs

from yaat_core.cli.rows import Style, cells
from yaat_core.cli.table import cells_wide
from yaat_core.components import QueryAnswer
from yaat_core.display import terminal_safe


@attrs.frozen
class Expanded:
    """A heading with the number of the row, then name and value of each column; lines of a text stay lines."""

    file: Any
    style: Style

    def write(self, answer: QueryAnswer) -> None:
        """All rows."""
        names = [terminal_safe(name) for name in answer.schema.names]
        width = max(map(cells_wide, names), default=0)
        number = 0
        for batch in answer:
            for row in cells(batch):
                number += 1
                lines = [f"-[ row {number} ]{'-' * max(0, width + 4)}"]
                for name, value in zip(names, row, strict=True):
                    lines.extend(_lines(name + " " * (width - cells_wide(name)), value, width))
                self.file.write("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))
        self.file.flush()


def _lines(name: str, value: Any, width: int) -> list[str]:
    text = "" if value is None else terminal_safe(str(value), lines=True)
    first, *more = text.split("\n") or [""]
    return [f"{name} | {first}".rstrip(), *(f"{'':{width}} | {line}".rstrip() for line in more)]
