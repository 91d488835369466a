"""`yaat query` as a conversation in a real terminal, charts and pages, over a real database."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.terminal import Terminal

CONFIG = """\
version: 1
state_dir: state
health: {listen: "off"}
sources:
  app: {type: file, paths: [app.log], start_at: beginning, format: json}
sinks:
  local: {type: duckdb}
"""


def environ(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("YAAT_", "XDG_"))}
    for name in ("NO_COLOR", "FORCE_COLOR", "PAGER", "LESS", "COLUMNS", "LINES"):
        kept.pop(name, None)
    return {**kept, "HOME": str(folder), "XDG_STATE_HOME": str(folder / "xdg"), **more}


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "yaat_core.cli", *args]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """An agent ran here: 120 events in two hours, of three levels, with a tag `host`."""
    made = Path(tempfile.mkdtemp(prefix="yaat-asking-"))
    (made / "yaat.yaml").write_text(CONFIG)
    with open(made / "app.log", "w", encoding="utf-8") as log:
        for minute in range(120):
            event = {
                "timestamp": f"2026-11-30T{10 + minute // 60:02}:{minute % 60:02}:00Z",
                "level": ("info", "warning", "error")[minute % 3],
                "message": f"request {minute}",
                "host": f"web-{minute % 4}",
            }
            log.write(json.dumps(event) + "\n")
    done = subprocess.run(
        command("run", "--once"), cwd=made, env=environ(made), capture_output=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    yield made
    shutil.rmtree(made)


@pytest.fixture
def prompt(folder: Path) -> Iterator[Terminal]:
    with Terminal(command("query"), columns=90, rows=30, environ=environ(folder), cwd=folder) as terminal:
        terminal.wait_for("yaat>")
        yield terminal


def test_a_conversation(prompt: Terminal, folder: Path) -> None:
    prompt.type("SELECT level,")
    prompt.send("enter")
    prompt.wait_for("->")
    prompt.type("count(*) AS n FROM logs GROUP BY 1 ORDER BY 1;")
    prompt.send("enter")
    prompt.wait_for("warning  40", "(3 rows)")
    prompt.type("\\x")
    prompt.send("enter")
    prompt.wait_for("expanded: on")
    prompt.type("SELECT message FROM logs ORDER BY timestamp LIMIT 1;")
    prompt.send("enter")
    prompt.wait_for("-[ row 1 ]", "message | request 0")
    prompt.type("\\timing")
    prompt.send("enter")
    prompt.wait_for("timing: on")
    prompt.type("SELECT nothing FROM logs;")
    prompt.send("enter")
    prompt.wait_for("error[YAAT-E602]", "nothing")
    prompt.type("\\wat")
    prompt.send("enter")
    prompt.wait_for("no command \\wat")
    prompt.type("\\d logz")
    prompt.send("enter")
    prompt.wait_for("did you mean logs?")
    prompt.type("\\q")
    prompt.send("enter")
    assert prompt.ended() == 0
    history = folder / "xdg" / "yaat" / "query_history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert "SELECT nothing FROM logs;" in history.read_text()


def test_tables_and_help(prompt: Terminal) -> None:
    prompt.type("\\d")
    prompt.send("enter")
    prompt.wait_for("events of the type span")
    prompt.type("\\d logs")
    prompt.send("enter")
    prompt.wait_for("event_id", "TIMESTAMPTZ", "metric_value")
    prompt.type("\\?")
    prompt.send("enter")
    prompt.wait_for("\\timing", "Ctrl-C stops a query")
    prompt.send("c-d")
    assert prompt.ended() == 0


def test_completion_of_words_tags_and_values(prompt: Terminal) -> None:
    prompt.type("SELECT serv")
    prompt.wait_for("service_name", "VARCHAR: emitting")
    prompt.send("c-c")
    prompt.type("SELECT tags['ho")
    prompt.wait_for("host']")
    prompt.send("c-c")
    prompt.type("FROM logs WHERE tags['host'] = 'web-")
    prompt.wait_for("web-0'", "web-3'")
    prompt.send("c-c", "c-d")
    assert prompt.ended() == 0


def test_a_query_is_stopped_and_the_conversation_goes_on(prompt: Terminal) -> None:
    prompt.type(
        "SELECT count(*) FROM range(100000) a, range(100000) b, range(1000) c WHERE a.range + b.range = c.range;"
    )
    prompt.send("enter")
    prompt.wait(lambda screen: "c.range;" in screen)
    prompt.send("c-c")
    prompt.wait(lambda screen: "stopped" in screen or "error[" in screen)
    prompt.type("SELECT 'still ' || 'here' AS x;")
    prompt.send("enter")
    prompt.wait_for("still here")


def test_rows_into_a_file(prompt: Terminal, folder: Path) -> None:
    prompt.type("\\o out.txt")
    prompt.send("enter")
    prompt.wait_for("rows go to out.txt")
    prompt.type("SELECT count(*) AS n FROM logs;")
    prompt.send("enter")
    prompt.wait_for("(1 row)")
    prompt.type("\\o")
    prompt.send("enter")
    prompt.wait_for("rows go to the screen")
    assert (folder / "out.txt").read_text().split() == ["n", "120"]
    assert stat.S_IMODE((folder / "out.txt").stat().st_mode) == 0o600


PER_TEN_MINUTES = (
    "SELECT time_bucket(INTERVAL '10 minutes', timestamp) AS t, level, count(*) AS n FROM logs GROUP BY 1, 2"
)


def test_a_chart_at_the_prompt(prompt: Terminal) -> None:
    prompt.type(f"\\plot {PER_TEN_MINUTES};")
    prompt.send("enter")
    prompt.wait_for("■ error", "■ info", "11:00", "UTC")
    prompt.type("\\plot bars SELECT level, count(*) FROM logs GROUP BY 1;")
    prompt.send("enter")
    prompt.wait_for("warning █", "40")


def run(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*args), cwd=folder, env=environ(folder, COLUMNS="60", LINES="14", PYTHONUTF8="1"),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_charts_from_the_command_line(folder: Path) -> None:
    done = run(folder, "query", "--plot", PER_TEN_MINUTES)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 60
    assert "error" in lines[0]
    assert "\x1b" not in done.stdout
    bars = run(folder, "query", "--plot=bars", "SELECT level, count(*) FROM logs GROUP BY 1 ORDER BY 1")
    assert [line.split()[0] for line in bars.stdout.splitlines()] == ["error", "info", "warning"]


@pytest.mark.parametrize(
    ("args", "what"),
    [
        (["--plot", "SELECT level, count(*) FROM logs GROUP BY 1"], "the first column has to be a time"),
        (["--plot", "SELECT timestamp, tags FROM logs"], "there have to be numbers"),
        (["--plot=bars", "SELECT message FROM logs"], "bars need two columns"),
        (["--plot=cake", "SELECT 1"], "cake"),
        (["--plot", "--json", "SELECT 1"], "a chart is for people"),
        ([], "no SQL was given"),
    ],
)
def test_what_can_not_be_drawn(folder: Path, args: list[str], what: str) -> None:
    done = run(folder, "query", *args)
    assert done.returncode == 2
    assert what in done.stderr
    assert "fix:" in done.stderr


@pytest.mark.skipif(shutil.which("less") is None, reason="less is not installed")
def test_long_output_goes_through_the_pager(folder: Path) -> None:
    sql = "SELECT message FROM logs ORDER BY timestamp"
    with Terminal(
        command("query", sql), rows=20, environ=environ(folder, PAGER="less"), cwd=folder
    ) as terminal:
        terminal.wait_for("request 5", ":")
        assert "request 119" not in terminal.text
        terminal.send("G")
        terminal.wait_for("request 119")
        terminal.send("q")
        assert terminal.ended() == 0
    for more in (["--no-pager"], ["--limit", "3"]):
        with Terminal(command("query", sql, *more), rows=20, environ=environ(folder), cwd=folder) as terminal:
            assert terminal.ended() == 0


def test_the_libraries_of_the_prompt_may_be_missing(folder: Path) -> None:
    hidden = folder / "hidden" / "prompt_toolkit"
    hidden.mkdir(parents=True, exist_ok=True)
    (hidden / "__init__.py").write_text("raise ImportError('hidden', name='prompt_toolkit')\n")
    env = environ(folder, PYTHONPATH=str(hidden.parent))
    with Terminal(command("query"), environ=env, cwd=folder) as terminal:
        assert terminal.ended() == 2
        assert "pip install 'yaat-core[tui]'" in terminal.text.replace("\n", "")
