"""Traffic of block devices."""

from __future__ import annotations

from typing import Any, Final

import psutil

from yaat_kit.choosing import Chosen
from yaat_kit.points import Points
from yaat_kit.rates import clock
from yaat_plugin_hostmetrics.config import HostMetricsConfig
from yaat_plugin_hostmetrics.groups.group import Group
from yaat_plugin_hostmetrics.host import Host

_WAYS: Final = ("read", "write")


class DiskIO(Group):
    """``/proc/diskstats`` (Linux, Documentation/admin-guide/iostats.rst): whole devices, no partitions."""

    name = "disk_io"

    def __init__(self, config: HostMetricsConfig, host: Host) -> None:
        super().__init__(config, host)
        self._devices = Chosen(config.devices)

    def collect(self, points: Points) -> None:
        """As `Group.collect`."""
        with self.host.psutil():
            now = clock()
            devices = psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
        whole = {path.name.replace("!", "/") for path in (self.host.sys / "block").glob("*")}
        for name, counts in devices.items():
            if name in self._devices and (name in whole or not whole):
                self._ours(points, name, counts, now)
                if points.with_otel:
                    _otel(points, name, counts)
                    points.otel("system.disk.limit", self._size(name), "By", {"system.device": name})

    def _size(self, name: str) -> int | None:
        """Bytes of a device; the kernel counts 512 each, whatever its sectors are."""
        try:
            return 512 * int((self.host.sys / "block" / name.replace("/", "!") / "size").read_text("ascii"))
        except (OSError, ValueError):
            return None

    def _ours(self, points: Points, name: str, counts: Any, now: float) -> None:
        tags = {"device": name}
        for way in _WAYS:
            moved = self.rates.per_second((name, way, "bytes"), getattr(counts, f"{way}_bytes"), now)
            points.ours(f"disk_io.{way}_bytes_per_sec", moved, "bytes_per_sec", tags)
            done = self.rates.grown((name, way), getattr(counts, f"{way}_count"), now)
            took = self.rates.grown((name, way, "ms"), getattr(counts, f"{way}_time"), now)
            if done is None or took is None:
                continue
            points.ours(f"disk_io.{way}s_per_sec", done[0] / done[1], "per_sec", tags)
            points.ours(f"disk_io.{way}_time_ms", took[0] / done[0] if done[0] else 0, "milliseconds", tags)
        busy = self.rates.per_second((name, "busy"), counts.busy_time, now)
        points.ours("disk_io.busy_percent", None if busy is None else min(100.0, busy / 10), "percent", tags)


def _otel(points: Points, name: str, counts: Any) -> None:
    for way in _WAYS:
        tags = {"system.device": name, "disk.io.direction": way}
        points.otel("system.disk.io", getattr(counts, f"{way}_bytes"), "By", tags)
        points.otel("system.disk.operations", getattr(counts, f"{way}_count"), "{operation}", tags)
        points.otel("system.disk.operation_time", getattr(counts, f"{way}_time") / 1000, "s", tags)
        points.otel("system.disk.merged", getattr(counts, f"{way}_merged_count"), "{operation}", tags)
    points.otel("system.disk.io_time", counts.busy_time / 1000, "s", {"system.device": name})
