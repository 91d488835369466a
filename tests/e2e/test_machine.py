"""The machine goes wrong under a running agent: reads and writes fail, descriptors run out, the clock jumps."""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support.scenario import BUSY_DUCKDB, DUCKDB, Scenario
from support.small_disks import tmpfs
from support.strace import disturbed, needs_strace

pytestmark = pytest.mark.faults


def stores(state: Path) -> list[Path]:
    """What the stores write: also the next logs of the queue, which have numbers."""
    logs = [state / "queue" / "store" / f"{number:06d}.log" for number in range(30)]
    return [
        *logs,
        *state.glob("events.duckdb*"),
        *state.glob("events.duckdb.d/*"),
        state / "events.duckdb.wal",
    ]


@needs_strace
@pytest.mark.parametrize(
    ("calls", "error"), [("fsync,fdatasync", "EIO"), ("write,pwrite64", "EIO"), ("write,pwrite64", "EROFS")]
)
def test_the_disk_fails_for_a_while(tmp_path: Path, calls: str, error: str) -> None:
    """It says so, keeps what it has, and goes on by itself when the disk works again; then a kill."""
    run = Scenario(tmp_path, BUSY_DUCKDB)
    run.write(200)
    with run.agent().start() as agent:
        agent.wait_for(200)
        assert agent.process is not None
        fault = (f"trace={calls}", f"inject={calls}:error={error}")
        with disturbed(agent.process.pid, *fault, paths=stores(run.state)):
            run.write(300)
            run.wait_for_problem(os.strerror(getattr(errno, error)), "fsync failed", agent=agent)
        run.write(100)
        agent.wait_for(600)
        run.wait_until_well(agent)
        agent.kill()
    run.check_live()


def test_descriptors_run_out(tmp_path: Path) -> None:
    """Many files appear while there is not one descriptor to spare; files, stores and clients all want some.

    It may go on with those that it has, or say so and wait; it lives, and has everything in the end.
    """
    run = Scenario(tmp_path)
    run.write(100)
    with run.agent().start() as agent:
        agent.wait_for(100)
        assert agent.process is not None
        process = psutil.Process(agent.process.pid)
        before = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (process.num_fds(), before[1]))
        for number in range(40):
            lines = [f"file {number} line {line}" for line in range(10)]
            (run.logs / f"{number}.log").write_text("".join(f"{line}\n" for line in lines))
            run.written += lines
        run.write(100)
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(run.state / "read.sock"))
            time.sleep(8)  # long enough for each room to want a descriptor
        assert agent.running()
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, before)
        agent.wait_for(len(run.written))
        run.wait_until_well(agent)
        assert agent.terminate() == 0
    run.check()
    assert agent.log().count("Too many open files") < 20, "the log repeats itself"


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder on a file system that is mounted to be read only."""
    with tmpfs(tmp_path / "read-only", "size=1m,ro") as folder:
        yield folder


def test_a_state_directory_that_is_read_only(tmp_path: Path, read_only: Path) -> None:
    """It does not start, and says which folder and why."""
    run = Scenario(tmp_path)
    run.write(10)
    run.state.symlink_to(read_only)
    done = run.once()
    assert done.returncode == 1
    assert "ead-only file system" in done.stderr
    assert "fix:" in done.stderr
    assert "Traceback" not in done.stderr
    run.state.unlink()
    run.settle()


@pytest.fixture
def faketime(tmp_path: Path) -> tuple[dict[str, str], Path]:
    """Environment of a process whose clock is set by what is in a file, such as ``-2h``."""
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
    if not libraries:
        pytest.skip("faketime is not installed")
    file = tmp_path / "clock"
    file.write_text("+0")
    environ = {
        "LD_PRELOAD": str(libraries[0]),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    return environ, file


def test_the_clock_is_set(tmp_path: Path, faketime: tuple[dict[str, str], Path]) -> None:
    """Set back and far forward: every line is kept, none is old all of a sudden, and the jump is told."""
    environ, clock = faketime
    run = Scenario(tmp_path, f"{DUCKDB}, checkpoint_interval: 1s")
    run.write(100)
    with run.agent(**environ).start() as agent:
        agent.wait_for(100)
        for setting in ("-2h", "+40d", "+0"):
            clock.write_text(setting)
            run.write(100)
            agent.wait_for(len(run.written))
            run.wait_until_settled()
            if setting == "+40d":
                run.wait_for_problem("clock was set", agent=agent)
        agent.kill()
    run.check_live()


@pytest.mark.parametrize("start", ["-20y", "+3y"])
def test_the_clock_is_wrong_before_the_start(
    tmp_path: Path, faketime: tuple[dict[str, str], Path], start: str
) -> None:
    """A machine without a clock of its own: set right while the agent runs, nothing is old for that."""
    environ, clock = faketime
    run = Scenario(tmp_path, f"{DUCKDB}, checkpoint_interval: 1s")
    clock.write_text(start)
    run.write(100)
    with run.agent(**environ).start() as agent:
        agent.wait_for(100)
        clock.write_text("+0")
        run.write(100)
        agent.wait_for(200)
        run.wait_until_settled()
        assert agent.terminate() == 0
    run.check()
