"""Load, uptime, entropy, temperatures."""

from __future__ import annotations

from typing import Final

import psutil

from yaat_kit.points import Points
from yaat_plugin_hostmetrics.groups.group import Group

_SPANS: Final = ("1m", "5m", "15m")


class Load(Group):
    """``/proc/loadavg`` (proc(5)), also by core."""

    name = "load"

    def collect(self, points: Points) -> None:
        """As `Group.collect`."""
        loads = [float(text) for text in self.host.text("loadavg").split()[:3]]
        cores = psutil.cpu_count() or 1
        for span, load in zip(_SPANS, loads, strict=True):
            points.ours(f"load.{span}", load, "processes")
            points.ours(f"load.per_core.{span}", load / cores, "processes")
            points.otel(f"system.cpu.load_average.{span}", load, "{thread}")


class System(Group):
    """``/proc/uptime``, and the entropy that random(4) has."""

    name = "system"

    def collect(self, points: Points) -> None:
        """As `Group.collect`."""
        uptime = float(self.host.text("uptime").split()[0])
        points.ours("uptime_seconds", uptime, "seconds")
        points.otel("system.uptime", uptime, "s")
        points.ours("entropy_bits", int(self.host.text("sys", "kernel", "random", "entropy_avail")), "bits")


class Temperature(Group):
    """Sensors that psutil finds below /sys; where there are none, nothing."""

    name = "temperature"

    def collect(self, points: Points) -> None:
        """As `Group.collect`."""
        for chip, sensors in psutil.sensors_temperatures().items():
            for number, sensor in enumerate(sensors):
                tags = {"sensor": chip, "label": sensor.label or str(number)}
                points.ours("temperature_celsius", sensor.current, "celsius", tags)
                points.otel(
                    "hw.temperature", sensor.current, "Cel", {"hw.name": chip, "hw.id": tags["label"]}
                )
