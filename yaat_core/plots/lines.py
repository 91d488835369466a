"""Lines and filled areas over time, drawn by plotext on a canvas; the frame around it is ours (`axes`)."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, Final

from yaat_core.plots.axes import Frame, names_of, span
from yaat_core.plots.axes import times as time_labels
from yaat_core.plots.look import COLORS, Look, Series, Values, colored, known, missing, number, signs

Point = tuple[float, float]

#: plotext has one figure for the whole process.
_FIGURE: Final = threading.Lock()
#: Points a column that are drawn: first, least, most and last of what falls into half a cell.
_PIECES: Final = 2


def line(
    times: Sequence[float],
    series: Sequence[Series],
    *,
    width: int,
    height: int,
    look: Look = Look(),  # noqa: B008 - frozen
    low: float | None = None,
    high: float | None = None,
    unit: str = "",
) -> list[str]:
    """Lines over time: ``times`` in seconds since the epoch, in order; each series has a value for each time.

    ``low`` and ``high`` fix the range of values; unit ``B`` or ``s`` shows it in bytes or as durations.

    Raises:
        PlotsMissing: plotext is not installed.
    """
    return _chart(times, series, width, height, look, low, high, unit, filled=False)


def area(
    times: Sequence[float],
    values: Values,
    *,
    width: int,
    height: int,
    look: Look = Look(),  # noqa: B008 - frozen
    color: str = "cyan",
    low: float | None = 0.0,
    high: float | None = None,
    unit: str = "",
) -> list[str]:
    """As `line` for one series, filled down to zero."""
    return _chart(times, [Series(values, color=color)], width, height, look, low, high, unit, filled=True)


def _chart(
    times: Sequence[float],
    series: Sequence[Series],
    width: int,
    height: int,
    look: Look,
    low: float | None,
    high: float | None,
    unit: str,
    *,
    filled: bool,
) -> list[str]:
    shown = colored(series)
    numbers = [value for one in shown for value in known(one.values)]
    bottom, top = span(numbers, low, high, unit)
    names = any(one.name for one in shown)
    frame = Frame.fit(width, height, bottom, top, unit, names=names)
    start, end = (min(times), max(times)) if times else (0.0, 0.0)
    canvas = _canvas(times, shown, frame, look, start, end, filled=filled) if numbers else _empty(frame)
    return frame.around(
        canvas,
        look,
        names=names_of(shown, signs(look, len(shown)), look, width) if names else "",
        under=time_labels(start, end, frame.columns) if times else [],
    )


def _empty(frame: Frame) -> list[str]:
    text = "no data"[: frame.columns]
    middle = (frame.rows - 1) // 2
    return [f"{text:^{frame.columns}}".rstrip() if row == middle else "" for row in range(frame.rows)]


def _canvas(
    times: Sequence[float],
    series: Sequence[Series],
    frame: Frame,
    look: Look,
    start: float,
    end: float,
    *,
    filled: bool,
) -> list[str]:
    try:
        import plotext
    except ImportError as error:
        raise missing(error) from None
    with _FIGURE:
        figure = plotext.figure
        _prepare(plotext, frame, start, end)
        for index, one in enumerate(series):
            sign = signs(look, len(series))[index]
            for run in _runs(times, one.values, start, end, frame, filled=filled):
                figure.draw(_signal(plotext, run, sign, one.color, look, filled=filled))
        text: str = figure.build().string() if look.color else plotext.uncolorize(figure.build().string())
    return [row.rstrip() for row in text.split("\n")][: frame.rows]


def _prepare(plotext: Any, frame: Frame, start: float, end: float) -> None:
    """An empty figure without a frame of its own."""
    figure = plotext.figure
    plotext.terminal.limit(False, False)
    figure.clear.all()
    figure.plot_size(frame.columns, frame.rows)
    figure.axes(False)
    figure.legend(False)
    figure.canvas("default")
    figure.ruler("x").ticks([], [])
    figure.ruler("y").ticks([], [])
    figure.ruler("x", "lower").lim(start, end if end > start else start + 1)
    figure.ruler("y", "left").lim(frame.low, frame.high)


def _signal(
    plotext: Any, run: Sequence[Point], sign: str, color: str | None, look: Look, *, filled: bool
) -> Any:
    pixel = plotext.pixel(foreground=COLORS[color]) if color and look.color else None
    marker = plotext.marker(sign, pixel)
    signal = plotext.figure.signal([x for x, _ in run], [y for _, y in run], marker=marker)
    signal.lines()
    if filled:
        signal.fillx()
    return signal


def _runs(
    times: Sequence[float], values: Values, start: float, end: float, frame: Frame, *, filled: bool
) -> Iterator[list[Point]]:
    """Points between gaps, within the range, no more than can be seen."""
    width = (end - start) / (frame.columns * _PIECES) or 1.0
    run: list[Point] = []
    for time, value in zip(times, map(number, values), strict=True):
        if value is None:
            if run:
                yield _thinned(run, start, width, filled=filled)
            run = []
        else:
            run.append((time, min(max(value, frame.low), frame.high)))
    if run:
        yield _thinned(run, start, width, filled=filled)


def _thinned(run: list[Point], start: float, width: float, *, filled: bool) -> list[Point]:
    pieces: dict[int, list[Point]] = {}
    for point in run:
        pieces.setdefault(int((point[0] - start) / width), []).append(point)
    if filled:  # what is lower lies behind
        return [max(piece, key=_value) for piece in pieces.values()]
    made: list[Point] = []
    for piece in pieces.values():
        made.extend(sorted({piece[0], min(piece, key=_value), max(piece, key=_value), piece[-1]}))
    return made


def _value(point: Point) -> float:
    return point[1]
