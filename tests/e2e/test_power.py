"""The power is cut: what was not synced is gone, for the queue and for the database. Every line is there once.

One run is written down by strace; from that the disk is made as it was after each call that changed it (see
`support/power.py`), and an agent is started on it. `SWEEP=all` (or a number) takes more moments.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from support.power import Disk, Leaves, cuts, recording, same
from support.scenario import Scenario
from support.strace import needs_strace

from yaat_core.faults import VARIABLE

pytestmark = [needs_strace, pytest.mark.timeout(7200 if os.environ.get("SWEEP") else 300)]

SINK = "type: duckdb, checkpoint_interval: 300ms"


class Recording:
    """A run that strace wrote down: lines come in waves, and the agent ends by SIGTERM."""

    def __init__(
        self, run: Scenario, waves: Sequence[int], before: Path | None = None, *, settled: bool = False
    ) -> None:
        """``settled``: the queue has forgotten each wave before the next one comes."""
        self.run, self.before = run, before
        self.log = run.folder / "calls"
        with run.agent(*recording(self.log)).start() as agent:
            for count in waves:
                run.write(count)
                agent.wait_for(len(run.written))
                if settled:
                    run.wait_until_settled()
            assert agent.terminate() == 0
        *_, (self.length, disk) = cuts(self.log, run.state, before)
        assert same(disk, run.state, ["lock"]), "the model of the disk is not what was on the disk"

    def moments(self, count: int) -> list[int]:
        """Numbers of calls, at even distances; every one with ``SWEEP=all``."""
        wanted = os.environ.get("SWEEP") or str(count)
        number = self.length if wanted == "all" else min(int(wanted), self.length)
        return [1 + (2 * index + 1) * self.length // (2 * number) for index in range(number)]

    def disks(self, moments: Sequence[int]) -> dict[int, Path]:
        """For each moment the two disks that a cut could have left, in a folder of its own."""
        found = {}
        for number, disk in cuts(self.log, self.run.state, self.before):
            if number in moments:
                found[number] = self.run.folder / f"cut-{number}"
                _images(disk, found[number], number)
        return found

    def check(self, moments: Sequence[int]) -> None:
        """After a cut at each of these moments every line is stored once."""

        def recovers(number: int, image: Path) -> None:
            twin = self.run.twin(Path(tempfile.mkdtemp(prefix="yaat-")), image)  # short: a socket lies in it
            twin.settle(told=f"cut after call {number} of {self.length}; what was not synced: {image.name}")
            shutil.rmtree(twin.folder)

        with ThreadPoolExecutor(2) as pool:
            for number, folder in self.disks(moments).items():
                list(pool.map(recovers, [number, number], sorted(folder.iterdir())))
                shutil.rmtree(folder)


def _images(disk: Disk, into: Path, seed: int) -> None:
    into.mkdir()
    for leaves in Leaves:
        disk.image(into / leaves.name.lower(), leaves, seed)


def test_power_is_cut_at_some_moments(tmp_path: Path) -> None:
    recorded = Recording(Scenario(tmp_path, SINK), [50, 200])
    recorded.check(recorded.moments(2))


@pytest.mark.faults
def test_power_is_cut_at_any_moment(tmp_path: Path) -> None:
    recorded = Recording(Scenario(tmp_path, SINK), [1, 100, 300, 50])
    recorded.check(recorded.moments(7))


@pytest.mark.faults
def test_power_is_cut_in_the_recovery_from_a_kill(tmp_path: Path) -> None:
    run = Scenario(tmp_path, SINK)
    run.write(200)
    first = run.agent(**{VARIABLE: "duckdb.checkpoint.before:kill@1"}).start()
    assert first.process is not None
    first.process.wait(60)
    before = tmp_path / "before"
    shutil.copytree(run.state, before, ignore=shutil.ignore_patterns("*.sock"))
    recorded = Recording(run, [100, 50], before)
    recorded.check(recorded.moments(4))


@pytest.mark.faults
@pytest.mark.parametrize("behind", ["queue", "database"])
def test_one_store_is_older_than_the_other(tmp_path: Path, behind: str) -> None:
    """A drive that lied about a sync, or a backup of one of them: nothing is stored twice, what can't be had is `lost`.

    The database has the positions of the files as well, so that an older queue costs nothing. An older database
    costs what the queue has forgotten since.
    """
    recorded = Recording(Scenario(tmp_path, SINK), [100, 150, 50], settled=True)
    old, new = recorded.length // 2, recorded.length
    disks = recorded.disks([old, new])
    older, newer = disks[old] / "nothing", disks[new] / "nothing"
    mixed = tmp_path / "mixed"
    shutil.copytree(newer, mixed)
    if behind == "queue":
        shutil.rmtree(mixed / "queue")
        shutil.copytree(older / "queue", mixed / "queue")
    else:
        for file in mixed.glob("events.duckdb*"):
            file.unlink()
        for file in older.glob("events.duckdb*"):
            shutil.copy(file, mixed)
    twin = recorded.run.twin(tmp_path / "twin", mixed)
    twin.write(20)
    assert twin.once().returncode == 0
    lost = twin.check_losses()
    assert (lost == 0) == (behind == "queue")
