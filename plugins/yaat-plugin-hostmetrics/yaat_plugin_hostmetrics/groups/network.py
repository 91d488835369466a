"""Traffic, errors and drops of network interfaces."""

from __future__ import annotations

from typing import Any, Final

import psutil

from yaat_kit.choosing import Chosen
from yaat_kit.points import Points
from yaat_kit.rates import clock
from yaat_plugin_hostmetrics.config import HostMetricsConfig
from yaat_plugin_hostmetrics.groups.group import Group
from yaat_plugin_hostmetrics.host import Host

#: Ours, psutil's and OpenTelemetry's names, OpenTelemetry's direction.
_COUNTS: Final = (
    ("rx_bytes_per_sec", "bytes_recv", "system.network.io", "receive"),
    ("tx_bytes_per_sec", "bytes_sent", "system.network.io", "transmit"),
    ("rx_packets_per_sec", "packets_recv", "system.network.packet.count", "receive"),
    ("tx_packets_per_sec", "packets_sent", "system.network.packet.count", "transmit"),
    ("rx_errors_per_sec", "errin", "system.network.errors", "receive"),
    ("tx_errors_per_sec", "errout", "system.network.errors", "transmit"),
    ("rx_dropped_per_sec", "dropin", "system.network.packet.dropped", "receive"),
    ("tx_dropped_per_sec", "dropout", "system.network.packet.dropped", "transmit"),
)


class Network(Group):
    """``/proc/net/dev`` of the host's network namespace (proc(5))."""

    name = "network"

    def __init__(self, config: HostMetricsConfig, host: Host) -> None:
        super().__init__(config, host)
        self._interfaces = Chosen(config.interfaces)

    def collect(self, points: Points) -> None:
        """As `Group.collect`."""
        with self.host.psutil(self.host.first.name):
            now = clock()
            interfaces = psutil.net_io_counters(pernic=True, nowrap=False) or {}
        for name, counts in interfaces.items():
            if name in self._interfaces:
                self._one(points, name, counts, now)

    def _one(self, points: Points, name: str, counts: Any, now: float) -> None:
        for ours, field, otel, direction in _COUNTS:
            value = getattr(counts, field)
            unit = "bytes_per_sec" if "bytes" in ours else "per_sec"
            points.ours(
                f"net.{ours}", self.rates.per_second((name, field), value, now), unit, {"interface": name}
            )
            tags = {"network.interface.name": name, "network.io.direction": direction}
            points.otel(otel, value, "By" if otel.endswith(".io") else "{packet}", tags)
