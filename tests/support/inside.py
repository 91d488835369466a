"""The real agent inside the test's own process, on a real configuration file: for what can't be seen from outside.

It is cancelled at the end, never told to stop: a stop arms a timer that ends the process.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from yaat_core import config
from yaat_core.agent import Agent
from yaat_core.plugins import load_plugins


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[Agent]:
    """One that has started its sources."""
    plugins = load_plugins()
    agent = Agent(config.load(path, plugins), plugins)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(agent.run)
        await until(lambda: agent._state == "running", "the agent does not start")
        yield agent
        nursery.cancel_scope.cancel()


async def until(condition: Callable[[], bool], what: str = "") -> None:
    """Waits, generously."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        await trio.sleep(0.02)
