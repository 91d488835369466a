"""`kill -9` at random moments: in a transaction, in a CHECKPOINT, at the start. Every event once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from yaat_core.faults import POINTS, VARIABLE
from yaat_core.testing import make_context

QUICK = ("duckdb.retire.renamed",)
CHILD = Path(__file__).with_name("deliverer.py")


def run_and_kill(folder: Path, seconds: float, *more: str) -> tuple[int, int]:
    """(last delivery that it told of, what it said was settled then)."""
    with subprocess.Popen(
        [sys.executable, CHILD, folder, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        first = child.stdout.readline()
        assert first.startswith("start "), child.stderr.read()
        time.sleep(seconds)
        child.kill()
        lines = [
            line.split() for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")
        ]
        errors = child.stderr.read()
    assert "Error" not in errors, errors
    if not lines:
        return int(first.split()[1]), 0
    return int(lines[-1][1]), int(lines[-1][2])


@pytest.mark.parametrize("kills", [2, pytest.param(40, marks=pytest.mark.faults)])
def test_killed_again_and_again(tmp_path: Path, kills: int) -> None:
    rng = random.Random(kills)
    path = make_context(tmp_path, "sinks.local").path("events.duckdb")
    for _ in range(kills):
        told, settled = run_and_kill(tmp_path, rng.expovariate(4))
        with duckdb.connect(str(path), read_only=True) as connection:
            ((rows, distinct, low, high),) = connection.execute(
                "SELECT count(*), count(DISTINCT event_id), min(sequence), max(sequence) FROM yaat_events"
            ).fetchall()
            ((position,),) = connection.execute("SELECT sequence FROM yaat_position").fetchall()
        if not rows:
            continue
        assert (low, high, rows, distinct) == (1, position, position, position)
        assert position >= told, "what was delivered is gone"
        assert settled <= told


@pytest.mark.faults
def test_without_its_log_it_still_has_what_it_settled(tmp_path: Path) -> None:
    """The queue deletes what is settled: losing DuckDB's log must never lose that."""
    rng = random.Random(5)
    path = make_context(tmp_path, "sinks.local").path("events.duckdb")
    for _ in range(10):
        _, settled = run_and_kill(tmp_path, 0.3 + rng.random())
        path.with_name(path.name + ".wal").unlink(missing_ok=True)
        with duckdb.connect(str(path), read_only=True) as connection:
            ((rows, high),) = connection.execute("SELECT count(*), max(sequence) FROM yaat_events").fetchall()
        assert rows == high
        assert high >= settled


def check(bench: Any, told: int) -> None:
    """What is left is whole and the newest, each event of it once, and nothing is wrong."""
    bench.open(retention=None)
    assert bench.writer.problems() == (), bench.writer.problems()
    position = bench.writer.position().sequence
    assert position >= told, "what was delivered is gone"
    bench.writer.holder.close()
    kept = sorted(sequence for file in bench.files() for sequence in bench.stored(file))
    assert kept == list(range(position - len(kept) + 1, position + 1))
    assert not list(bench.folder.rglob("*.dropped"))


@pytest.mark.parametrize("kills", [1, pytest.param(12, marks=pytest.mark.faults)])
def test_killed_while_files_begin_and_go(tmp_path: Path, kills: int, make_bench: Any) -> None:
    """Every eighth of a second a new file, and one that goes."""
    rng = random.Random(kills)
    bench = make_bench(tmp_path)
    begun = turn = 0
    while turn < kills or begun < 2:
        turn += 1
        assert turn < kills + 50, "there never was a second file"
        told, _ = run_and_kill(tmp_path, 0.3 + rng.expovariate(3), "1.0")
        begun = max(begun, len(bench.files()))
        check(bench, told)


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(point, marks=() if point in QUICK else pytest.mark.faults)
        for point in POINTS
        if point.startswith(("duckdb.rotate", "duckdb.retire"))
    ],
)
@pytest.mark.parametrize("turn", [1, pytest.param(3, marks=pytest.mark.faults)])
def test_killed_at_a_named_point(tmp_path: Path, point: str, turn: int, make_bench: Any) -> None:
    """Of the beginning of a file, and of its end."""
    command = [sys.executable, str(CHILD), str(tmp_path), "1.0"]
    environment = {**os.environ, VARIABLE: f"{point}:kill@{turn}"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    lines = [
        line.split()
        for line in ran.stdout.splitlines(keepends=True)
        if line.startswith("done") and line.endswith("\n")
    ]
    bench = make_bench(tmp_path)
    check(bench, int(lines[-1][1]) if lines else 0)
    told, _ = run_and_kill(tmp_path, 0.5, "1.0")
    check(bench, told)
