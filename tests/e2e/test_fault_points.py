"""SIGKILL at named points of the pipeline, then a start without the fault: every line once, the accounting balances."""

from __future__ import annotations

import json
import random
import signal
from pathlib import Path

import pytest
from support.agents import wait_until, yaat
from support.scenario import BUSY_DUCKDB, Scenario

from yaat_core.faults import POINTS, VARIABLE

#: Answers that the first event of each delivery is dead, and writes the others down.
PICKY = '''
import json, os
from yaat_core import Partial, Register, Sink, configuration, hookimpl, option

@configuration
class PickyConfig:
    """Writes messages into a file, and refuses some."""
    path: str = option("picked.json", help="Where to.")

class PickySink(Sink):
    def __init__(self, config, context):
        self.path = context.path(config.path)

    async def deliver(self, batch, position):
        texts = batch.column("message").to_pylist()
        with open(self.path, "a") as file:
            file.writelines(json.dumps(text) + "\\n" for text in texts[1:])
            file.flush()
            os.fsync(file.fileno())
        return Partial([(0, "the first one")])

@hookimpl
def register_components(register: Register) -> None:
    register.sink("picky", PickyConfig, PickySink)
'''

#: Points that this scenario reaches; the others have tests of their own.
PIPELINE = [
    point
    for point in POINTS
    if not point.startswith(
        ("queue.compact", "deadletter", "replay", "reload", "duckdb.rotate", "duckdb.retire")
    )
]


def die_at(scenario: Scenario, point: str, time: int) -> None:
    """Run until the point is reached for the ``time``-th time, writing meanwhile."""
    agent = scenario.agent(**{VARIABLE: f"{point}:kill@{time}"})
    with agent.start():

        def dead() -> bool:
            if agent.running():
                scenario.write(20)
            return not agent.running()

        wait_until(dead, what=f"{point} is not reached\n{agent.log()[-2000:]}")
        assert agent.process is not None
        assert agent.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("point", ["queue.append.after", "duckdb.commit.after"])
def test_killed_at_a_named_point(tmp_path: Path, point: str) -> None:
    scenario = Scenario(tmp_path, BUSY_DUCKDB)
    scenario.write(500)
    die_at(scenario, point, 2)
    scenario.check_live()


@pytest.mark.faults
@pytest.mark.parametrize("point", PIPELINE)
def test_killed_at_every_named_point(tmp_path: Path, point: str) -> None:
    """The first time, soon, and in the recovery from that."""
    scenario = Scenario(tmp_path, BUSY_DUCKDB)
    scenario.write(500)
    for time in (1, 3, 1):
        die_at(scenario, point, time)
    scenario.check_live()


@pytest.mark.faults
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_around_a_compaction(tmp_path: Path, when: str) -> None:
    """So much has gone through the queue that it gives disk space back; the lines can't be compressed."""
    scenario = Scenario(tmp_path, f"{BUSY_DUCKDB}, memory_limit: 1GiB")
    noise = random.Random(1)
    for _ in range(150):
        scenario.write(1, noise.randbytes(300_000).hex())
    die_at(scenario, f"queue.compact.{when}", 1)
    scenario.check_live()


@pytest.mark.faults
@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_around_the_move_of_a_dead_letter(tmp_path: Path, when: str) -> None:
    """This sink knows no position: what it had may come again, what it refused is in one file and counted once."""
    scenario = Scenario(tmp_path, "type: picky")
    scenario.plugin("picky", PICKY)
    scenario.write(200)
    die_at(scenario, f"deadletter.move.{when}", 2)
    done = scenario.once()
    assert done.returncode in (0, 5), done.stderr
    picked = {json.loads(line) for line in (tmp_path / "state" / "picked.json").read_text().splitlines()}
    dead = [
        json.loads(line)["event"]["message"]
        for file in sorted((tmp_path / "state").glob("dead*/sinks.local/*"))
        for line in file.read_text().splitlines()[1:]
    ]
    assert len(dead) == len(set(dead)), "an event is in two dead letters"
    assert not picked & set(dead)
    assert picked | set(dead) == set(scenario.written)


def test_a_plan_that_is_none_is_refused(tmp_path: Path) -> None:
    scenario = Scenario(tmp_path, BUSY_DUCKDB)
    for text in ("queue.append:kill@1", "source.read:stop@1", "source.read:kill@0", "source.read"):
        done = yaat("run", "--once", "-c", str(scenario.config), **{VARIABLE: text})
        assert done.returncode == 2
        assert "queue.append.after" in done.stderr
        assert text in done.stderr
