"""`--plot`: the rows of an answer as a chart that fits the terminal."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from yaat_core.components import QueryAnswer
from yaat_core.errors import YaatError

KINDS: Final = ("line", "bars")
#: Series that are told apart in one chart.
_MOST_SERIES: Final = 12
_EXAMPLE: Final = "e.g. SELECT time_bucket(INTERVAL '1 minute', timestamp) AS minute, count(*) FROM logs GROUP BY 1 ORDER BY 1"


class NotPlottable(YaatError):
    """The columns are not those of a chart."""

    code = "YAAT-E722"
    exit_code = 2


@attrs.define
class _Rows:
    """Column by column."""

    names: list[str]
    columns: list[list[Any]]


def plot(
    answer: QueryAnswer,
    kind: str,
    *,
    color: bool,
    width: int | None = None,
    height: int | None = None,
    unicode: bool | None = None,
) -> list[str]:
    """The lines of a chart of all rows. ``unicode``: whether more than ASCII can be shown; None: as stdout can.

    Raises:
        NotPlottable: the first column is no time, or another is no number.
        PlotsMissing: the libraries that draw are not installed.
    """
    from yaat_core.plots import Look, bars

    size = shutil.get_terminal_size((80, 24))
    width, height = width or size.columns, height or max(6, min(size.lines - 10, 20))
    if unicode is None:
        unicode = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    look = Look(color=color, unicode=unicode)
    kinds = [_kind(field.type) for field in answer.schema]
    if kind == "bars":
        if kinds[:1] == ["number"] or kinds[1:] != ["number"]:
            raise _refused(answer, kinds, "bars need two columns: a name and a number")
        rows = _read(answer)
        labels = ["" if value is None else _label(value) for value in rows.columns[0]]
        return bars(
            labels, rows.columns[1], width=width, height=max(height, min(len(labels), 200)), look=look
        )
    return _lines(answer, kinds, width, height, look)


def _lines(answer: QueryAnswer, kinds: list[str], width: int, height: int, look: Any) -> list[str]:
    from yaat_core.plots import Series, line

    if kinds[:1] != ["time"]:
        raise _refused(answer, kinds, "the first column has to be a time")
    by_text = kinds[1:] in (["text", "number"], ["number", "text"])
    if not by_text and (len(kinds) < 2 or set(kinds[1:]) != {"number"}):
        raise _refused(
            answer,
            kinds,
            "after the time there have to be numbers, or one text and one number (a line for each text)",
        )
    rows = _read(answer)
    order = sorted(
        (row for row, time in enumerate(rows.columns[0]) if time is not None), key=rows.columns[0].__getitem__
    )
    if by_text:
        return line(
            *_by_text(rows, order, 1 if kinds[1] == "text" else 2), width=width, height=height, look=look
        )
    times = [rows.columns[0][row] for row in order]
    series = [
        Series([column[row] for row in order], name)
        for name, column in zip(rows.names[1:], rows.columns[1:], strict=True)
    ]
    return line(times, series, width=width, height=height, look=look)


def _by_text(rows: _Rows, order: Sequence[int], text: int) -> tuple[list[float], list[Any]]:
    """A series for each text, the largest sums first; beyond a dozen, the rest is left out and said so in a name."""
    from yaat_core.plots import Series

    texts, numbers = rows.columns[text], rows.columns[3 - text]
    times = sorted({rows.columns[0][row] for row in order})
    index = {time: place for place, time in enumerate(times)}
    found: dict[str, list[Any]] = {}
    for row in order:
        values = found.setdefault("(none)" if texts[row] is None else str(texts[row]), [None] * len(times))
        values[index[rows.columns[0][row]]] = numbers[row]
    ranked = sorted(found, key=lambda name: -sum(abs(value) for value in found[name] if value is not None))
    return times, [Series(found[name], name) for name in ranked[:_MOST_SERIES]]


def _read(answer: QueryAnswer) -> _Rows:
    columns: list[list[Any]] = [[] for _ in answer.schema]
    kinds = [_kind(field.type) for field in answer.schema]
    for batch in answer:
        for column, values, kind in zip(columns, batch.columns, kinds, strict=True):
            column.extend(map(_seconds, values.to_pylist()) if kind == "time" else values.to_pylist())
    numbers = [
        [None if value is None else float(value) for value in column] if kind == "number" else column
        for column, kind in zip(columns, kinds, strict=True)
    ]
    return _Rows([field.name for field in answer.schema], numbers)


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    moment: datetime = value if value.tzinfo else value.replace(tzinfo=UTC)
    return moment.timestamp()


def _label(value: Any) -> str:
    return (
        datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S")
        if isinstance(value, float)
        else str(value)
    )


def _kind(type_: Any) -> str:
    import pyarrow.types as of

    if of.is_timestamp(type_) or of.is_date(type_):
        return "time"
    if of.is_integer(type_) or of.is_floating(type_) or of.is_decimal(type_):
        return "number"
    return "text" if of.is_string(type_) or of.is_large_string(type_) or of.is_boolean(type_) else "other"


def _refused(answer: QueryAnswer, kinds: Sequence[str], what: str) -> NotPlottable:
    shown = ", ".join(f"{field.name} ({kind})" for field, kind in zip(answer.schema, kinds, strict=True))
    return NotPlottable(f"this can't be plotted: {what}", where=f"columns: {shown}", fix=_EXAMPLE)
