"""The screen: an editor for SQL, its rows or their chart, what is wrong, and where to begin."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import trio
from prompt_toolkit.completion import ThreadedCompleter

from yaat_core.actions.agent import Query
from yaat_core.cli.plotting import KINDS, NotPlottable, plot
from yaat_core.cli.shell.completing import Known, WordsCompleter
from yaat_core.errors import YaatError
from yaat_core.questions import QUESTIONS, Question
from yaat_core.tui import asking, themes
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Node, Pane, Rows
from yaat_core.tui.screen import Screen
from yaat_core.tui.screens.explore.remembered import remember, remembered
from yaat_core.tui.screens.explore.saving import FORMATS, save, save_all
from yaat_core.tui.text import Line, latency, safe, wrap
from yaat_core.tui.widgets.base import Label
from yaat_core.tui.widgets.chart import Chart
from yaat_core.tui.widgets.editor import Editor
from yaat_core.tui.widgets.fields import FieldSpec
from yaat_core.tui.widgets.grid import Grid, sheet_of

#: Rows that are shown at most, and entries of the history.
_ROWS: Final = 10_000
_REMEMBERED: Final = 200
#: Seconds that a question of the completion may take.
_SOON: Final = 5.0
_LINE: Final = re.compile(r"\bline (\d+):", re.IGNORECASE)


class ExploreScreen(Screen):
    """SQL above, rows below."""

    help = """\
F5 or Ctrl-J runs the SQL, Ctrl-C stops it; Tab completes; Esc leaves the editor, i goes into it. The tables are events,
logs, spans and metrics; tags are tags['name'].
o has questions that are ready to run, h what was asked before (as `yaat query` remembers it; what begins with a space is not).
p draws a chart: a time, then numbers (or a text: a line for each); or a name and a number. x saves every row.
Without an agent the database is opened here, read-only."""

    def layout(self) -> Node:
        """Editor, what is wrong, rows or chart."""
        self.found: asking.Found | None = None
        self.asked = ""
        self.running = ""
        self.problem = ""
        self.charting = False
        known = Known(self._first_column)
        self.editor = Editor(
            QUESTIONS[0].sql,
            language="sql",
            completer=ThreadedCompleter(WordsCompleter(known, ())),
            accept=lambda _: self.run(),
            changed=lambda _: self._changed(),
        )
        self.grid = Grid(
            empty="F5 runs the SQL above\no has questions that are ready to run, h what was asked before",
            open=self._open,
        )
        self.chart = Chart(empty="run a query first")
        self.editor.go(1)
        wrong = Label(self._wrong)
        return Rows(
            Pane(self.editor, "SQL", weight=2),
            Pane(wrong, size=5, when=lambda: bool(self.problem)),
            Pane(self.grid, self._title, weight=5, when=lambda: not self.charting),
            Pane(self.chart, self._title, weight=5, when=lambda: self.charting),
        )

    def keys(self) -> Sequence[Key]:
        """Run, questions, history, chart, save."""
        return (
            Key(name="explore.run", keys=("f5", "c-j"), does="run the SQL", run=self.run, anywhere=True, command="query",
                footer="run", when=lambda: self.shell.focused() is not self.editor),
            Key(name="explore.edit", keys=("i",), does="into the editor", run=lambda: self.shell.focus(self.editor),
                footer="edit"),
            Key(name="explore.new", keys=("c",), does="write another one: an empty editor", run=self.begin, footer="new"),
            Key(name="explore.questions", keys=("o",), does="questions that are ready to run",
                run=self.choose, footer="questions"),
            Key(name="explore.history", keys=("h",), does="what was asked before", run=self.history,
                footer="history", when=lambda: self.shell.focused() is not self.grid),
            Key(name="explore.history-back", keys=("H",), does="what was asked before, from anywhere",
                run=self.history, footer="history", when=lambda: self.shell.focused() is self.grid),
            Key(name="explore.plot", keys=("p",), does="a chart of the rows, or the rows again", run=self.turn,
                footer="chart", command="query --plot"),
            Key(name="explore.save", keys=("x",), does="save the rows as CSV, JSON, Parquet or Arrow",
                run=self.save, footer="save", command="query"),
        )  # fmt: skip

    # --- asking

    def opened(self) -> None:
        """The first time it answers the question that stands there."""
        if self.found is None and not self.problem:
            self.run()

    def arrived(self, about: Any) -> None:
        """Somebody has a question: SQL, or a `yaat_core.questions.Question`."""
        if isinstance(about, Question):
            self.ask(about.sql, chart=bool(about.chart))
        else:
            self.ask(str(about))

    def ask(self, sql: str, *, chart: bool = False) -> None:
        """Put it into the editor and run it."""
        self.editor.text = sql
        self.editor.go(1)
        self.charting = chart
        self.run()
        self._focus()

    def run(self) -> None:
        """Run what is in the editor."""
        self.shell.run_async(self._run)

    async def _run(self) -> None:
        sql = self.editor.text.strip().rstrip(";").strip()
        if not sql or self.running == sql:
            return
        if self.running:
            self.shell.notify("a query runs already: Ctrl-C stops it", error=True)
            return
        self.running, self.problem, self.editor.marks = sql, "", {}
        self.shell.changed()
        await self._remember(self.editor.text)
        try:
            found = await asking.ask(self.shell, sql, limit=_ROWS)
            sheet = await trio.to_thread.run_sync(sheet_of, found, abandon_on_cancel=True)
        except YaatError as error:
            self._failed(error)
            return
        finally:
            self.running = ""
            self.editor.buffer.cancel_completion()
        first = self.found is None
        self.found, self.asked, self.grid.sheet = found, sql, sheet
        self.chart.show(self._drawn)
        if first:
            self._focus()

    def _changed(self) -> None:
        if self.editor.marks:
            self.editor.marks = {}

    def _failed(self, error: YaatError) -> None:
        self.problem = error.render()
        line = _LINE.search(self.problem)
        self.editor.marks = {int(line[1]): error.what.partition("\n")[0]} if line else {}
        self.shell.focus(self.editor)

    async def _remember(self, sql: str) -> None:
        if any(sql.strip() == one.sql for one in QUESTIONS):
            return
        try:
            await trio.to_thread.run_sync(remember, sql)
        except OSError as error:
            self.shell.notify(f"the history can't be written: {error.strerror or error}", error=True)

    def _first_column(self, sql: str) -> list[str]:
        """For completion, in its thread."""
        if self.shell.setup is None:
            return []
        found = asking.here(self.shell, Query(sql=sql, limit=1000, timeout=_SOON))
        return [str(value) for batch in found for value in batch.column(0).to_pylist()]

    def _focus(self) -> None:
        """Where letters are keys: the rows, or the chart."""
        self.shell.focus(self.chart if self.charting else self.grid)

    # --- where to begin

    def begin(self) -> None:
        """An empty editor; the one before is in the history."""
        self.editor.text = ""
        self.shell.focus(self.editor)

    async def choose(self) -> None:
        """A list of questions."""
        options = [
            (one.title, {"": "rows", "line": "a chart", "bars": "bars"}[one.chart]) for one in QUESTIONS
        ]
        chosen = await self.shell.choose(
            "Questions", "Each goes into the editor, to be changed there.", options
        )
        if chosen is not None:
            one = QUESTIONS[chosen]
            self.ask(one.sql, chart=bool(one.chart))

    async def history(self) -> None:
        """A list of what was asked."""
        try:
            asked = await trio.to_thread.run_sync(remembered, _REMEMBERED)
        except OSError as error:
            self.shell.notify(f"the history can't be read: {error.strerror or error}", error=True)
            return
        if not asked:
            self.shell.notify("nothing was asked before")
            return
        options = [(" ".join(one.split()), "") for one in asked]
        chosen = await self.shell.choose("Asked before", "The newest first; / filters.", options)
        if chosen is not None:
            self.ask(asked[chosen])

    # --- the rows

    def turn(self) -> None:
        """Chart, or rows."""
        self.charting = not self.charting
        self._focus()

    def _drawn(self, width: int, height: int) -> list[str]:
        """In a thread: lines, or bars where the columns are not those of lines."""
        assert self.found is not None
        color, unicode = not themes.without_colour(), not self.shell.glyphs.ascii_only
        refused: NotPlottable | None = None
        for kind in KINDS:
            try:
                return plot(self.found, kind, color=color, width=width, height=height, unicode=unicode)
            except NotPlottable as error:
                refused = refused or error
        assert refused is not None
        raise refused

    async def _open(self, names: Sequence[str], row: Sequence[Any]) -> None:
        await self.shell.message("Row", row_in_full(names, row))

    async def save(self) -> None:
        """Ask where to, then write."""
        if self.found is None:
            self.shell.notify("there are no rows to save: F5 runs the SQL")
            return
        cut = self.found.truncated
        values = await self.shell.fill_in(
            "Save every row" if cut else f"Save {self.found.count:,} rows",
            [
                FieldSpec(name="format", kind="choice", choices=FORMATS, value=FORMATS[0]),
                FieldSpec(name="file", required=True, value=f"query-{datetime.now():%Y%m%d-%H%M%S}",
                          help="only you can read it; the format becomes its ending when it has none"),
                FieldSpec(name="csv_safe", kind="flag", value="no",
                          help="csv: put ' before cells that a spreadsheet would take for a formula"),
            ],
            text="It is asked again, without the limit of what is shown." if cut else "",
            yes="Save",
        )  # fmt: skip
        if values is None:
            return
        form = values["format"]
        path, there = await trio.to_thread.run_sync(_place, values["file"], form)
        if there and not await self.shell.confirm(
            f"Replace {path.name}?", [f"{path} is there already."], yes="Replace"
        ):
            return
        self.shell.notify(f"writing {path} ...")
        written = await trio.to_thread.run_sync(
            self._written, path, form, values["csv_safe"] == "yes", abandon_on_cancel=True
        )
        self.shell.notify(f"{written:,} rows written to {path}")

    def _written(self, path: Path, form: str, csv_safe: bool) -> int:
        assert self.found is not None
        if self.found.truncated and self.shell.setup is not None:
            return save_all(self.shell.setup, self.asked, path, form, csv_safe=csv_safe)
        return save(self.found, path, form, csv_safe=csv_safe)

    # --- how it looks

    def _title(self) -> str:
        if self.running:
            return "Running ... Ctrl-C stops it"
        if self.found is None:
            return "Rows"
        count, took = self.found.count, latency(self.found.seconds)
        if self.found.truncated:
            return f"The first {count:,} rows in {took}: there are more, x saves all"
        return f"{count:,} row{'' if count == 1 else 's'} in {took}"

    def _wrong(self, width: int, height: int) -> list[Line]:
        lines = [line for text in self.problem.split("\n") for line in wrap(safe(text), max(8, width - 2))]
        shown = lines if len(lines) <= height else [*lines[: height - 1], "..."]
        return [[("class:error" if n == 0 else "", f" {line}")] for n, line in enumerate(shown)]

    def command_line(self) -> str:
        """`query`, with what was asked."""
        sql = self.asked or self.editor.text
        return shlex.join(["query", *(["--plot"] if self.charting else []), sql])


def _place(name: str, form: str) -> tuple[Path, bool]:
    """Of a file, and whether it is there. In a thread."""
    path = Path(name).expanduser()
    if not path.suffix:
        path = path.with_name(f"{path.name}.{form}")
    return path, path.exists()


def row_in_full(names: Sequence[str], row: Sequence[Any]) -> str:
    """Names and values; what has structure or many lines over several."""
    wide = min(28, max((len(name) for name in names), default=0))
    lines: list[str] = []
    for name, value in zip(names, row, strict=True):
        text = "null" if value is None else str(value)
        if isinstance(value, dict | list):
            text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
        if "\n" in text:
            lines += [name, *(f"  {line}" for line in text.rstrip().split("\n"))]
        else:
            lines.append(f"{name:<{wide}}  {text}")
    return "\n".join(lines)
