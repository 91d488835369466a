"""Processes: how many in which state, those that use most, those that are watched.

The list is read from ``/proc/PID/stat`` directly: psutil takes five times as long for the same, most of a round's time.
"""

from __future__ import annotations

import heapq
import os
from collections import Counter
from typing import Final

import attrs

from yaat_kit.points import Points
from yaat_kit.rates import clock
from yaat_plugin_hostmetrics.config import HostMetricsConfig
from yaat_plugin_hostmetrics.groups.group import Group
from yaat_plugin_hostmetrics.groups.watched import Watch
from yaat_plugin_hostmetrics.host import Host
from yaat_plugin_hostmetrics.users import Users

#: The letters of proc(5): our names, and those of OpenTelemetry.
_STATES: Final = {
    "R": ("running", "running"),
    "S": ("sleeping", "sleeping"),
    "D": ("blocked", "sleeping"),
    "I": ("idle", "sleeping"),
    "T": ("stopped", "stopped"),
    "t": ("stopped", "stopped"),
    "Z": ("zombie", "defunct"),
    "X": ("zombie", "defunct"),
}
#: Bytes that are read of a process: its name and 52 numbers take a few hundred.
_LONGEST: Final = 4096
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@attrs.define(kw_only=True)
class Process:
    """One process in one round; ``cpu`` in percent of a core, None in its first round."""

    pid: int
    name: str
    state: str
    cpu_seconds: float
    threads: int
    started: int
    memory: int
    cpu: float | None = None


class Processes(Group):
    """``/proc/PID/stat`` (proc(5)) of every process."""

    name = "processes"

    def __init__(self, config: HostMetricsConfig, host: Host) -> None:
        super().__init__(config, host)
        self._users = Users(host)
        self.watches = [Watch(one, host) for one in config.watch]

    def collect(self, points: Points) -> None:
        """As `Group.collect`."""
        found = self._all()
        self._count(points, found)
        self._tell_top(points, found)
        for watch in self.watches:
            watch.tell(points, found)

    def _all(self) -> dict[int, Process]:
        found = {}
        proc = str(self.host.proc)
        for entry in os.listdir(proc):
            if not entry.isdecimal():
                continue
            now = clock()
            process = _read(proc, entry)
            if process is None:
                continue
            used = self.rates.per_second((process.pid, process.started), process.cpu_seconds, now)
            process.cpu = None if used is None else 100 * used
            found[process.pid] = process
        return found

    def _count(self, points: Points, found: dict[int, Process]) -> None:
        states = Counter(_STATES.get(process.state, ("other", "other")) for process in found.values())
        points.ours("processes.total", len(found), "processes")
        points.ours("processes.threads", sum(process.threads for process in found.values()), "threads")
        ours = dict.fromkeys((name for name, _ in _STATES.values()), 0)
        otel = dict.fromkeys((name for _, name in _STATES.values()), 0)
        for (name, otel_name), count in states.items():
            ours[name] = ours.get(name, 0) + count
            otel[otel_name] = otel.get(otel_name, 0) + count
        for name, count in ours.items():
            points.ours(f"processes.{name}", count, "processes")
        for name, count in otel.items():
            points.otel("system.process.count", count, "{process}", {"process.state": name})
        if points.with_otel:
            points.otel("system.process.created", _created(self.host), "{process}")

    def _tell_top(self, points: Points, found: dict[int, Process]) -> None:
        by_cpu = heapq.nlargest(self.config.top, found.values(), key=lambda one: one.cpu or 0.0)
        by_memory = heapq.nlargest(self.config.top, found.values(), key=lambda one: one.memory)
        for process in {one.pid: one for one in (*by_cpu, *by_memory)}.values():
            user = self._users.of(process.pid)
            tags = {"process": process.name, "pid": process.pid, "user": user}
            points.ours("process.cpu_percent", process.cpu, "percent", tags)
            points.ours("process.memory_bytes", process.memory, "bytes", tags)
            names = {
                "process.executable.name": process.name,
                "process.pid": process.pid,
                "process.owner": user,
            }
            points.otel("process.cpu.time", process.cpu_seconds, "s", names)
            points.otel("process.memory.usage", process.memory, "By", names)


def _created(host: Host) -> int | None:
    """Since the start of the machine, threads included."""
    for line in reversed(host.text("stat").splitlines()):
        if line.startswith("processes "):
            return int(line.split()[1])
    return None


def _read(proc: str, pid: str) -> Process | None:
    """A process; None when it is gone. One read gives the whole line, so neither a path object nor a buffer is made for it."""
    try:
        file = os.open(f"{proc}/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            data = os.read(file, _LONGEST)
        finally:
            os.close(file)
    except (FileNotFoundError, ProcessLookupError):
        return None
    head, _, tail = data.rpartition(b")")
    fields = tail.split()
    if len(fields) < 22:
        return None
    return Process(
        pid=int(pid),
        name=head.partition(b"(")[2].decode("utf-8", "replace"),
        state=fields[0].decode("ascii", "replace"),
        cpu_seconds=(int(fields[11]) + int(fields[12])) / _TICKS,
        threads=int(fields[17]),
        started=int(fields[19]),
        memory=int(fields[21]) * _PAGE,
    )
