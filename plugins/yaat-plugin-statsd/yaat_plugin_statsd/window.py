"""All series of a source, and what a window of them ends in."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from yaat_plugin_statsd.cells import Cell, ChangingGauge, Counter, Distinct, Gauge, Histogram, Take
from yaat_plugin_statsd.config import StatsdConfig, quantile_of
from yaat_plugin_statsd.distinct import Members
from yaat_plugin_statsd.naming import Series
from yaat_plugin_statsd.quantiles import Summary, Values, summary
from yaat_plugin_statsd.rows import Rows

Gathered = float | Members | list[Values]


@attrs.frozen(kw_only=True)
class Cut:
    """What one window gathered: by series, over ``seconds`` of monotonic time, ended at ``time_us`` of the wall clock."""

    gathered: Sequence[tuple[Series, Gathered]]
    seconds: float
    time_us: int


class Window:
    """The series that are known, each with what it gathers. At most ``max_series``."""

    def __init__(self, config: StatsdConfig) -> None:
        self._config = config
        self._cells: dict[Series, Cell] = {}
        self.refused = 0
        """Samples of series that there was no place for."""

    def __len__(self) -> int:
        return len(self._cells)

    def route(self, series: Series, weight: float) -> Take:
        """What takes this series' values. It is good until `cut` says that series were forgotten.

        Raises:
            Rejected: too_many_rates.
        """
        cell = self._cells.get(series)
        if cell is None:
            if len(self._cells) >= self._config.max_series:
                return self._refuse
            cell = self._new(series.type)
            self._cells[series] = cell
        return cell.route(weight)

    def cut(self, seconds: float, time_us: int) -> tuple[Cut, bool]:
        """End the window and begin the next one; and whether series were forgotten, so that routes are void."""
        gathered: list[tuple[Series, Gathered]] = []
        gone: list[Series] = []
        for series, cell in self._cells.items():
            taken = cell.take()
            if taken is None:
                cell.idle += seconds
                if cell.idle >= self._config.expiry:
                    gone.append(series)
                elif self._config.repeat_idle and isinstance(cell, Counter | Gauge):
                    gathered.append((series, cell.value if isinstance(cell, Gauge) else 0.0))
            else:
                cell.idle = 0.0
                gathered.append((series, taken))  # type: ignore[arg-type]  # one of Gathered, by the cell
        for series in gone:
            del self._cells[series]
        return Cut(gathered=gathered, seconds=seconds, time_us=time_us), bool(gone)

    def _refuse(self, raw: bytes) -> None:
        self.refused += 1

    def _new(self, type: str) -> Cell:
        if type in ("c", "m"):
            return Counter()
        if type == "g":
            return ChangingGauge() if self._config.gauge_deltas else Gauge()
        return Distinct() if type == "s" else Histogram()


def rows_of(cut: Cut, config: StatsdConfig) -> Rows:
    """The rows of a window: one or several for each series."""
    rows = Rows(cut.time_us)
    named = [(one, quantile_of(one)) for one in config.aggregates]
    wanted = [quantile for _, quantile in named if quantile is not None]
    for series, what in cut.gathered:
        rows.owner(series.tags)
        if isinstance(what, list):
            _spread(rows, series.name, summary(what, wanted), config.aggregates, wanted)
        elif isinstance(what, Members):
            rows.add(series.name, what.count())
        elif series.type == "g":
            rows.add(series.name, what)
        else:
            if "count" in config.counters:
                rows.add(series.name, what)
            if "rate" in config.counters:
                rows.add(f"{series.name}.rate", what / cut.seconds)
    return rows


def _spread(
    rows: Rows, name: str, found: Summary, aggregates: Sequence[str], wanted: Sequence[float]
) -> None:
    quantiles = iter(found.quantiles)
    plain = {
        "min": found.low,
        "max": found.high,
        "mean": found.sum / found.count,
        "count": found.count,
        "sum": found.sum,
    }
    for one in aggregates:
        rows.add(f"{name}.{one}", plain[one] if one in plain else next(quantiles))
