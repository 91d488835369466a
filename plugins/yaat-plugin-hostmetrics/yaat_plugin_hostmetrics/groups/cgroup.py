"""What the agent's own container (or service) may use, and uses: control groups of version 1 and 2."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import attrs

from yaat_kit.points import Points
from yaat_kit.rates import clock
from yaat_plugin_hostmetrics.groups.group import Group

#: Version 1 says "no limit" with a number near 2**63, rounded down to a page.
_NO_LIMIT: Final = 2**60


@attrs.frozen(kw_only=True)
class Usage:
    """Bytes, cores, seconds; None where there is no limit, or the controller is not there."""

    memory_limit: int | None
    memory_used: int | None
    cpu_limit: float | None
    cpu_seconds: float | None
    throttled_seconds: float | None
    pids: int | None
    pids_limit: int | None


class Cgroup(Group):
    """Control groups (cgroups(7); Documentation/admin-guide/cgroup-v2.rst). Nothing where no limit is set."""

    name = "cgroup"

    def collect(self, points: Points) -> None:
        """As `Group.collect`."""
        now = clock()
        usage = read(self.host.own_proc, self.host.own_sys / "fs" / "cgroup")
        if usage is None or not (usage.memory_limit or usage.cpu_limit or usage.pids_limit):
            return
        points.ours("cgroup.memory.limit_bytes", usage.memory_limit, "bytes")
        points.ours("cgroup.memory.used_bytes", usage.memory_used, "bytes")
        if usage.memory_limit and usage.memory_used is not None:
            points.ours(
                "cgroup.memory.usage_percent", 100 * usage.memory_used / usage.memory_limit, "percent"
            )
        points.otel("container.memory.usage", usage.memory_used, "By")
        points.ours("cgroup.pids", usage.pids, "processes")
        points.ours("cgroup.pids_limit", usage.pids_limit, "processes")
        self._cpu(points, usage, now)

    def _cpu(self, points: Points, usage: Usage, now: float) -> None:
        points.ours("cgroup.cpu.limit_cores", usage.cpu_limit, "cores")
        points.otel("container.cpu.time", usage.cpu_seconds, "s")
        if usage.cpu_seconds is not None:
            cores = self.rates.per_second("cpu", usage.cpu_seconds, now)
            points.ours("cgroup.cpu.used_cores", cores, "cores")
            if cores is not None and usage.cpu_limit:
                points.ours("cgroup.cpu.usage_percent", 100 * cores / usage.cpu_limit, "percent")
        if usage.throttled_seconds is not None:
            share = self.rates.per_second("throttled", usage.throttled_seconds, now)
            points.ours("cgroup.cpu.throttled_percent", None if share is None else 100 * share, "percent")


def read(process: Path, root: Path) -> Usage | None:
    """The usage of a process's control group, None without one.

    ``process`` is the process's folder in /proc, ``root`` is /sys/fs/cgroup.
    """
    paths = _paths(process)
    unified = paths.get("")
    if unified is not None and (root / "cgroup.controllers").exists():
        return _second(_folder(root, unified))
    if "memory" in paths or "cpu" in paths:
        return _first(root, paths)
    return None


def _paths(process: Path) -> dict[str, str]:
    """By controller, "" for version 2: the path of the group."""
    try:
        lines = (process / "cgroup").read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return {}
    found = {}
    for line in lines:
        _, controllers, path = line.split(":", 2)
        found.update(dict.fromkeys(controllers.split(","), path))
    return found


def _folder(root: Path, path: str) -> Path:
    """The group as this process sees it: in a container the group is often mounted as the root itself."""
    own = root / path.strip("/")
    return own if own.is_dir() else root


def _second(group: Path) -> Usage:
    quota, _, period = (_text(group / "cpu.max") or "max").partition(" ")
    stat = _pairs(group / "cpu.stat")
    return Usage(
        memory_limit=_number(group / "memory.max"),
        memory_used=_number(group / "memory.current"),
        cpu_limit=int(quota) / int(period or 100_000) if quota != "max" else None,
        cpu_seconds=stat["usage_usec"] / 1e6 if "usage_usec" in stat else None,
        throttled_seconds=stat["throttled_usec"] / 1e6 if "throttled_usec" in stat else None,
        pids=_number(group / "pids.current"),
        pids_limit=_number(group / "pids.max"),
    )


def _first(root: Path, paths: dict[str, str]) -> Usage:
    def group(controller: str, *others: str) -> Path:
        for mounted in (controller, *others):
            if (root / mounted).is_dir():
                return _folder(root / mounted, paths.get(controller, ""))
        return root / controller

    memory, cpu = group("memory"), group("cpu", "cpu,cpuacct", "cpuacct,cpu")
    accounting, pids = group("cpuacct", "cpu,cpuacct", "cpuacct,cpu"), group("pids")
    quota, period = _number(cpu / "cpu.cfs_quota_us"), _number(cpu / "cpu.cfs_period_us")
    used = _number(accounting / "cpuacct.usage")
    throttled = _pairs(cpu / "cpu.stat").get("throttled_time")
    return Usage(
        memory_limit=_number(memory / "memory.limit_in_bytes"),
        memory_used=_number(memory / "memory.usage_in_bytes"),
        cpu_limit=quota / period if quota and period and quota > 0 else None,
        cpu_seconds=None if used is None else used / 1e9,
        throttled_seconds=None if throttled is None else throttled / 1e9,
        pids=_number(pids / "pids.current"),
        pids_limit=_number(pids / "pids.max"),
    )


def _text(file: Path) -> str | None:
    try:
        return file.read_text("utf-8", "replace").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _number(file: Path) -> int | None:
    text = _text(file)
    if text is None or text == "max":
        return None
    value = int(text)
    return None if value >= _NO_LIMIT else value


def _pairs(file: Path) -> dict[str, int]:
    lines = [line.split() for line in (_text(file) or "").splitlines()]
    return {words[0]: int(words[1]) for words in lines if len(words) == 2}
