"""A group of metrics: read together, failing together."""

from __future__ import annotations

import abc
from typing import ClassVar

from yaat_kit.points import Points
from yaat_kit.rates import Rates
from yaat_plugin_hostmetrics.config import HostMetricsConfig
from yaat_plugin_hostmetrics.host import Host


class Group(abc.ABC):
    """Collected in a worker thread, one round after the other."""

    name: ClassVar[str]

    def __init__(self, config: HostMetricsConfig, host: Host) -> None:
        self.config = config
        self.host = host
        self.rates = Rates()

    def round(self, points: Points) -> None:
        """One round.

        Raises:
            OSError, ValueError, psutil.Error: this group can't be read now.
        """
        self.rates.begin()
        self.collect(points)

    @abc.abstractmethod
    def collect(self, points: Points) -> None:
        """Read, and add what is known."""
