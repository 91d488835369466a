"""Curves of the last minutes and histograms, in as many rows as there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from yaat_core.tui.text import Line, cells, count, fit, spark
from yaat_core.tui.widgets.base import Widget

_EIGHTHS = " ▁▂▃▄▅▆▇█"


class Curves(Widget):
    """Several series, each a row of bars with its name at the left and its last value at the right."""

    name = "curves"
    focusable = False

    def __init__(
        self,
        series: Callable[[], Sequence[tuple[str, Sequence[float], str]]],
        *,
        show: Callable[[float], str] = count,
    ) -> None:
        self._series, self._show = series, show

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """As many rows for each as the room allows."""
        series = self._series()
        names = max((cells(name) for name, _, _ in series), default=0)
        room = max(1, width - names - 9)
        each = max(1, height // max(1, len(series)))
        lines: list[Line] = []
        for name, values, style in series:
            last = self._show(values[-1]) if values else "-"
            top = self._show(max(values[-room:])) if values else ""
            bars = bars_of(values, room, each, ascii_only=self.shell.glyphs.ascii_only)
            for row, text in enumerate(bars):
                label = name if row == 0 else ""
                mark = last if row == len(bars) - 1 else f"{top}" if row == 0 else ""
                lines.append(
                    [("class:dim", f" {fit(label, names)} "), (style, text), ("", fit(mark, 6, "right"))]
                )
        return lines


def bars_of(
    values: Sequence[float], width: int, height: int, *, gaps: bool = False, ascii_only: bool = False
) -> list[str]:
    """The last ``width`` values as bars of ``height`` rows, eighths of a row precise; ``gaps``: nothing is drawn for 0."""
    shown = list(values)[-width:]
    if ascii_only:
        return [" " * width] * (height - 1) + [spark(shown, width, ascii_only=True)]
    top = max(shown, default=0.0) or 1.0
    least = 0 if gaps else 1
    eighths = [max(1 if value else least, round(8 * height * value / top)) for value in shown]
    return [
        "".join(_EIGHTHS[max(0, min(8, one - 8 * row))] for one in eighths).rjust(width)
        for row in range(height - 1, -1, -1)
    ]
