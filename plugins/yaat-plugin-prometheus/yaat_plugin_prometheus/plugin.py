"""The hooks of this plugin. The library is loaded when the metrics are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from yaat_core.hookspecs import hookimpl

if TYPE_CHECKING:
    from yaat_core.health_routes import HealthAnswer, HealthRequest, HealthRoute, Observed
    from yaat_core.registry import Register
    from yaat_core.status import Status


@hookimpl
def register_components(register: Register) -> None:
    """It has no component."""


@hookimpl
def health_routes(agent: Observed) -> Sequence[HealthRoute]:
    """``/metrics``."""
    from yaat_core.health_routes import HealthRoute
    from yaat_plugin_prometheus.config import PATH

    return [HealthRoute(path=PATH, answer=partial(_metrics, agent))]


async def _metrics(agent: Observed, request: HealthRequest) -> HealthAnswer:
    """The status first: it brings the gauges up to date. Then the work is done beside the event loop."""
    import trio

    status = await agent.status()
    return await trio.to_thread.run_sync(_page, agent, status, request.headers.get("accept", ""))


def _page(agent: Observed, status: Status, accept: str) -> HealthAnswer:
    from yaat_plugin_prometheus.page import page

    return page(agent.stats.snapshot(), status, accept)
