"""Progress on a terminal: it is on stderr, gone at the end, and not there for scripts."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from support.terminal import Terminal

from yaat_core.cli.backfill import Backfill
from yaat_core.cli.door import Door
from yaat_core.cli.progress import Progress, waiting
from yaat_core.stats import Stats

CONFIG = """\
version: 1
state_dir: state
health: {listen: "off"}
sources:
  app: {type: file, paths: [app.log], start_at: beginning}
sinks:
  local: {type: duckdb}
"""
YAAT = [sys.executable, "-m", "yaat_core.cli"]
LINES = 300_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "yaat.yaml").write_text(CONFIG)
    (tmp_path / "app.log").write_text("".join(f"line {number} of a log\n" for number in range(LINES)))
    return tmp_path


def test_a_backfill_tells_how_far_it_is_and_an_export_too(folder: Path) -> None:
    with Terminal([*YAAT, "run", "--once"], columns=120, rows=20, cwd=folder) as terminal:
        terminal.wait_for("events read,", "delivered")
        assert terminal.ended(seconds=240) == 0
        assert "events read," not in terminal.text
    query = [*YAAT, "query", "--json", "SELECT count(*) AS n FROM events"]
    counted = subprocess.run(query, cwd=folder, capture_output=True, text=True, timeout=120, check=True)
    assert json.loads(counted.stdout) == [{"n": LINES}]


def test_ctrl_c_ends_a_backfill(folder: Path) -> None:
    log = folder / "app.log"
    log.write_bytes(log.read_bytes() * 6)  # enough that it is not over when Ctrl-C comes
    with Terminal([*YAAT, "run", "--once"], columns=120, rows=20, cwd=folder) as terminal:
        terminal.wait_for("events read,")
        terminal.send("c-c")
        assert terminal.ended(seconds=120) in (130, -signal.SIGINT)  # a shell says 130 of both
        assert "Traceback" not in terminal.text


def test_scripts_see_nothing_of_it(folder: Path) -> None:
    (folder / "app.log").write_text("one\ntwo\n")
    done = subprocess.run(
        [*YAAT, "run", "--once"], cwd=folder, capture_output=True, text=True, timeout=120, check=True
    )
    assert "events read" not in done.stderr
    assert "\r" not in done.stderr
    export = [*YAAT, "queue", "export", "-o", "part.jsonl"]
    done = subprocess.run(export, cwd=folder, capture_output=True, text=True, timeout=120, check=True)
    assert "\r" not in done.stderr


def test_what_is_left_is_counted_from_the_instruments() -> None:
    stats = Stats()
    assert Backfill.of(stats).text() == "0 events read, 0 delivered"
    stats.counter("yaat_events_read_total", "", component="sources.a").add(10)
    stats.counter("yaat_events_delivered_total", "", component="sinks.a").add(8)
    stats.counter("yaat_events_delivered_total", "", component="sinks.b").add(5)
    stats.counter("yaat_file_read_bytes_total", "", component="sources.a").add(1_000)
    stats.gauge("yaat_file_lag_bytes", "", component="sources.a").set(3_000)
    now = Backfill.of(stats)
    assert (now.read, now.delivered, now.bytes_left) == (10, 5, 3_000)
    assert now.share() == (500, 4_000)


def test_a_step_of_which_nobody_knows_how_far_it_is_tells_what_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Screen(io.StringIO):
        def __init__(self) -> None:
            super().__init__()
            self.told = threading.Event()

        def isatty(self) -> bool:
            return True

        def write(self, text: str) -> int:
            if "gathering, 0 s" in text:
                self.told.set()
            return super().write(text)

    screen: Any = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr("yaat_core.cli.progress._SECOND", 0.001)
    with waiting(Door(), "gathering"):
        assert screen.told.wait(60)
    assert screen.getvalue().endswith("\r\x1b[K")
    before = screen.getvalue()
    with waiting(Door(as_json=True), "gathering"):
        pass
    assert screen.getvalue() == before


def test_a_line_never_wraps_and_a_fast_loop_draws_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen: Any = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "40")
    with Progress(Door(), "events") as progress:
        for number in range(10_000):
            progress.often(number, None)
        progress.share(1, 2, "x" * 100)
    drawn = screen.getvalue().split("\r")[1:]
    assert len(drawn) < 5_000
    assert max(len(one.removesuffix("\x1b[K")) for one in drawn) == 39
    assert drawn[-1] == "\x1b[K"
