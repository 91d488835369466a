"""Any file of the state directory is cut, flipped or gone: the agent starts, says so, counts what is lost, and goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.agents import wait_until
from support.scenario import BUSY_DUCKDB, Scenario

from yaat_core.faults import VARIABLE


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def head_flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[0] ^= 0xFF
    path.write_bytes(data)


def gone(path: Path) -> None:
    path.unlink()


#: What may be damaged, and how.
CASES = {
    "agent.json": (cut, gone),
    "lock": (flipped,),
    "queue/initialised": (flipped, gone),
    "queue/store/CURRENT": (empty, gone),
    "queue/store/MANIFEST-*": (cut, flipped),
    "queue/store/*.ldb": (flipped, gone),
    "queue/store/*.log": (cut, flipped),
    "events.duckdb": (cut, head_flipped, gone),
    "events.duckdb.wal": (cut, flipped, gone),
}
#: Not told as a problem, since nothing is missing in the end and nobody can know that it was damage; what the log says
#: instead. A log that ends early is what every power cut leaves, LevelDB's and DuckDB's alike, and DuckDB removes its
#: log at each clean end: that one store is behind the other is seen, and said. What the lock file holds is for people's
#: eyes: the kernel knows who has the lock, and each start writes it anew.
QUIET = {
    ("lock", flipped): "",
    ("queue/store/*.log", cut): "going on behind both",
    ("events.duckdb.wal", cut): "has only what is up to 200: delivering the rest again",
    ("events.duckdb.wal", gone): "has only what is up to 200: delivering the rest again",
}
FEW = {("agent.json", gone), ("queue/store/*.log", flipped)}


def cases(*, few: bool) -> list[Any]:
    found = [(file, damage) for file, damages in CASES.items() for damage in damages]
    return [
        pytest.param(file, damage, id=f"{file}-{damage.__name__}")
        for file, damage in found
        if ((file, damage) in FEW) == few
    ]


@pytest.fixture(scope="module")
def died(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """200 lines are in the database's file, and the queue has forgotten them; 100 are in DuckDB's log and in the queue."""
    scenario = Scenario(tmp_path_factory.mktemp("died"), BUSY_DUCKDB)
    scenario.write(200)
    with scenario.agent().start() as agent:
        agent.wait_for(200)
        scenario.wait_until_settled()
        assert agent.terminate() == 0
    scenario.use("type: duckdb, checkpoint_interval: 1h")
    scenario.write(100)
    agent = scenario.agent(**{VARIABLE: "duckdb.checkpoint.before:kill@1"}).start("--once")
    assert agent.process is not None
    assert agent.process.wait(60) == -signal.SIGKILL
    assert (scenario.state / "events.duckdb.wal").stat().st_size
    scenario.write(20)
    return scenario


def check(died: Scenario, folder: Path, file: str, damage: Callable[[Path], None]) -> None:
    run = died.twin(folder, died.state)
    damaged = max(run.state.glob(file), key=lambda path: path.stat().st_size)
    damage(damaged)
    with run.agent().start() as agent:
        wait_until(lambda: run.all_delivered(agent), what=agent.log()[-3000:])
        told = run.problems()
        assert agent.terminate() == 0
    lost = run.check_losses(told=agent.log()[-3000:])
    assert lost == (200 if file == "events.duckdb" else 0)
    if (file, damage) in QUIET:
        assert not told, "it is known after all: then it belongs to the others"
        assert QUIET[file, damage] in agent.log()
    else:
        assert told, agent.log()[-3000:]


@pytest.mark.parametrize(("file", "damage"), cases(few=True))
def test_a_damaged_file(died: Scenario, tmp_path: Path, file: str, damage: Callable[[Path], None]) -> None:
    check(died, tmp_path, file, damage)


@pytest.mark.faults
@pytest.mark.parametrize(("file", "damage"), cases(few=False))
def test_any_damaged_file(died: Scenario, tmp_path: Path, file: str, damage: Callable[[Path], None]) -> None:
    check(died, tmp_path, file, damage)
