"""A child process appends and is killed, or its system calls fail; the oracle has what it acknowledged."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from yaat_core.errors import StoreUnavailable

MiB = 2**20

pytestmark = pytest.mark.faults

CALLS = ("write", "pwrite64", "fsync", "fdatasync", "rename", "unlink")

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def lines_of(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    yield from (line.rstrip("\n") for line in process.stdout)


def acknowledged(lines: list[str]) -> int:
    """How many events the child was told are safe (`open` and `ack` carry the number)."""
    numbers = [int(line.split()[1]) for line in lines if line.startswith(("ack", "open"))]
    return max(numbers, default=0)


def check(rig: Any, at_least: int) -> int:
    """Everything acknowledged is there exactly once; more only if a whole write landed unheard."""
    assert list(rig.open()) == []
    found = rig.numbers()
    assert found == list(range(len(found)))
    assert at_least <= len(found)
    rig.accepted = len(found)
    if found:
        rig.holds_all()
    rig.queue.close()
    return len(found)


def test_killed_at_random(
    make_rig: Callable[..., Any], start_appender: Callable[..., Any], tmp_path: Path
) -> None:
    rig = make_rig(tmp_path)
    done = 0
    for _ in range(12):
        process = start_appender(tmp_path, "--payload", "2000")
        patience = random.expovariate(1 / 60)
        seen = []
        for line in lines_of(process):
            seen.append(line)
            if line.startswith("ack"):
                patience -= 1
                if patience <= 0:
                    process.kill()
        assert not [line for line in seen if line.startswith(("full", "damage"))]
        done = check(rig, max(done, acknowledged(seen)))
    assert done > 500


@needs_strace
def test_killed_at_each_call_that_changes_the_disk(
    make_rig: Callable[..., Any], start_appender: Callable[..., Any], tmp_path: Path
) -> None:
    """From the first file on, creation included: a kill at every second write, sync, rename and unlink."""
    counted = tmp_path / "calls"
    trace = ["strace", "-f", "-qq", "-e", f"trace={','.join(CALLS)}", "-o", str(counted)]
    (tmp_path / "count").mkdir()
    list(lines_of(start_appender(tmp_path / "count", "--writes", "4", before=trace)))
    made = Counter(re.findall(r"^\d+ +(\w+)\(", counted.read_text(), re.MULTILINE))
    points = [(call, number) for call in CALLS for number in range(1, made[call] + 1, 2)]
    killed = 0
    for call, number in points:
        folder = tmp_path / f"{call}-{number}"
        rig = make_rig(folder)
        inject = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"inject={call}:signal=KILL:when={number}"]
        folder.mkdir()
        process = start_appender(folder, "--writes", "4", before=inject)
        seen = list(lines_of(process))
        killed += process.wait() == -signal.SIGKILL
        (folder / "state").mkdir(exist_ok=True)
        check(rig, acknowledged(seen))
    assert killed > 20
    assert killed >= 0.8 * len(points)


@needs_strace
def test_killed_while_it_repairs(
    make_rig: Callable[..., Any], start_appender: Callable[..., Any], tmp_path: Path
) -> None:
    """Finding A5: wherever the repair stops, the next one gives the same, and damage is told."""
    damaged = make_rig(tmp_path / "damaged")
    (tmp_path / "damaged").mkdir()
    damaged.open()
    for _ in range(6):
        damaged.append(10, 200)
    damaged.settled()
    damaged.open()
    for _ in range(6):
        damaged.append(10, 200)
    damaged.queue.close()
    (log,) = damaged.files(".log")
    with open(log, "r+b") as handle:
        handle.seek(log.stat().st_size // 2 + 1_000)
        handle.write(b"\0\1\2\3")
    whole = damaged.image("../whole")
    assert whole.open()
    kept = whole.numbers()
    assert set(range(60)) <= set(kept) < set(range(120))
    killed = 0
    points = [("rename", 2), ("unlink", 1), ("write", 2), ("fdatasync", 1), ("link", 1), ("fsync", 1)]
    for call, step in points:
        for number in range(1, 12 * step, step):
            rig = damaged.image(f"../{call}-{number}")
            inject = [
                "strace",
                "-f",
                "-qq",
                "-o",
                os.devnull,
                "-e",
                f"inject={call}:signal=KILL:when={number}",
            ]
            process = start_appender(rig.folder, "--writes", "0", before=inject)
            list(lines_of(process))
            if process.wait() != -signal.SIGKILL:
                break
            killed += 1
            assert rig.open(), (call, number)
            assert rig.numbers() == kept, (call, number)
            assert rig.queue.state().tail == whole.queue.state().tail
            rig.queue.close()
    whole.queue.close()
    assert killed > 20


@needs_strace
def test_every_append_is_synced(start_appender: Callable[..., Any], tmp_path: Path) -> None:
    counted = tmp_path / "calls"
    trace = ["strace", "-f", "-qq", "-e", "trace=write,fdatasync", "-y", "-o", str(counted)]
    list(lines_of(start_appender(tmp_path, "--writes", "15", before=trace)))
    log = "unsynced"
    acknowledged = 0
    for call in counted.read_text().splitlines():
        if "write(" in call and ".log>" in call:
            log = "unsynced"
        elif "fdatasync(" in call and ".log>" in call:
            log = "synced"
        elif "write(" in call and '"ack' in call:
            acknowledged += 1
            assert log == "synced"
            log = "used"
    assert acknowledged == 15


@needs_strace
@pytest.mark.parametrize("call", ["fdatasync", "write"])
@pytest.mark.parametrize("when", ["12", "12..14", "20+7"])
def test_system_calls_that_fail(
    make_rig: Callable[..., Any], start_appender: Callable[..., Any], tmp_path: Path, call: str, when: str
) -> None:
    """Finding B3: after a failed sync nobody knows; the store says whether the write is in."""
    rig = make_rig(tmp_path)
    inject = ["strace", "-f", "-qq", "-o", os.devnull, "-e", f"inject={call}:error=EIO:when={when}"]
    if call == "write":  # only those of LevelDB's log, whatever number it has
        inject += [part for number in range(100) for part in ("-P", str(rig.store / f"{number:06d}.log"))]
    process = start_appender(tmp_path, "--writes", "40", before=inject)
    seen = list(lines_of(process))
    assert process.wait() == 0
    assert "full" in seen
    assert acknowledged(seen) == 400
    assert check(rig, 400) == 400


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("spare", [0, 30_000, 300_000, 1_000_000])
def test_a_full_disk(
    make_rig: Callable[..., Any], start_appender: Callable[..., Any], small_disk: Path, spare: int
) -> None:
    """Finding 0.1: the disk fills up, space comes back, more is appended, then a kill: nothing is lost."""
    rig = make_rig(small_disk)
    buffer = ["--buffer", str(256 * 1024), "--payload", "3000"]
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(3 * MiB))
    process = start_appender(small_disk, *buffer)
    seen: list[str] = []
    fulls = after = 0
    for line in lines_of(process):
        seen.append(line)
        if line == "full":
            fulls += 1
            if fulls == 1:
                fill(small_disk / "more", spare)
            if fulls == 5:
                ballast.unlink()
                (small_disk / "more").unlink()
        elif fulls >= 5 and line.startswith("ack"):
            after += 1
            if after == 20:
                process.kill()
    assert fulls >= 5
    assert after >= 20
    check(rig, acknowledged(seen))


@pytest.mark.parametrize("level", [50_000, 200_000, 500_000])
def test_a_disk_that_others_fill(
    make_rig: Callable[..., Any], start_appender: Callable[..., Any], small_disk: Path, level: int
) -> None:
    """Space goes in the middle of a write, whatever was checked before it, and comes back."""
    rig = make_rig(small_disk, reserve=0)
    process = start_appender(
        small_disk, "--buffer", str(64 * 1024), "--payload", "3000", "--rows", "40", "--reserve", "0"
    )
    seen: list[str] = []
    acks = 0
    for line in lines_of(process):
        seen.append(line)
        acks += line.startswith("ack")
        if acks % 10 == 5:
            fill(small_disk / "other", level)
        if acks % 10 == 8 or line == "full":
            (small_disk / "other").unlink(missing_ok=True)
        if acks == 35:
            process.kill()
    (small_disk / "other").unlink(missing_ok=True)
    assert "full" in seen
    check(rig, acknowledged(seen))


@pytest.mark.parametrize("reserve", [2 * MiB, 0])
def test_the_reserve_makes_room_for_reopening(
    make_rig: Callable[..., Any], small_disk: Path, reserve: int
) -> None:
    rig = make_rig(small_disk, reserve=reserve, write_buffer=512 * 1024)
    rig.open()
    for _ in range(20):
        rig.append(10, 1_000)
    rig.queue.close()
    fill(small_disk / "other", 0)
    if not reserve:
        with pytest.raises(StoreUnavailable, match="No space left"):
            rig.open()
        return
    assert list(rig.open()) == []
    assert not (rig.home / "reserve").exists()
    assert rig.numbers() == list(range(rig.accepted))
    rig.queue.delete_upto(50)
    with pytest.raises(StoreUnavailable, match="full"):
        rig.append(1)
    with pytest.raises(StoreUnavailable, match="full"):
        rig.queue.recover()
    rig.queue.delete_upto(100)
    (small_disk / "other").unlink()
    assert rig.queue.recover() is None
    rig.append(1)
    assert rig.numbers() == list(range(100, rig.accepted))
    assert (rig.home / "reserve").exists()
    rig.queue.close()


def test_deleting_goes_on_when_others_take_the_last_byte(
    make_rig: Callable[..., Any], small_disk: Path
) -> None:
    rig = make_rig(small_disk, reserve=2 * MiB, write_buffer=512 * 1024)
    rig.open()
    for _ in range(20):
        rig.append(10, 1_000)
    fill(small_disk / "other", 0)
    with pytest.raises(StoreUnavailable, match="full"):
        rig.append(1)
    for number in range(10, 200, 10):
        try:
            rig.queue.delete_upto(number)
        except StoreUnavailable:
            with pytest.raises(StoreUnavailable, match="full"):
                rig.queue.recover()
    assert rig.queue.state().deleted_upto == 190
    assert rig.numbers() == list(range(190, 200))
    rig.queue.close()


def fill(file: Path, spare: int) -> None:
    """Take all space but ``spare`` bytes."""
    disk = os.statvfs(file.parent)
    room = max(0, disk.f_bavail * disk.f_frsize - spare)
    try:
        with open(file, "ab") as handle:
            handle.write(bytes(room))
    except OSError:
        pass
