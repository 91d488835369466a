"""What the engine measured of one container, as metrics: ours, and OpenTelemetry's ``container.*``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from yaat_kit.points import Points
from yaat_kit.rates import Rates
from yaat_plugin_docker import times

_NANOSECONDS: Final = 1e9
#: Limits from here on mean that there is none.
_UNLIMITED: Final = 1 << 60
#: Network interfaces and block devices of one container that are told of.
_MOST: Final = 32

Key = tuple[object, ...]


class Measured:
    """One container in one round. ``key`` is another one after each start of it: counters begin anew then."""

    def __init__(self, document: Any, key: Key, now: float, tags: Mapping[str, str]) -> None:
        self._document = document if isinstance(document, dict) else {}
        self._key = key
        self._now = now
        self._tags = tags

    @property
    def known(self) -> bool:
        """False when the engine has measured nothing: all its numbers are zeros then, and the time is that of never."""
        read = self._document.get("read")
        return isinstance(read, str) and times.parse(read[:64]) is not None

    def add_to(self, points: Points, rates: Rates) -> None:
        """Everything that is known."""
        if not self.known:
            return
        self._cpu(points, rates)
        self._memory(points)
        self._network(points, rates)
        self._blocks(points, rates)
        points.ours("pids", self._number("pids_stats", "current"), "processes", self._tags)

    def _cpu(self, points: Points, rates: Rates) -> None:
        whole = self._number("cpu_stats", "cpu_usage", "total_usage")
        modes = {
            "user": self._number("cpu_stats", "cpu_usage", "usage_in_usermode"),
            "system": self._number("cpu_stats", "cpu_usage", "usage_in_kernelmode"),
        }
        used = self._rate(rates, "cpu", whole)
        if used is not None:
            points.ours("cpu.usage_percent", used / _NANOSECONDS * 100, "percent", self._tags)
            points.otel("container.cpu.usage", used / _NANOSECONDS, "{cpu}", self._tags)
        for mode, value in modes.items():
            rate = self._rate(rates, f"cpu.{mode}", value)
            if rate is not None:
                points.ours(f"cpu.{mode}_percent", rate / _NANOSECONDS * 100, "percent", self._tags)
            if value is not None:
                points.otel("container.cpu.time", value / _NANOSECONDS, "s", {**self._tags, "cpu.mode": mode})
        throttled = self._rate(
            rates, "throttled", self._number("cpu_stats", "throttling_data", "throttled_time")
        )
        if throttled is not None:
            points.ours("cpu.throttled_percent", throttled / _NANOSECONDS * 100, "percent", self._tags)

    def _memory(self, points: Points) -> None:
        """As `docker stats` has it: without the part of the page cache that can be given back at once."""
        used, limit = self._number("memory_stats", "usage"), self._number("memory_stats", "limit")
        if used is None:
            return
        cache = self._number("memory_stats", "stats", "total_inactive_file")  # control groups, version 1
        if cache is None:
            cache = self._number("memory_stats", "stats", "inactive_file")
        if cache is not None and cache < used:
            used -= cache
        points.ours("memory.used_bytes", used, "bytes", self._tags)
        points.otel("container.memory.usage", used, "By", self._tags)
        if limit and limit < _UNLIMITED:
            points.ours("memory.limit_bytes", limit, "bytes", self._tags)
            points.ours("memory.usage_percent", 100 * used / limit, "percent", self._tags)

    def _network(self, points: Points, rates: Rates) -> None:
        networks = self._document.get("networks")
        for name in sorted(networks)[:_MOST] if isinstance(networks, dict) else ():
            tags = {**self._tags, "interface": name}
            for way, direction in (("rx", "receive"), ("tx", "transmit")):
                for what, unit in (
                    ("bytes", "bytes_per_sec"),
                    ("packets", "per_sec"),
                    ("errors", "per_sec"),
                    ("dropped", "per_sec"),
                ):
                    rate = self._rate(
                        rates, f"net.{name}.{way}_{what}", self._number("networks", name, f"{way}_{what}")
                    )
                    points.ours(f"network.{way}_{what}_per_sec", rate, unit, tags)
                points.otel(
                    "container.network.io",
                    self._number("networks", name, f"{way}_bytes"),
                    "By",
                    {**self._tags, "network.interface.name": name, "network.io.direction": direction},
                )

    def _blocks(self, points: Points, rates: Rates) -> None:
        for (device, way), value in self._by_device("io_service_bytes_recursive").items():
            rate = self._rate(rates, f"block.{device}.{way}.bytes", value)
            tags = {**self._tags, "device": device}
            points.ours(f"disk.{way}_bytes_per_sec", rate, "bytes_per_sec", tags)
            points.otel(
                "container.disk.io",
                value,
                "By",
                {**self._tags, "system.device": device, "disk.io.direction": way},
            )
        for (device, way), value in self._by_device("io_serviced_recursive").items():
            rate = self._rate(rates, f"block.{device}.{way}.times", value)
            points.ours(f"disk.{way}s_per_sec", rate, "per_sec", {**self._tags, "device": device})

    def _by_device(self, name: str) -> dict[tuple[str, str], float]:
        """``(device, read or write)`` to the counter."""
        blocks = self._document.get("blkio_stats")
        entries = blocks.get(name) if isinstance(blocks, dict) else None
        found: dict[tuple[str, str], float] = {}
        for entry in entries if isinstance(entries, list) else ():
            way = str(entry.get("op", "")).lower() if isinstance(entry, dict) else ""
            value = entry.get("value") if way in ("read", "write") else None
            if isinstance(value, int | float) and len(found) < 2 * _MOST:
                place = (f"{entry.get('major')}:{entry.get('minor')}", way)
                found[place] = found.get(place, 0) + value
        return found

    def _rate(self, rates: Rates, name: str, value: float | None) -> float | None:
        return None if value is None else rates.per_second((*self._key, name), value, self._now)

    def _number(self, *path: str) -> float | None:
        value: Any = self._document
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value if isinstance(value, int | float) else None
