"""SIGKILL around the COMMIT beside rows that DuckDB refuses: each is in one dead letter, and counted as dead."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from time import sleep

import pytest
from support.agents import wait_until
from support.refusing import refuse_bad
from support.scenario import BUSY_DUCKDB, Scenario, compare

from yaat_core.faults import VARIABLE

POINTS = [
    "duckdb.commit.before",
    "duckdb.commit.after",
    "duckdb.checkpoint.after",
    "deadletter.move.before",
    "deadletter.move.after",
]


def write(scenario: Scenario) -> None:
    """Lines of which each delivery has some that are refused."""
    scenario.write(9)
    scenario.write(1, "bad")


def die_at(scenario: Scenario, point: str, time: int) -> None:
    agent = scenario.agent(**{VARIABLE: f"{point}:kill@{time}"})
    with agent.start():

        def dead() -> bool:
            if agent.running():
                write(scenario)
                sleep(
                    0.2
                )  # as much as is refused is looked for by halves: a flood would be in the way of what is waited for
            return not agent.running()

        wait_until(dead, seconds=120, what=f"{point} is not reached\n{agent.log()[-2000:]}")
        assert agent.process is not None
        assert agent.process.returncode == -signal.SIGKILL, agent.log()[-2000:]


def check(scenario: Scenario) -> None:
    """Every line is stored, or, when it is bad, in one letter; and that is what the sums say."""
    done = scenario.once()
    assert done.returncode in (0, 5), done.stderr
    letters = [
        json.loads(line)
        for file in sorted(scenario.state.glob("dead*/sinks.local/*.jsonl"))
        for line in file.read_text().splitlines()[1:]
    ]
    dead = [row["event"]["message"] for row in letters]
    compare(dead, [line for line in scenario.written if "bad" in line], told=done.stderr[-2000:])
    assert all("duplicate key" in row["reason"].lower() for row in letters)
    stored = [message for message, _ in scenario.stored()]
    compare(stored, [line for line in scenario.written if "bad" not in line], told=done.stderr[-2000:])
    accounting = scenario.accounting()
    assert accounting["balanced"], accounting
    account = accounting["by_sink"]["local"]
    fates = [account[fate] for fate in ("delivered", "dead", "queued", "dropped", "lost")]
    assert fates == [len(stored), len(dead), 0, 0, 0], account


@pytest.mark.parametrize(
    "point",
    [pytest.param(point, marks=() if point == POINTS[1] else pytest.mark.faults) for point in POINTS],
)
def test_killed_beside_rows_that_are_refused(tmp_path: Path, point: str) -> None:
    """The first time, in the recovery from that, and later."""
    scenario = Scenario(tmp_path, BUSY_DUCKDB)
    refuse_bad(scenario)
    write(scenario)
    for time in (1, 1, 3):
        die_at(scenario, point, time)
    check(scenario)
