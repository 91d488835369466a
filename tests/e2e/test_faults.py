"""Full disks and damaged records, with the whole agent."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import plyvel
import pytest
from support.agents import wait_until
from support.scenario import NEVER, Scenario
from support.small_disks import tmpfs


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A state directory on a file system of 64 MiB."""
    with tmpfs(tmp_path / "state", "size=64m") as folder:
        yield folder


@pytest.mark.faults
@pytest.mark.parametrize("spare", [0, 2 * 2**20, 2**23 + 2**16])
def test_a_full_disk_then_space_then_a_kill(tmp_path: Path, small_disk: Path, spare: int) -> None:
    """Others leave so many bytes, and the agent needs more: it says so, goes on when there is room, and is killed."""
    run = Scenario(tmp_path)
    run.write(500)
    ballast = small_disk / "ballast"
    with run.agent().start() as agent:
        agent.wait_for(500)
        free = os.statvfs(small_disk)
        with open(ballast, "wb") as file:
            file.write(bytes(free.f_bavail * free.f_bsize - spare))
        noise = random.Random(spare)
        for _ in range(100):
            run.write(200, noise.randbytes(60).hex())
        told = run.wait_for_problem("full", agent=agent)
        assert "free" in told["advice"] or "room" in told["advice"]
        ballast.unlink()
        run.write(500)
        wait_until(lambda: agent.try_count() > 5_000, seconds=90, what=agent.log()[-3000:])
        agent.kill()
    run.check_live()


def test_a_damaged_record_is_counted_and_the_rest_delivered(tmp_path: Path) -> None:
    run = Scenario(tmp_path, "type: never")
    run.plugin("never", NEVER)
    with run.agent().start() as agent:
        for count in (100, 200, 300):
            run.write(100)
            wait_until(lambda count=count: run.accepted() >= count, what=agent.log())  # type: ignore[misc]
        assert agent.terminate(seconds=60) == 0
    _damage_one_record(run.state / "queue")
    run.use("type: duckdb, from: oldest")
    with run.agent().start() as agent:
        wait_until(lambda: run.all_delivered(agent), seconds=60, what=agent.log())
        assert run.problems()
        assert agent.terminate() == 0
    assert 0 < run.check_losses() < 300
    assert list((run.state / "queue").rglob("quarantine*"))


def _damage_one_record(queue: Path) -> None:
    """Flip a byte in the middle of the largest value, as a bad disk would."""
    [store] = [path.parent for path in queue.rglob("CURRENT")]
    with plyvel.DB(str(store)) as db:
        key, value = max(db.iterator(), key=lambda pair: len(pair[1]))
        middle = len(value) // 2
        db.put(key, value[:middle] + bytes([value[middle] ^ 0xFF]) + value[middle + 1 :], sync=True)
