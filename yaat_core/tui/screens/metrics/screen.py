"""The screen: metrics by name, one of them as a chart, and its last values."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import attrs
import trio

from yaat_core.cli.plotting import plot
from yaat_core.errors import YaatError
from yaat_core.metric_questions import COLUMNS, HOWS, NAMES, Asked, Span, tags_sql
from yaat_core.plots import human
from yaat_core.questions import Question
from yaat_core.tui import asking, themes
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Columns, Node, Pane, Rows
from yaat_core.tui.screen import Screen
from yaat_core.tui.screens.explore.screen import row_in_full
from yaat_core.tui.text import span
from yaat_core.tui.widgets.chart import Chart
from yaat_core.tui.widgets.grid import Grid, sheet_of
from yaat_core.tui.widgets.table import Column, Table

#: Seconds between two looks at the names, and at the values at most often.
_NAMES: Final = 30.0
_VALUES: Final = 5.0
_SPANS: Final = (
    ("15 minutes", 900),
    ("1 hour", 3600),
    ("6 hours", 21600),
    ("1 day", 86400),
    ("7 days", 7 * 86400),
    ("30 days", 30 * 86400),
)


_NONE: Final = (
    "no metrics are stored yet: a source such as statsd, otlp or host brings them (`yaat sources add`)"
)


class MetricsScreen(Screen):
    """Names beside a chart and the last values."""

    help = """\
Choose a metric in the list (/ filters it). b groups by a tag, f chooses how values become one, t the time;
z and Z zoom, < and > go earlier and later, . is now again: then it follows.
o opens the question in Explore, Y copies it as a command line."""

    def layout(self) -> Node:
        """Names, chart, values."""
        self.asked = Asked(metric="")
        self.names_at = 0.0
        self._wake = trio.Event()
        self.names: Table[Mapping[str, Any]] = Table(
            [
                Column(title="metric", value=lambda one: one["metric_name"], least=12, stretch=True),
                Column(title="last", value=lambda one: _shown(one["last"]), align="right", least=6, drop=1,
                       sort=lambda one: one["last"] or 0.0),
                Column(title="values", value=lambda one: f"{one['values']:,}", align="right", least=6, drop=2,
                       sort=lambda one: one["values"]),
            ],
            identity=lambda one: one["metric_name"],
            empty="looking for metrics ...",
            open=lambda one: self._choose(one),
            open_does="its chart",
        )  # fmt: skip
        self.names.name = "metrics"
        self.names.on_select = self._choose
        self.chart = Chart(empty="choose a metric")
        self.chart.focusable = False
        self.values = Grid(empty="", open=self._open)
        self.values.name = "values"
        return Columns(
            Pane(self.names, "Metrics", weight=2),
            Rows(
                Pane(self.chart, self._title, weight=3),
                Pane(self.values, "Values in this time", weight=2, needs=(0, 20)),
                weight=5,
            ),
            stack_below=76,
        )

    def keys(self) -> Sequence[Key]:
        """Group, aggregate, time, elsewhere."""
        return (
            Key(name="metrics.by", keys=("b",), does="group by a tag", run=self.choose_by, footer="by"),
            Key(name="metrics.how", keys=("f",), does="how the values of a step become one", run=self.choose_how,
                footer="function"),
            Key(name="metrics.time", keys=("t",), does="the time that is shown", run=self.choose_span, footer="time"),
            Key(name="metrics.zoom-in", keys=("z",), does="a shorter time", run=lambda: self._zoom(0.5), footer="zoom"),
            Key(name="metrics.zoom-out", keys=("Z",), does="a longer time", run=lambda: self._zoom(2.0)),
            Key(name="metrics.earlier", keys=("<",), does="earlier", run=lambda: self._move(-0.5)),
            Key(name="metrics.later", keys=(">",), does="later", run=lambda: self._move(0.5)),
            Key(name="metrics.now", keys=(".",), does="up to now, and follow", run=self._now),
            Key(name="metrics.explore", keys=("o",), does="the question in Explore", run=self.explore,
                footer="SQL", command="query"),
        )  # fmt: skip

    # --- looking

    def opened(self) -> None:
        """Look at once."""
        self._again()

    def arrived(self, about: Any) -> None:
        """Show this metric."""
        self.asked = attrs.evolve(self.asked, metric=str(about))
        self.names.select(str(about))
        self._again()

    def _again(self) -> None:
        self.shell.post(lambda: self._wake.set())

    async def live(self) -> None:
        """Look while it is shown: when something else is wanted, and now and then."""
        while True:
            self._wake = trio.Event()
            if self.showing:
                try:
                    await self._look()
                except YaatError as error:
                    self._failed(error)
                self.shell.changed()
            every = max(_VALUES, self.asked.span.step) if self.asked.span.end is None else _NAMES
            with trio.move_on_after(every):
                await self._wake.wait()

    async def _look(self) -> None:
        if time.monotonic() - self.names_at > _NAMES:
            self.names.rows = await asking.rows(self.shell, NAMES)
            self.names_at = time.monotonic()
            self.names.empty = _NONE
            known = [one["metric_name"] for one in self.names.rows]
            if not self.asked.metric and known:
                self.asked = attrs.evolve(self.asked, metric=known[0])
            self.names.select(self.asked.metric)
        asked = self.asked
        if not asked.metric:
            self.chart.empty = "a chart of the metric that is chosen"
            return
        series = await asking.ask(self.shell, asked.series_sql())
        found = await asking.ask(self.shell, asked.now_sql())
        sheet = await trio.to_thread.run_sync(sheet_of, found, abandon_on_cancel=True)
        if asked != self.asked:
            return  # something else is wanted by now
        if series.count:
            self.chart.show(lambda width, height: self._drawn(series, width, height))
        else:
            self.chart.show(None)
            self.chart.empty = f"no values of {asked.metric} in this time\nZ shows a longer one, t chooses"
        self.values.sheet = sheet

    def _failed(self, error: YaatError) -> None:
        self.chart.show(None)
        self.chart.empty = self.names.empty = f"{error.what}\n{error.fix}"

    def _drawn(self, series: asking.Found, width: int, height: int) -> list[str]:
        color, unicode = not themes.without_colour(), not self.shell.glyphs.ascii_only
        return plot(series, "line", color=color, width=width, height=height, unicode=unicode)

    # --- what is wanted

    def _want(self, **changes: Any) -> None:
        self.asked = attrs.evolve(self.asked, **changes)
        self._again()

    def _choose(self, one: Mapping[str, Any]) -> None:
        if one["metric_name"] != self.asked.metric:
            self._want(metric=one["metric_name"], by="")

    async def choose_by(self) -> None:
        """Tags of the metric."""
        if not self.asked.metric:
            self.shell.notify("choose a metric first")
            return
        tags = await asking.rows(self.shell, tags_sql(self.asked.metric))
        options = [
            ("(nothing)", "all values together"),
            *((name, "a column of every event") for name in COLUMNS),
            *((one["name"], f"{one['values']:,} values, such as {one['example']}") for one in tags),
        ]
        chosen = await self.shell.choose("Group by", f"Tags of {self.asked.metric}; / filters.", options)
        if chosen is not None:
            self._want(by=options[chosen][0] if chosen else "")

    async def choose_how(self) -> None:
        """How values become one."""
        options = list(HOWS.items())
        chosen = await self.shell.choose("Function", "What is drawn of the values of a step.", options)
        if chosen is not None:
            self._want(how=options[chosen][0])

    async def choose_span(self) -> None:
        """How long."""
        options = [(f"last {name}", f"steps of {_long(Span(seconds=one).step)}") for name, one in _SPANS]
        chosen = await self.shell.choose("Time", "z and Z zoom, < and > move.", options)
        if chosen is not None:
            self._want(span=Span(seconds=_SPANS[chosen][1]))

    def _zoom(self, by: float) -> None:
        self._want(span=self.asked.span.zoomed(by))

    def _move(self, by: float) -> None:
        self._want(span=self.asked.span.moved(by, datetime.now(UTC)))

    def _now(self) -> None:
        self._want(span=Span(seconds=self.asked.span.seconds))

    def explore(self) -> None:
        """The question in Explore."""
        if self.asked.metric:
            sql = self.asked.series_sql("\n")
            self.shell.go("explore", about=Question(f"{self.asked.metric} over time", sql, "line"))

    # --- how it looks

    async def _open(self, names: Sequence[str], row: Sequence[Any]) -> None:
        await self.shell.message(self.asked.metric, row_in_full(names, row))

    def _title(self) -> str:
        asked = self.asked
        if not asked.metric:
            return "Chart"
        by = f" by {asked.by}" if asked.by else ""
        end = asked.span.end
        clock = end if end is None or self.shell.settings.utc else end.astimezone()
        when = (
            f"last {_long(asked.span.seconds)}"
            if clock is None
            else f"{_long(asked.span.seconds)} to {clock:%m-%d %H:%M:%S}"
        )
        return f"{asked.metric}: {asked.how}{by}, {when}, steps of {_long(asked.span.step)}"

    def command_line(self) -> str:
        """The question with its chart."""
        if not self.asked.metric:
            return shlex.join(["query", NAMES])
        return shlex.join(["query", "--plot", self.asked.series_sql()])


def _shown(value: Any) -> str:
    return "" if value is None else human(float(value))


def _long(seconds: float) -> str:
    """`1h`, where `span` says `1h00m`."""
    return span(seconds).removesuffix("00s").removesuffix("00m").removesuffix("00h")
