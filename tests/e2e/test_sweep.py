"""SIGKILL at every write, sync, rename and unlink of a small scenario, from the first start on; and again while the
agent recovers from a SIGKILL.

A sample of the calls in each suite; `SWEEP=all` (or a number) takes more: `make soak SWEEP=all`.
"""

from __future__ import annotations

import os
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.scenario import BUSY_DUCKDB, Scenario
from support.strace import Point, counting, needs_strace, points

from yaat_core.faults import VARIABLE

pytestmark = [needs_strace, pytest.mark.timeout(7200 if os.environ.get("SWEEP") else 300)]


def made(base: Scenario, folder: Path, state: Path | None = None) -> list[Point]:
    """The calls of a run without faults, from nothing or from a copy of ``state``."""
    run = base.twin(folder, state)
    agent = run.agent(*counting(folder / "calls")).start("--once")
    assert agent.process is not None
    assert agent.process.wait(120) == 0, agent.log()
    run.check()
    return points(folder / "calls", run.state)


def chosen(every: list[Point], count: int) -> list[Point]:
    """Some of them, at even distances; all of them with ``SWEEP=all``."""
    wanted = os.environ.get("SWEEP") or str(count)
    number = len(every) if wanted == "all" else min(int(wanted), len(every))
    return [every[(2 * index + 1) * len(every) // (2 * number)] for index in range(number)]


def sweep(base: Scenario, folder: Path, every: list[Point], state: Path | None = None) -> None:
    """Killed at each of these calls, then a run without faults: every line is there, once."""

    def killed(number: int, point: Point) -> bool:
        run = base.twin(folder / f"{number}", state)
        agent = run.agent(*point.killing(run.state)).start("--once")
        assert agent.process is not None
        code = agent.process.wait(120)
        assert code in (0, -signal.SIGKILL), agent.log()
        run.settle(told=f"killed at {point}")
        shutil.rmtree(run.folder)
        return code != 0

    with ThreadPoolExecutor(2) as pool:
        deaths = sum(pool.map(killed, range(len(every)), every))
    assert deaths >= 0.7 * len(every), f"only {deaths} of {len(every)} calls came again"


def left_by_a_kill(base: Scenario, folder: Path) -> Path:
    """The state of an agent that died with rows in DuckDB's log and in the queue, half of the lines unread."""
    run = base.twin(folder)
    agent = run.agent(**{VARIABLE: "duckdb.checkpoint.before:kill@1"}).start("--once")
    assert agent.process is not None
    assert agent.process.wait(120) == -signal.SIGKILL
    return run.state


def test_killed_at_some_calls_of_the_first_start(tmp_path: Path) -> None:
    base = Scenario(tmp_path / "base", BUSY_DUCKDB)
    base.write(200)
    sweep(base, tmp_path, chosen(made(base, tmp_path / "made"), 3))


@pytest.mark.faults
def test_killed_at_the_calls_of_the_first_start(tmp_path: Path) -> None:
    base = Scenario(tmp_path / "base", BUSY_DUCKDB)
    base.write(200)
    every = made(base, tmp_path / "made")
    assert {"write", "fsync", "fdatasync", "rename", "unlink"} <= {point.call for point in every}
    sweep(base, tmp_path, chosen(every, 12))


@pytest.mark.faults
def test_killed_again_at_the_calls_of_the_recovery(tmp_path: Path) -> None:
    base = Scenario(tmp_path / "base", BUSY_DUCKDB)
    base.write(200)
    state = left_by_a_kill(base, tmp_path / "left")
    base.write(100)
    every = made(base, tmp_path / "made", state)
    assert {"write", "fdatasync", "rename", "unlink"} <= {point.call for point in every}
    sweep(base, tmp_path, chosen(every, 10), state)
