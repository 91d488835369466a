"""The screens Explore and Metrics on a real agent and its database."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.terminal import Terminal
from support.tui import Site

from yaat_core.actions.agent import Query
from yaat_core.cli.plotting import plot
from yaat_core.control.client import Client
from yaat_core.metric_questions import HOWS, NAMES, Asked, Span, tags_sql
from yaat_core.questions import QUESTIONS
from yaat_core.sql_words import TAG_NAMES
from yaat_core.tui import themes
from yaat_core.tui.asking import Found
from yaat_core.tui.screens.explore.saving import save
from yaat_core.tui.widgets.grid import Grid, sheet_of

EVENTS = 240


def lines(now: datetime) -> Iterator[str]:
    """Logs, spans and metrics of the last 40 minutes."""
    for n in range(EVENTS // 3):
        at = {
            "timestamp": (now - timedelta(seconds=30 * n)).isoformat(),
            "service": "shop" if n % 4 else "cart",
        }
        yield json.dumps(
            {
                **at,
                "level": "error" if n % 8 == 0 else "info",
                "message": f"order {n % 5}",
                "user": f"u{n % 3}",
            }
        )
        yield json.dumps(
            {
                **at,
                "event_type": "span",
                "operation": f"GET /{n % 3}",
                "duration_ms": 10.0 * n,
                "trace_id": f"{n:032x}",
            }
        )
        yield json.dumps({**at, "event_type": "metric", "metric_name": "cpu.usage" if n % 2 else "disk\x1b[2J",
                          "metric_value": 50 + 20 * math.sin(n / 9), "host": f"web-{n % 3}"})  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An agent whose database has events of every kind."""
    site = Site.made(tmp_path_factory.mktemp("explore"))
    site.config.write_text(site.config.read_text().replace("poll: 200ms", "poll: 200ms, format: json"))
    with site.agent.start():
        site.write(*lines(datetime.now(UTC)))
        site.wait_account("local", delivered=EVENTS)
        yield site


def opened(site: Site, screen: str, tmp_path: Path, columns: int, rows: int) -> Terminal:
    return site.tui("--screen", screen, columns=columns, rows=rows, XDG_STATE_HOME=str(tmp_path))


def ask(terminal: Terminal, sql: str) -> None:
    """From a pane where letters are keys."""
    terminal.send("c")
    terminal.wait_for("Esc:leave the field")
    terminal.type(sql)
    terminal.send("f5")


# --- Explore


def test_it_begins_with_rows_at_every_size(stored: Site, tmp_path: Path) -> None:
    with opened(stored, "explore", tmp_path, 200, 50) as terminal:
        terminal.wait_for("SELECT timestamp", f"{EVENTS} rows in", "service_name", "GET /1", "order 1")
        for columns, rows in ((80, 24), (60, 16)):
            terminal.resize(columns, rows)
            terminal.wait_for("SELECT timestamp", "rows in", "timestamp", "F5:run")
            terminal.send("right", "right", "right", "right")
            terminal.wait_for("what", "order 1", "cpu.usage")
            terminal.send("enter")
            terminal.wait_for("Row", "event_type", "Close")
            terminal.send("escape")
            terminal.wait_gone("Close")
        terminal.send("o")
        terminal.wait_for("Questions", "Errors of the last hour")


def test_sql_is_written_completed_run_and_remembered(stored: Site, tmp_path: Path) -> None:
    with opened(stored, "explore", tmp_path, 100, 30) as terminal:
        terminal.wait_for(f"{EVENTS} rows in")
        terminal.send("c")
        terminal.wait_for("Esc:leave the field")
        terminal.type("SELECT message, count(*) AS n FROM logs WHERE tags['us")
        terminal.wait_for("user']", "tag")
        terminal.send("tab")
        terminal.wait_for("tags['user']")
        terminal.type(" = 'u1' GROUP BY ALL")
        terminal.send("c-j")
        terminal.wait_for("5 rows in", "column 1 of 2")
        terminal.send("escape")
        terminal.wait_for("c:new")
        ask(terminal, "SELECT levell FROM logs")
        terminal.wait_for("error[", "levell", "fix: Candidate bindings")
        terminal.send("escape")
        terminal.wait_for("c:new")
        terminal.send("H")
        terminal.wait_for("Asked before", "SELECT levell", "SELECT message, count(*)")
        terminal.send("j", "enter")
        terminal.wait_for("5 rows in")
        terminal.wait_gone("error[")
        terminal.send("Y")
        terminal.wait_for("copied: yaat query 'SELECT message")
    history = tmp_path / "yaat" / "query_history"
    assert history.stat().st_mode & 0o777 == 0o600
    assert "SELECT levell FROM logs;" in history.read_text()


def test_a_query_is_stopped_and_a_long_answer_is_cut(stored: Site, tmp_path: Path) -> None:
    with opened(stored, "explore", tmp_path, 100, 30) as terminal:
        terminal.wait_for(f"{EVENTS} rows in")
        ask(terminal, "SELECT sum(a.duration_ms * b.duration_ms * c.duration_ms * d.duration_ms * e.duration_ms * f.duration_ms)"
            " FROM events a, events b, events c, events d, events e, events f")  # fmt: skip
        terminal.wait_for("Running ... Ctrl-C stops it")
        terminal.send("c-c")
        terminal.wait_gone("Running ...")
        terminal.send("escape")
        terminal.wait_for("c:new")
        ask(terminal, "SELECT a.message FROM events a, events b")
        terminal.wait_for("The first 10,000 rows in", "there are more, x saves all")
        terminal.send("escape")
        terminal.wait_for("c:new")
        terminal.send("x")
        terminal.wait_for("Save every row", "without the limit")
        terminal.send("tab", "c-a", "c-k")
        terminal.type(str(tmp_path / "all"))
        terminal.send("tab", "tab", "enter")
        terminal.wait_for(f"{EVENTS * EVENTS:,} rows")
    data = (tmp_path / "all.csv").read_bytes()
    assert data.startswith(b"message\r\n")
    assert data.count(b"\r\n") == EVENTS * EVENTS + 1


def test_a_chart_of_a_question(stored: Site, tmp_path: Path) -> None:
    with opened(stored, "explore", tmp_path, 100, 30) as terminal:
        terminal.wait_for(f"{EVENTS} rows in")
        terminal.send("o")
        terminal.wait_for("Events by service")
        terminal.send("j", "j", "j", "enter")
        terminal.wait_for("■ info", "■ error", "UTC")
        terminal.send("p")
        terminal.wait_for("minute", "level", "events")
        ask(terminal, "SELECT message FROM logs")
        terminal.wait_for("rows in")
        terminal.send("escape")
        terminal.wait_for("c:new")
        terminal.send("p")
        terminal.wait_for("this can't be plotted", "e.g. SELECT time_bucket")


def test_without_an_agent_the_database_is_opened_here(site: Site, tmp_path: Path) -> None:
    with site.agent.start():
        site.write("one plain line")
        site.wait_account("local", delivered=1)
    with opened(site, "explore", tmp_path, 80, 24) as terminal:
        terminal.wait_for("Look around")
        terminal.send("escape")
        terminal.wait_for("1 row in", "no agent is running")


def test_every_question_has_an_answer_and_its_chart(stored: Site) -> None:
    with Client(stored.folder / "state") as agent:
        for one in QUESTIONS:
            with agent.query(Query(sql=one.sql)) as answer:
                if one.chart:
                    drawn = "\n".join(plot(answer, one.chart, color=False, width=80, height=20, unicode=True))
                    assert "no data" not in drawn, one.title
                else:
                    rows = sum(batch.num_rows for batch in answer)
                    assert rows or one.title == "Status codes by service", one.title
        for how in HOWS:
            asked = Asked(metric="cpu.usage", how=how, by="host", span=Span(seconds=7200))
            for sql in (asked.series_sql(), asked.now_sql(), tags_sql("cpu.usage"), NAMES, TAG_NAMES):
                with agent.query(Query(sql=sql)) as answer:
                    assert sum(batch.num_rows for batch in answer), sql


# --- Metrics


def test_metrics_over_time(stored: Site, tmp_path: Path) -> None:
    with opened(stored, "metrics", tmp_path, 60, 16) as terminal:
        for columns, rows in ((60, 16), (80, 24), (200, 50)):
            terminal.resize(columns, rows)
            terminal.wait_for("cpu.usage: average", "└", "UTC")
        terminal.wait_for("Values in this time", "last_at", "disk\\x1b[2J")
        terminal.send("b")
        terminal.wait_for("Group by", "service_name")
        terminal.send("/")
        terminal.type("web-")
        terminal.send("enter", "enter")
        terminal.wait_for("by host", "■ web-0", "■ web-2")
        terminal.send("z")
        terminal.wait_for("last 30m")
        terminal.send("Y")
        terminal.wait_for("copied: yaat query --plot 'SELECT time_bucket")
        terminal.send("o")
        terminal.wait_for("SELECT time_bucket", "rows in", "■ web-0")


def test_no_metrics_say_what_brings_them(running: Site, tmp_path: Path) -> None:
    with opened(running, "metrics", tmp_path, 80, 24) as terminal:
        terminal.wait_for("no metrics are", "brings them", "a chart of the metric")


# --- the parts


def test_spans_zoom_and_move() -> None:
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    hour = Span(seconds=3600)
    assert (hour.step, Span(seconds=86400 * 30).step, Span(seconds=60).step) == (30, 21600, 1)
    earlier = hour.moved(-0.5, now)
    assert earlier == Span(seconds=3600, end=now - timedelta(minutes=30))
    assert earlier.moved(0.5, now) == hour, "at now it follows again"
    inner = earlier.zoomed(0.5)
    assert inner == Span(seconds=1800, end=now - timedelta(minutes=45)), "the middle stays"
    assert hour.zoomed(1e-9).seconds == 10
    assert hour.zoomed(1e9).seconds == 366 * 86400


def found(**columns: Any) -> Found:
    batch = pa.RecordBatch.from_pydict(columns)
    return Found(batch.schema, [batch.slice(0, 1), batch.slice(1)], False, 0.1)


def test_the_grid_scrolls_sorts_and_filters() -> None:
    grid = Grid(open=lambda names, row: None)
    grid.shell = SimpleNamespace(glyphs=themes.glyphs_for("utf8"), notify=lambda text: None)  # type: ignore[assignment]
    tags = pa.array([[("k", "v")], None, []], pa.map_(pa.string(), pa.string()))
    grid.sheet = sheet_of(found(name=["beta\x1b[2J", "alpha", None], number=[2.5, 10.0, 1.0], tags=tags))
    by = {one.name: one.run for one in grid.keys()}  # noqa: SIM118 - a method

    def first() -> str:
        return "".join(text for _, text in grid.draw(60, 5, focused=True)[1])

    assert "beta\\x1b[2J" in first()
    by["grid.sort"]()
    assert "alpha" in first()
    by["grid.right"]()
    by["grid.sort"]()
    assert "null" in first(), "the least number is that of the row without a name"
    by["grid.sort"]()
    assert "10" in first()
    grid.search("BETA")
    assert grid.count == 1
    assert '{"k":"v"}' in first()
    grid.draw(12, 5, focused=True)
    by["grid.right"]()
    assert "".join(text for _, text in grid.draw(12, 5, focused=True)[0]).startswith("<tags")


def test_what_is_saved_is_what_the_command_writes(tmp_path: Path) -> None:
    answer = found(a=[1, 2, 3], b=["=x", "y", None])
    assert save(answer, tmp_path / "a.parquet", "parquet", csv_safe=False) == 3
    assert pq.read_table(tmp_path / "a.parquet").to_pydict() == {"a": [1, 2, 3], "b": ["=x", "y", None]}
    save(answer, tmp_path / "a.csv", "csv", csv_safe=True)
    assert (tmp_path / "a.csv").read_text().split() == ["a,b", "1,'=x", "2,y", "3,"]
    save(answer, tmp_path / "a.json", "json", csv_safe=False)
    assert json.loads((tmp_path / "a.json").read_text())[2] == {"a": 3, "b": None}
