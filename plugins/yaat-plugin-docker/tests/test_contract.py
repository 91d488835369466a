"""The contract of sources, with real containers of a real engine."""

from __future__ import annotations

from collections.abc import Callable

import trio
from support.dockerd import RealEngine, fresh_name

from yaat_core.config.options import Duration
from yaat_core.testing import check_source
from yaat_kit.choosing import Choice
from yaat_plugin_docker.source import DockerSource

LINES = [f"out {number}" for number in range(600)]
ERRORS = [f"err {number}" for number in range(600)]
SCRIPT = "for i in $(seq 0 599); do echo out $i; echo err $i >&2; done; sleep 1000"


async def test_source_contract(engine: RealEngine, make_source: Callable[..., DockerSource]) -> None:
    name = fresh_name("contract")
    options = {"containers": Choice(include=(name,)), "poll": Duration(0.05)}

    async def feed() -> None:
        await trio.to_thread.run_sync(engine.run, name, SCRIPT)

    await check_source(
        lambda: make_source(engine.host, **options),
        feed,
        [*LINES, *ERRORS],
        make_once=lambda: make_source(engine.host, once=True, **options),
        seconds=60,
    )
