"""Charts of block signs: sparklines and histograms by the library `sparklines`, and bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from yaat_core.display import terminal_safe
from yaat_core.plots.axes import Frame, human, span
from yaat_core.plots.look import Look, Values, known, missing, number

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_ASCII: Final = str.maketrans(dict(zip(_BLOCKS, "_.-~=+*#", strict=True)))
_EIGHTHS: Final = " ▏▎▍▌▋▊▉"


def sparkline(
    values: Values,
    *,
    width: int,
    look: Look = Look(),  # noqa: B008 - frozen
    color: str | None = None,
    low: float | None = 0.0,
    high: float | None = None,
) -> str:
    """One line: the last ``width`` values, oldest first, a space for each gap; on the left spaces when they are fewer.

    The lowest block is ``low`` (None: the least value), the highest ``high`` (None: the greatest).

    Raises:
        PlotsMissing: sparklines is not installed.
    """
    shown = list(values)[-width:]
    drawn = _blocks(shown, 1, low, high)[0]
    return " " * (width - len(drawn)) + look.painted(
        drawn if look.unicode else drawn.translate(_ASCII), color
    )


def histogram(
    counts: Sequence[float],
    edges: Sequence[float],
    *,
    width: int,
    height: int,
    look: Look = Look(),  # noqa: B008 - frozen
    color: str = "cyan",
    unit: str = "",
) -> list[str]:
    """Columns, one for each count; ``edges`` (one more than counts) bound them and are labelled in ``unit`` below.

    Raises:
        ValueError: edges do not fit the counts.
        PlotsMissing: sparklines is not installed.
    """
    if len(edges) != len(counts) + 1:
        raise ValueError(f"{len(counts)} counts need {len(counts) + 1} edges, not {len(edges)}")
    bottom, top = span(known(counts), 0.0, None)
    frame = Frame.fit(width, height, bottom, top, "", names=False)
    shown = _resampled(list(counts), frame.columns)
    canvas = [
        look.painted((row if look.unicode else row.translate(_ASCII)).rstrip(), color)
        for row in _blocks(shown, frame.rows, bottom, top)
    ]
    last = frame.columns - 1
    under = [(0, human(edges[0], unit)), (last, human(edges[-1], unit))] if counts else []
    if frame.columns >= 30 and counts:
        under.insert(1, (last // 2, human((edges[0] + edges[-1]) / 2, unit)))
    return frame.around(canvas, look, names="", under=under)


def bars(
    labels: Sequence[str],
    values: Values,
    *,
    width: int,
    height: int,
    look: Look = Look(),  # noqa: B008 - frozen
    color: str = "cyan",
    unit: str = "",
) -> list[str]:
    """Bars to the right, one a line, with label and number; what finds no room in ``height`` lines is counted in the last."""
    from yaat_core.cli.table import cells_wide, cut

    rows = list(zip(map(terminal_safe, labels), values, strict=True))
    rest = ""
    if len(rows) > height:
        rest = f"and {len(rows) - height + 1:,} more"
        rows = rows[: height - 1]
    numbers = ["" if value is None else human(value, unit) for _, value in rows]
    after = max(map(len, numbers), default=0)
    before = min(max((cells_wide(label) for label, _ in rows), default=0), max(3, width // 3))
    room = width - before - after - 2
    if room < 1:
        before, room = max(1, before + room - 1), 1
    most = max((abs(value) for value in known([value for _, value in rows])), default=0.0) or 1.0
    lines = []
    for (label, value), told in zip(rows, numbers, strict=True):
        name = cut(label, before)
        name += " " * (before - cells_wide(name))
        bar = _bar(value, most, room, look)
        lines.append(f"{name} {look.painted(bar, color)}{' ' * (room - len(bar))} {told:>{after}}".rstrip())
    return lines + ([rest[:width]] if rest else [])


def _bar(value: float | None, most: float, room: int, look: Look) -> str:
    length = number(value)
    if length is None:
        return ""
    eighths = round(abs(length) / most * room * 8)
    if not look.unicode:
        return "#" * round(eighths / 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _blocks(values: Sequence[float | None], rows: int, low: float | None, high: float | None) -> list[str]:
    """Rows of block signs, the highest first, a column a value."""
    try:
        from sparklines import sparklines
    except ImportError as error:
        raise missing(error) from None
    clean = [number(value) for value in values]
    numbers = [value for value in clean if value is not None]
    if not numbers:
        return [" " * len(clean)] * rows
    least = min(numbers) if low is None else low
    most = max(numbers) if high is None else high
    size = (most - least) or 1.0
    # From 0 to 1: below zero the library would draw downwards.
    raised = [None if value is None else min(max((value - least) / size, 0.0), 1.0) for value in clean]
    made: list[str] = sparklines(raised, num_lines=rows, minimum=0.0, maximum=1.0)
    return [line.ljust(len(clean)) for line in made]


def _resampled(counts: list[float], columns: int) -> list[float | None]:
    """As many columns as there are cells: each count several times, or several counts as their sum."""
    if not counts:
        return [None] * columns
    if len(counts) <= columns:
        return [counts[column * len(counts) // columns] for column in range(columns)]
    made: list[float | None] = [0.0] * columns
    for index, count in enumerate(counts):
        column = index * columns // len(counts)
        made[column] = (made[column] or 0.0) + count
    return made
