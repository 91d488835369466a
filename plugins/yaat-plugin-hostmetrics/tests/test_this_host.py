"""This machine's metrics against what other programs say, real processes, a real mount that hangs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.silent_fuse import silent_mount

from yaat_plugin_hostmetrics.config import Choice, Watched
from yaat_plugin_hostmetrics.groups.cgroup import read


def by_name(metrics: list[Any]) -> dict[str, float]:
    return {name: amount for name, _, amount in metrics}


def tagged(metrics: list[Any], name: str, **tags: str) -> list[float]:
    return [amount for known, has, amount in metrics if known == name and tags.items() <= has.items()]


def test_memory_and_uptime_are_those_of_the_kernel(looker: Callable[..., Any]) -> None:
    metrics = by_name(looker().round())
    facts = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    total = int(facts["MemTotal"].split()[0]) * 1024
    assert metrics["host.memory.total_bytes"] == total
    assert 0 < metrics["host.memory.used_bytes"] < total
    assert 0 < metrics["host.memory.usage_percent"] < 100
    assert metrics["host.uptime_seconds"] <= time.clock_gettime(time.CLOCK_BOOTTIME)


def test_disk_space_is_that_of_df(looker: Callable[..., Any]) -> None:
    metrics = looker(groups=("disk",)).round()
    told = subprocess.run(
        ["df", "-B1", "--output=size,itotal", "/"], capture_output=True, text=True, check=True
    )
    size, inodes = (int(word) for word in told.stdout.splitlines()[-1].split())
    assert tagged(metrics, "host.disk.total_bytes", mount="/") == [size]
    assert tagged(metrics, "host.disk.inodes_total", mount="/") in ([inodes], [])
    (usage,) = tagged(metrics, "host.disk.usage_percent", mount="/")
    assert 0 <= usage <= 100


def test_cpu_shares_add_up_and_a_busy_process_is_on_top(looker: Callable[..., Any]) -> None:
    made = looker(groups=("cpu", "processes"), top=50)
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            made.round()
            time.sleep(0.5)
            metrics = made.round()
        finally:
            busy.kill()
    shares = [
        amount
        for name, _, amount in metrics
        if name.endswith("_percent") and name.count(".") == 2 and "cpu." in name
    ]
    states = [
        amount
        for name, _, amount in metrics
        if name.startswith("host.cpu.")
        and name != "host.cpu.usage_percent"
        and name.endswith("_percent")
        and ".core." not in name
    ]
    assert sum(states) == pytest.approx(100, abs=0.01)
    assert all(0 <= share <= 100.01 for share in shares)
    (used,) = tagged(metrics, "host.process.cpu_percent", pid=str(busy.pid))
    assert used > 0


def test_otel_names_instead_of_ours_or_beside_them(looker: Callable[..., Any]) -> None:
    names = {name for name, _, _ in looker(names="otel").round()}
    assert not [name for name in names if name.startswith("host.")]
    assert {
        "system.cpu.time",
        "system.memory.usage",
        "system.filesystem.usage",
        "system.uptime",
        "system.process.count",
        "system.process.created",
        "system.paging.faults",
        "system.paging.operations",
    } <= names
    both = {name for name, _, _ in looker(names="both").round()}
    assert names < both


def test_watched_processes_come_and_go(looker: Callable[..., Any], tmp_path: Path) -> None:
    name = f"yw{os.getpid()}"
    program = tmp_path / name
    shutil.copy(shutil.which("sleep") or "/bin/sleep", program)
    (tmp_path / "x.pid").write_text("no number\n")
    watch = (
        Watched(name="by name", process=f"{name}*"),
        Watched(name="by file", pid_file="app.pid"),
        Watched(name="odd", pid_file="x.pid"),
    )
    made = looker(groups=("processes",), watch=watch)
    assert tagged(made.round(), "host.watch.up", watch="by name") == [0]
    with subprocess.Popen([program, "600"]) as running:
        (tmp_path / "app.pid").write_text(f"{running.pid}\n")
        deadline = time.monotonic() + 60
        while tagged(metrics := made.round(), "host.watch.up", watch="by name") != [1]:
            assert time.monotonic() < deadline
        for label in ("by name", "by file"):
            assert tagged(metrics, "host.watch.up", watch=label) == [1]
            assert tagged(metrics, "host.watch.threads", watch=label) == [1]
            assert tagged(metrics, "host.watch.memory_bytes", watch=label)[0] > 0
            assert tagged(metrics, "host.watch.open_files", watch=label)[0] >= 3
        running.kill()
        running.wait()
    metrics = made.round()
    assert tagged(metrics, "host.watch.up", watch="by file") == [0]
    assert [finding.problem for finding in made.source.problems()] == [
        "watch odd: x.pid does not hold a process id"
    ]


def test_a_mount_that_hangs_delays_nothing_and_is_told(looker: Callable[..., Any], tmp_path: Path) -> None:
    point = tmp_path / "gone"
    point.mkdir()
    made = looker(
        groups=("disk",), filesystems=Choice(include=("fuse", "ext4", "overlay")), mount_timeout=0.2
    )
    with silent_mount(point):
        metrics = made.round()
        assert tagged(metrics, "host.disk.total_bytes", mount="/")
        assert not tagged(metrics, "host.disk.total_bytes", mount=str(point))
        assert [finding.problem for finding in made.source.problems()] == [
            f"the mount {point} does not answer"
        ]
        assert tagged(made.round(), "host.disk.total_bytes", mount="/")
    deadline = time.monotonic() + 60
    while made.source.problems():
        assert time.monotonic() < deadline
        made.round()


def test_a_real_control_group(tmp_path: Path) -> None:
    root = Path("/sys/fs/cgroup")
    first = (root / "memory" / "memory.limit_in_bytes").exists()
    group = (root / "memory" if first else root) / f"yaat-test-{os.getpid()}"
    limit = "memory.limit_in_bytes" if first else "memory.max"
    try:
        group.mkdir()
        (group / limit).write_text(str(2**27))
    except OSError as error:
        pytest.skip(f"can't make a control group here: {error.strerror}")
    try:
        with subprocess.Popen(["sleep", "600"]) as inside:
            (group / "cgroup.procs").write_text(str(inside.pid))
            usage = read(Path(f"/proc/{inside.pid}"), root)
            inside.kill()
        assert usage is not None
        assert usage.memory_limit == 2**27
        assert usage.memory_used is not None
    finally:
        deadline = time.monotonic() + 60
        while group.exists():
            try:
                group.rmdir()
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
