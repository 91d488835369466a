"""The frame of a chart: its range, its labels, the signs around its canvas."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import attrs

from yaat_core.plots.look import Look, Series

_STEPS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
_DAY: Final = 86400
_TOPS: Final = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
#: Below: no labels beside the canvas, none below it, no names of series above it.
_LEAST_FOR_LEFT: Final = 18
_LEAST_FOR_BELOW: Final = 4
_LEAST_FOR_NAMES: Final = 6


def human(number: float, unit: str = "") -> str:
    """A number in about six signs: ``950``, ``1.2k``, ``0.25``; of unit ``B``: ``1.5Mi``; of ``s``: ``20ms``, ``3m``."""
    if not math.isfinite(number):
        return str(number)
    if unit == "s":
        return _seconds(number)
    base, names = (
        (1024.0, ("", "Ki", "Mi", "Gi", "Ti", "Pi"))
        if unit == "B"
        else (1000.0, ("", "k", "M", "G", "T", "P"))
    )
    size, power = abs(number), 0
    while size >= base * 0.9995 and power < len(names) - 1:
        size, power = size / base, power + 1
    if size >= 1e5:
        size, power = abs(number), 0
    return f"{'-' if number < 0 else ''}{_short(size)}{names[power]}"


def _short(size: float) -> str:
    if size >= 1e5 or 0 < size < 0.001:
        return f"{size:.0e}".replace("e+0", "e").replace("e-0", "e-").replace("e+", "e")
    digits = 0 if size >= 99.95 else 1 if size >= 1 or size == 0 else 3
    text = f"{size:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _seconds(number: float) -> str:
    size, sign = abs(number), "-" if number < 0 else ""
    for least, unit in (
        (365.25 * _DAY, "y"),
        (_DAY, "d"),
        (3600, "h"),
        (60, "m"),
        (1, "s"),
        (1e-3, "ms"),
        (1e-6, "us"),
    ):
        if size >= least:
            return f"{sign}{_short(size / least)}{unit}"
    return "0s" if size == 0 else f"{sign}{_short(size * 1e9)}ns"


def span(
    values: Sequence[float], low: float | None, high: float | None, unit: str = ""
) -> tuple[float, float]:
    """The range to show: what is not given is from zero where that makes sense, up to a round number."""
    least, most = (min(values), max(values)) if values else (0.0, 1.0)
    if low is None:
        low = 0.0 if least >= 0 and least <= most / 2 else least if least >= 0 else -_round_up(-least, unit)
    if high is None:
        high = _round_up(most, unit) if most > 0 else 0.0
    return (low, high) if high > low else (low, low + (abs(low) or 1.0))


def _round_up(number: float, unit: str) -> float:
    """The next round number: of bytes, round in KiB, MiB and so on."""
    binary = 1024.0 ** max(0, math.floor(math.log(number, 1024))) if unit == "B" else 1.0
    number /= binary
    power = 10.0 ** math.floor(math.log10(number))
    return next(top for top in _TOPS if top * power >= number * (1 - 1e-9)) * power * binary


@attrs.frozen(kw_only=True)
class Frame:
    """Where the canvas lies in a chart of ``width`` x ``height`` cells."""

    width: int
    height: int
    left: int
    """Cells of the labels on the left; 0: none, and no line there."""
    below: int
    above: int
    low: float
    high: float
    unit: str

    @classmethod
    def fit(
        cls, width: int, height: int, low: float, high: float, unit: str, *, names: bool, below: bool = True
    ) -> Frame:
        """With as much around the canvas as there is room for."""
        left = max(len(human(value, unit)) for value in (low, high, (low + high) / 2))
        room = width >= _LEAST_FOR_LEFT and left <= width // 3
        return cls(
            width=width,
            height=height,
            left=left if room else 0,
            below=2 if below and height >= _LEAST_FOR_BELOW else 0,
            above=1 if names and height >= _LEAST_FOR_NAMES else 0,
            low=low,
            high=high,
            unit=unit,
        )

    @property
    def columns(self) -> int:
        """Cells of the canvas across."""
        return self.width - (self.left + 1 if self.left else 0)

    @property
    def rows(self) -> int:
        """Cells of the canvas down."""
        return self.height - self.below - self.above

    def around(
        self, canvas: Sequence[str], look: Look, *, names: str, under: Sequence[tuple[int, str]]
    ) -> list[str]:
        """The chart: a canvas of `rows` lines, names of series above, labels ``(column, text)`` under it."""
        labels = self._labels()
        tick, side = ("┤", "│") if look.unicode else ("+", "|")
        lines = [names] if self.above else []
        for row, drawn in enumerate(canvas):
            label = labels.get(row)
            edge = f"{label or '':>{self.left}}{side if label is None else tick}" if self.left else ""
            lines.append(look.painted(edge, "gray") + drawn)
        if self.below:
            corner, flat, mark = ("└", "─", "┬") if look.unicode else ("+", "-", "+")
            line = [flat] * self.columns
            for column, _ in under:
                line[column] = mark
            edge = " " * self.left + corner if self.left else ""
            lines.append(look.painted(edge + "".join(line), "gray"))
            lines.append(look.painted(self._under(under), "gray"))
        return lines

    def _labels(self) -> dict[int, str]:
        last = self.rows - 1
        rows = {last: self.low, 0: self.high}
        if last >= 4 and last % 2 == 0:
            rows[last // 2] = (self.low + self.high) / 2
        return {row: human(value, self.unit) for row, value in rows.items()}

    def _under(self, under: Sequence[tuple[int, str]]) -> str:
        cells = [" "] * self.width
        before = -1
        start_of_canvas = self.width - self.columns
        for column, text in under:
            start = min(max(0, start_of_canvas + column - len(text) // 2), self.width - len(text))
            if start > before:
                cells[start : start + len(text)] = text
                before = start + len(text)
        return "".join(cells).rstrip()


def times(start: float, end: float, columns: int) -> list[tuple[int, str]]:
    """Labels of a time axis in UTC: (column, text), as many as there is room for, at round times; the last one says UTC."""
    if end <= start:
        return [(0, _stamp(start, 1))] if columns >= 8 else []
    step, shown = _step((end - start) / max(1, columns // 10))
    made = []
    moment = math.ceil(start / step) * step
    while moment <= end:
        made.append((round((moment - start) / (end - start) * (columns - 1)), shown(moment)))
        moment += step
    if made and columns >= 30:
        column, text = made[-1]
        made[-1] = (column, f"{text} UTC")
    return made


def _step(least: float) -> tuple[float, Callable[[float], str]]:
    step: float = next((one for one in _STEPS if one >= least), math.ceil(least / _DAY) * _DAY)
    return step, lambda moment: _stamp(moment, step)


def _stamp(moment: float, step: float) -> str:
    form = "%m-%d" if step >= _DAY else "%H:%M" if step >= 60 else "%H:%M:%S"
    return datetime.fromtimestamp(moment, UTC).strftime(form)


def names_of(series: Sequence[Series], signs: Sequence[str], look: Look, width: int) -> str:
    """The names of series with their colours, in one line of at most ``width`` cells; what finds no room is counted."""
    from yaat_core.cli.table import cells_wide

    shown: list[str] = []
    used = 0
    for index, (one, sign) in enumerate(zip(series, signs, strict=True)):
        rest = len(series) - index - 1
        needed = cells_wide(one.name) + 2 + (2 if shown else 0)
        if used + needed + (len(f"  +{rest}") if rest else 0) > width:
            more = f"+{rest + 1}"
            return "  ".join([*shown, more] if used + len(more) + 2 <= width else shown)
        shown.append(f"{look.painted('■' if sign == 'braille' else sign, one.color)} {one.name}")
        used += needed
    return "  ".join(shown)
