"""Memory and swap."""

from __future__ import annotations

import psutil

from yaat_kit.points import Points
from yaat_kit.rates import clock
from yaat_plugin_hostmetrics.groups import paging
from yaat_plugin_hostmetrics.groups.group import Group


class Memory(Group):
    """``/proc/meminfo`` and ``/proc/vmstat`` (proc(5)); used is total less available, as `free` has it."""

    name = "memory"

    def collect(self, points: Points) -> None:
        """As `Group.collect`."""
        with self.host.psutil():
            now = clock()
            memory = psutil.virtual_memory()
            swap = psutil.swap_memory()
        used = memory.total - memory.available
        points.ours("memory.used_bytes", used, "bytes")
        points.ours("memory.total_bytes", memory.total, "bytes")
        points.ours("memory.usage_percent", 100 * used / memory.total if memory.total else None, "percent")
        for name in ("available", "free", "cached", "buffers", "shared", "slab"):
            points.ours(f"memory.{name}_bytes", getattr(memory, name), "bytes")
        for state in ("used", "free", "cached", "buffers"):
            points.otel("system.memory.usage", getattr(memory, state), "By", {"system.memory.state": state})
        points.otel("system.memory.limit", memory.total, "By")
        points.otel("system.memory.utilization", used / memory.total if memory.total else None, "1")
        points.otel("system.memory.linux.available", memory.available, "By")
        points.otel("system.memory.linux.shared", memory.shared, "By")
        points.otel("system.memory.linux.slab.usage", memory.slab, "By")
        for name in ("used", "total", "free"):
            points.ours(f"swap.{name}_bytes", getattr(swap, name), "bytes")
        points.ours("swap.usage_percent", 100 * swap.used / swap.total if swap.total else 0, "percent")
        for way, value in (("in", swap.sin), ("out", swap.sout)):
            points.ours(f"swap.{way}_bytes_per_sec", self.rates.per_second(way, value, now), "bytes_per_sec")
        for state in ("used", "free"):
            tags, value = {"system.paging.state": state}, getattr(swap, state)
            points.otel("system.paging.usage", value, "By", tags)
            points.otel("system.paging.utilization", value / swap.total if swap.total else None, "1", tags)
        if points.with_otel:
            paging.tell(points, self.host)
