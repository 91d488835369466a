"""What this machine may not have: other roots, counters that wrap, both versions of control groups."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.made_host import write_files

from yaat_kit.choosing import Choice
from yaat_plugin_hostmetrics.config import HostMetricsConfig
from yaat_plugin_hostmetrics.groups.cgroup import Cgroup, Usage, read
from yaat_plugin_hostmetrics.host import Host
from yaat_plugin_hostmetrics.mounts import Mounts

NET = "Inter-|   Receive\n face |bytes\n  eth0: {} 5 1 2 0 0 0 0 {} 6 3 4 0 0 0 0\n"


def value(metrics: list[Any], name: str, **tags: str) -> float:
    (found,) = [amount for known, has, amount in metrics if known == name and tags.items() <= has.items()]
    return float(found)


def test_network_of_a_foreign_host_and_a_wrap(tmp_path: Path, looker: Callable[..., Any]) -> None:
    proc = tmp_path / "proc"
    write_files(proc, {"1/net/dev": NET.format(2**32 - 1_000, 0)})
    made = looker(groups=("network",), host_proc=str(proc))
    made.round()
    write_files(proc, {"1/net/dev": NET.format(4_000, 10_000)})
    metrics = made.round()
    received, sent = (
        value(metrics, f"host.net.{way}_bytes_per_sec", interface="eth0") for way in ("rx", "tx")
    )
    assert received == pytest.approx(sent / 2)


def test_a_device_that_is_plugged_in_again_has_no_false_rate(
    tmp_path: Path, looker: Callable[..., Any]
) -> None:
    proc = tmp_path / "proc"
    write_files(proc, {"1/net/dev": NET.format(10**6, 10**6)})
    made = looker(groups=("network",), host_proc=str(proc))
    made.round()
    write_files(proc, {"1/net/dev": NET.format(10, 10)})
    assert not [name for name, _, _ in made.round() if name == "host.net.rx_bytes_per_sec"]


def test_a_group_that_fails_is_told_and_the_others_go_on(tmp_path: Path, looker: Callable[..., Any]) -> None:
    proc = tmp_path / "proc"
    write_files(proc, {"loadavg": "0.50 0.25 0.10 1/2 3\n", "pressure/cpu": "some avg10=nonsense\n"})
    made = looker(groups=("load", "memory", "pressure"), host_proc=str(proc))
    assert value(made.round(), "host.load.1m") == 0.5
    assert [problem.problem.partition(":")[0] for problem in made.source.problems()] == [
        "memory can't be read",
        "pressure can't be read",
    ]
    write_files(proc, {"pressure/cpu": "some avg10=1.50 avg60=0.00 avg300=0.00 total=7\n"})
    assert value(made.round(), "host.pressure.avg10_percent", resource="cpu", kind="some") == 1.5
    assert len(made.source.problems()) == 1


async def test_roots_that_are_not_there_are_told_before_the_start(
    tmp_path: Path, looker: Callable[..., Any]
) -> None:
    source = looker(host_proc=str(tmp_path / "no"), host_root=str(tmp_path / "none")).source
    assert [finding.problem for finding in await source.check()] == [
        f"{tmp_path}/no is not there",
        f"{tmp_path}/none is not there",
    ]


def test_version_2_limits(tmp_path: Path) -> None:
    files = {
        "cgroup.controllers": "cpu memory pids\n",
        "app/memory.max": "536870912\n",
        "app/memory.current": "134217728\n",
        "app/cpu.max": "150000 100000\n",
        "app/cpu.stat": "usage_usec 2500000\nthrottled_usec 500000\n",
        "app/pids.max": "max\n",
        "app/pids.current": "7\n",
    }
    write_files(tmp_path / "cg", files)
    write_files(tmp_path / "self", {"cgroup": "0::/app\n"})
    assert read(tmp_path / "self", tmp_path / "cg") == Usage(
        memory_limit=2**29,
        memory_used=2**27,
        cpu_limit=1.5,
        cpu_seconds=2.5,
        throttled_seconds=0.5,
        pids=7,
        pids_limit=None,
    )


def test_version_1_limits_mounted_as_the_root(tmp_path: Path) -> None:
    files = {
        "memory/memory.limit_in_bytes": "67108864\n",
        "memory/memory.usage_in_bytes": "1048576\n",
        "cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
        "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        "cpu,cpuacct/cpu.stat": "nr_periods 1\nthrottled_time 3000000000\n",
        "cpu,cpuacct/cpuacct.usage": "4000000000\n",
    }
    write_files(tmp_path / "cg", files)
    write_files(tmp_path / "self", {"cgroup": "3:cpu,cpuacct:/docker/x\n2:memory:/docker/x\n"})
    usage = read(tmp_path / "self", tmp_path / "cg")
    assert usage is not None
    assert (usage.memory_limit, usage.memory_used) == (2**26, 2**20)
    assert (usage.cpu_limit, usage.cpu_seconds, usage.throttled_seconds) == (0.5, 4.0, 3.0)


@pytest.mark.parametrize("memory", ["9223372036854771712", "max"])
def test_without_a_limit_nothing_is_told(tmp_path: Path, memory: str) -> None:
    write_files(tmp_path / "own_sys/fs/cgroup", {"memory/memory.limit_in_bytes": memory})
    write_files(tmp_path / "self", {"cgroup": "2:memory:/\n"})
    host = Host(
        Path("/proc"), Path("/sys"), Path("/"), own_proc=tmp_path / "self", own_sys=tmp_path / "own_sys"
    )
    group = Cgroup(HostMetricsConfig(), host)
    told: list[str] = []

    class Recorder:
        with_otel = False

        def ours(self, name: str, *_: object) -> None:
            told.append(name)

        otel = ours

    group.round(Recorder())  # type: ignore[arg-type]
    assert told == []


def test_mounts_are_told_once_and_odd_names_are_read(tmp_path: Path) -> None:
    lines = [
        "1 0 8:1 / / rw - overlay overlay rw",
        "2 1 8:2 / /data rw,noatime shared:1 - ext4 /dev/sda2 rw",
        "3 1 8:2 /sub /srv/bound/here rw - ext4 /dev/sda2 rw",
        "4 1 0:5 / /proc rw - proc proc rw",
        r"5 1 8:3 / /mnt/a\040b ro - xfs /dev/sdb1 ro",
        "6 1 0:9 / /run rw - tmpfs tmpfs rw",
        "nonsense",
    ]
    write_files(tmp_path, {"1/mountinfo": "\n".join(lines)})
    config = HostMetricsConfig(host_proc=str(tmp_path))
    found = Mounts(config, Host(tmp_path, Path("/sys"), Path("/"))).now()
    assert [(mount.point, mount.type, mount.mode) for mount in found] == [
        ("/", "overlay", "rw"),
        ("/data", "ext4", "rw"),
        ("/mnt/a b", "xfs", "ro"),
    ]


def test_names_are_chosen_by_globs(looker: Callable[..., Any]) -> None:
    made = looker(
        groups=("load", "system"), metrics=Choice(include=("host.load.*", "host.up*"), exclude=("*.15m",))
    )
    names = {name for name, _, _ in made.round()}
    assert names == {
        "host.load.1m",
        "host.load.5m",
        "host.load.per_core.1m",
        "host.load.per_core.5m",
        "host.uptime_seconds",
    }


def test_paging_and_huge_pages_by_opentelemetrys_names(tmp_path: Path, looker: Callable[..., Any]) -> None:
    proc = tmp_path / "proc"
    memory = "".join(
        f"{name}: 1000 kB\n" for name in ("MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached")
    )
    memory += "SwapTotal: 400 kB\nSwapFree: 100 kB\n"
    pages = (
        "HugePages_Total: 8\nHugePages_Free: 2\nHugePages_Rsvd: 1\nHugePages_Surp: 0\nHugepagesize: 2048 kB\n"
    )
    counts = "pgpgin 1\npgpgout 2\npswpin 3\npswpout 4\npgfault 50\npgmajfault 6\n"
    write_files(proc, {"meminfo": memory + pages, "vmstat": counts})
    metrics = looker(groups=("memory",), names="otel", host_proc=str(proc)).round()
    assert value(metrics, "system.paging.utilization", **{"system.paging.state": "used"}) == 0.75
    assert value(metrics, "system.paging.faults", **{"system.paging.fault.type": "minor"}) == 44
    swapped = {"system.paging.direction": "out", "system.paging.fault.type": "major"}
    assert value(metrics, "system.paging.operations", **swapped) == 4
    huge = "system.memory.linux.hugepages"
    assert value(metrics, f"{huge}.utilization", **{f"{huge}.state": "used"}) == 0.75
    assert value(metrics, f"{huge}.page_size") == 2 << 20
    write_files(proc, {"meminfo": memory, "vmstat": "oom_kill 0\n"})
    names = {name for name, _, _ in looker(groups=("memory",), names="otel", host_proc=str(proc)).round()}
    assert not [name for name in names if "hugepages" in name or "faults" in name]


def test_the_size_of_a_device(tmp_path: Path, looker: Callable[..., Any]) -> None:
    write_files(
        tmp_path, {"proc/diskstats": "   8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n", "sys/block/sda/size": "2048\n"}
    )
    roots = {"host_proc": str(tmp_path / "proc"), "host_sys": str(tmp_path / "sys")}
    metrics = looker(groups=("disk_io",), names="otel", **roots).round()
    assert value(metrics, "system.disk.limit", **{"system.device": "sda"}) == 1 << 20
