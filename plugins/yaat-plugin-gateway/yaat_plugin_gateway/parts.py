"""What the source is made of besides ingesting: each part gives its endpoints, and lives as long as the source runs."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

import attrs
import trio

from yaat_core.components import Context, Finding
from yaat_plugin_gateway.access.caller import Access, Limits
from yaat_plugin_gateway.config import GatewayConfig
from yaat_plugin_gateway.web.endpoint import Endpoint

Seen = Callable[[str, Iterable[tuple[str, str]]], None]
"""Told of the organization and the (service, environment) pairs of events that were taken."""


@attrs.frozen(kw_only=True)
class Parts:
    """The opened parts: who calls, how much they may send, and the endpoints besides POST /v1/ingest."""

    access: Access
    limits: Limits
    seen: Seen
    endpoints: Sequence[Endpoint[Any]] = ()
    problems: Callable[[], Sequence[Finding]] = tuple


OpenParts = Callable[[GatewayConfig, Context], AbstractAsyncContextManager[Parts]]
"""Opens them (the state database, its upkeep) and closes them at the end.

Raises:
    YaatError: one can't be opened; the source fails with it and is started again.
"""


@asynccontextmanager
async def open_parts(config: GatewayConfig, context: Context) -> AsyncIterator[Parts]:
    """The parts of a real gateway: keys, limits, usage and services in its state database.

    Raises:
        YaatError: the state can't be opened.
    """
    from yaat_plugin_gateway.access import routes
    from yaat_plugin_gateway.access.gate import opened
    from yaat_plugin_gateway.asking import routes as asking
    from yaat_plugin_gateway.state.location import located
    from yaat_plugin_gateway.state.store import open_state

    logging.getLogger("alembic").setLevel(logging.WARNING)
    url = located(config.state, context.state_dir)
    state = await trio.to_thread.run_sync(open_state, url, time.time_ns() // 1_000)
    try:
        everyone, refused = config.access == "none", partial(_refused, context)
        async with opened(state, config.limits, everyone=everyone, refused=refused) as gate:
            yield Parts(
                access=gate.access,
                limits=gate.limits,
                seen=gate.sightings.seen,
                endpoints=[*routes.endpoints(gate), *asking.endpoints(config.queries, context.query, state)],
                problems=gate.problems,
            )
    finally:
        state.close()


def _refused(context: Context, code: str) -> None:
    """As the desk counts what it refuses; these never come to it."""
    context.stats.counter("yaat_gateway_refused_requests_total", "Requests refused.", reason=code).add(1)
