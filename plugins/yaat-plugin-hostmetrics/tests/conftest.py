from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from yaat_core.testing import make_context
from yaat_plugin_hostmetrics.config import HostMetricsConfig
from yaat_plugin_hostmetrics.source import HostMetricsSource

Metric = tuple[str, dict[str, str], float]


class Looker:
    """A source whose rounds a test asks for itself."""

    def __init__(self, source: HostMetricsSource) -> None:
        self.source = source

    def round(self) -> list[Metric]:
        """One round: name, tags, value."""

        async def once() -> list[Metric]:
            points = await self.source._round()
            return [
                (str(event.metric_name), dict(event.tags), float(event.metric_value or 0))
                for event in points.batch()
            ]

        return trio.run(once)


@pytest.fixture
def looker(tmp_path: Path) -> Callable[..., Looker]:
    def make(**options: Any) -> Looker:
        return Looker(HostMetricsSource(HostMetricsConfig(**options), make_context(tmp_path, "sources.host")))

    return make
