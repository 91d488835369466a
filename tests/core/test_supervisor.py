"""A component that fails is run again alone; what is the agent's own business passes."""

from __future__ import annotations

import pytest
import trio

from yaat_core.components import ComponentId
from yaat_core.errors import StoreUnavailable
from yaat_core.health import HealthBoard
from yaat_core.supervisor import LONGEST, Keeper, backoff


@pytest.mark.parametrize(
    "error", [RuntimeError("boom"), SystemExit(3), ExceptionGroup("g", [ValueError("x")])]
)
async def test_failures_restart_with_backoff(
    autojump_clock: trio.testing.MockClock, error: BaseException
) -> None:
    health, runs = HealthBoard(), 0
    keeper = Keeper(ComponentId("sources", "a"), "test", health)

    async def attempt() -> None:
        nonlocal runs
        runs += 1
        if runs < 4:
            raise error

    assert await keeper.keep(attempt)
    assert (runs, keeper.restarts, keeper.state) == (4, 3, "done")
    assert health.now().ok


async def test_it_gives_up_when_told_to(autojump_clock: trio.testing.MockClock) -> None:
    health = HealthBoard()
    keeper = Keeper(ComponentId("sources", "a"), "test", health)

    async def attempt() -> None:
        raise OSError("no such device")

    assert not await keeper.keep(attempt, attempts=3)
    assert keeper.state == "down"
    assert health.now().problems[0].what == "no such device"


async def test_cancellation_passes(autojump_clock: trio.testing.MockClock) -> None:
    keeper = Keeper(ComponentId("sources", "a"), "test", HealthBoard())
    with trio.move_on_after(5) as scope:
        await keeper.keep(trio.sleep_forever)
    assert scope.cancelled_caught
    assert keeper.restarts == 0


def test_backoff_is_bounded_and_jittered() -> None:
    waits = [backoff(attempt) for attempt in range(1, 200)]
    assert max(waits) <= LONGEST
    assert min(waits) >= 0.05
    assert len(set(waits)) > 150


async def test_the_log_says_what_to_do(
    autojump_clock: trio.testing.MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def attempt() -> None:
        raise StoreUnavailable("no store", where="/there", cause="no space", fix="make room")

    keeper = Keeper(ComponentId("sinks", "a"), "test", HealthBoard())
    assert not await keeper.keep(attempt, attempts=1)
    assert "sinks.a failed: no store; where: /there; cause: no space; fix: make room" in caplog.text
