"""What is too much is answered with 429, and what the answer says is true; what was used is counted."""

from __future__ import annotations

import datetime
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from support.agents import wait_until
from trio.testing import MockClock

from yaat_core.components import QueryScope
from yaat_core.config.options import Duration, Size
from yaat_plugin_gateway.access import sightings, watch
from yaat_plugin_gateway.access.caller import Caller
from yaat_plugin_gateway.access.gate import Gate, opened
from yaat_plugin_gateway.access.rates import KeyLimits
from yaat_plugin_gateway.access.sightings import Sightings
from yaat_plugin_gateway.state.location import located
from yaat_plugin_gateway.state.records import Organization, Quota, Rates, Wanted
from yaat_plugin_gateway.state.store import State, open_state
from yaat_plugin_gateway.web.refusal import Refused

MakeState = Callable[[], State]


async def caller_of(
    gate: Gate, state: State, wall: Any, *, organization: str = "default", **rates: int
) -> Caller:
    wanted = Wanted(name="x", rights=frozenset({"ingest"}), rates=Rates(**rates))
    _, fresh = await trio.to_thread.run_sync(state.keys.create, organization, wanted, wall.us)
    return await gate.access.caller(fresh.token)


async def refused(gate: Gate, caller: Caller, events: dict[str, int], size: int = 1) -> Refused:
    with pytest.raises(Refused) as told:
        await gate.limits.admit(caller, events, size)
    assert told.value.status == 429
    return told.value


async def took(gate: Gate, caller: Caller, events: dict[str, int], size: int = 1) -> None:
    await gate.limits.admit(caller, events, size)
    gate.limits.used(caller, events, size)


async def test_without_limits_everything_passes(local: State, wall: Any, mock_clock: MockClock) -> None:
    async with opened(local, KeyLimits(), wall=wall) as gate:
        caller = await caller_of(gate, local, wall)
        for _ in range(50):
            assert (await gate.limits.admit(caller, {"log": 10**6}, 10**9)).headers == {}


@pytest.mark.parametrize(
    ("limits", "unit", "batch", "size"),
    [
        (KeyLimits(events_per_second=10), "events", {"log": 60, "span": 40}, 1),
        (KeyLimits(bytes_per_second=Size(1_000)), "bytes", {"log": 1}, 10_000),
        (KeyLimits(requests_per_second=1, events_per_second=10**6), "requests", {"log": 1}, 1),
    ],
)
async def test_rates(
    local: State,
    wall: Any,
    mock_clock: MockClock,
    limits: KeyLimits,
    unit: str,
    batch: dict[str, int],
    size: int,
) -> None:
    async with opened(local, limits, wall=wall) as gate:
        caller, other = await caller_of(gate, local, wall), await caller_of(gate, local, wall)
        while True:
            try:
                admitted = await gate.limits.admit(caller, batch, size)
            except Refused as error:
                told = error
                break
        assert admitted.headers["RateLimit-Remaining"] == "0"
        assert told.code == "rate_limited"
        assert told.more["limit"]["name"] == f"{unit}_per_second"
        assert f'comment="{unit}"' in told.headers["RateLimit-Policy"]
        assert told.headers["RateLimit-Remaining"] == "0"
        await gate.limits.admit(other, batch, size)
        # what it says is true: not yet a moment before, and certainly then
        wait = int(told.headers["Retry-After"])
        mock_clock.jump(wait - 1)
        if wait > 1:
            await refused(gate, caller, batch, size)
        mock_clock.jump(1)
        await gate.limits.admit(caller, batch, size)


async def test_a_request_that_is_refused_takes_nothing(
    local: State, wall: Any, mock_clock: MockClock
) -> None:
    limits = KeyLimits(events_per_second=10, requests_per_second=100, burst=Duration.parse("1s"))
    async with opened(local, limits, wall=wall) as gate:
        caller = await caller_of(gate, local, wall)
        await gate.limits.admit(caller, {"log": 5}, 1)
        for _ in range(50):
            await refused(gate, caller, {"log": 6})
        headers = (await gate.limits.admit(caller, {"log": 5}, 1)).headers
        assert headers["RateLimit-Limit"] == "10"
        assert headers["RateLimit-Reset"] == "1"
        for _ in range(98):
            await gate.limits.admit(caller, {}, 0)
        assert (await refused(gate, caller, {})).more["limit"]["name"] == "requests_per_second"


async def test_a_key_may_have_limits_of_its_own(local: State, wall: Any, mock_clock: MockClock) -> None:
    async with opened(local, KeyLimits(events_per_second=10), wall=wall) as gate:
        caller = await caller_of(gate, local, wall, events_per_second=10_000)
        admitted = await gate.limits.admit(caller, {"log": 5_000}, 1)
        assert admitted.headers["RateLimit-Limit"] == "100000"
        assert admitted.headers["RateLimit-Remaining"] == "95000"


async def test_a_batch_that_is_larger_than_the_burst_passes_once(
    local: State, wall: Any, mock_clock: MockClock
) -> None:
    async with opened(local, KeyLimits(events_per_second=10), wall=wall) as gate:
        caller = await caller_of(gate, local, wall)
        await gate.limits.admit(caller, {"log": 1_000}, 1)
        told = await refused(gate, caller, {"log": 1})
        assert told.headers["Retry-After"] == "91"
        mock_clock.jump(91)
        await gate.limits.admit(caller, {"log": 1}, 1)


async def test_a_quota_of_a_day(local: State, wall: Any, mock_clock: MockClock) -> None:
    local.usage.set_quota("default", Quota(event_type="log", period="day", events=10))
    async with opened(local, KeyLimits(), wall=wall) as gate:
        one, two = await caller_of(gate, local, wall), await caller_of(gate, local, wall)
        await took(gate, one, {"log": 6})
        told = await refused(gate, two, {"log": 5})
        assert told.code == "quota_exceeded"
        assert told.more == {
            "limit": {
                "name": "events_per_day", "of": "organization", "event_type": "log", "allowed": 10, "used": 6
            },
            "retry_seconds": 12 * 3600,
        }  # fmt: skip
        assert told.headers["Retry-After"] == str(12 * 3600)
        assert told.headers["RateLimit-Remaining"] == "4"
        assert "10 log events a day, and has sent 6" in told.problem
        await took(gate, two, {"span": 1_000})
        await took(gate, two, {"log": 4})
        await refused(gate, one, {"log": 1})
        wall.now += 12 * 3600 - 1
        await refused(gate, one, {"log": 1})
        wall.now += 1
        admitted = await gate.limits.admit(one, {"log": 10}, 1)
        assert admitted.headers["RateLimit-Limit"] == "10"


async def test_a_clock_that_is_set_back_forgets_nothing(
    local: State, wall: Any, mock_clock: MockClock
) -> None:
    local.usage.set_quota("default", Quota(event_type="log", period="day", events=10))
    async with opened(local, KeyLimits(), wall=wall) as gate:
        caller = await caller_of(gate, local, wall)
        await took(gate, caller, {"log": 10})
        wall.now += 86_400
        await took(gate, caller, {"log": 9})
        wall.now -= 86_400
        await refused(gate, caller, {"log": 1})
        wall.now += 86_400
        await took(gate, caller, {"log": 1})
        await refused(gate, caller, {"log": 1})


async def test_quotas_of_a_month_and_of_all_types(local: State, wall: Any, mock_clock: MockClock) -> None:
    local.organizations.create(Organization(id="acme", name="Acme", created_us=wall.us))
    local.usage.set_quota("default", Quota(event_type="all", period="month", bytes=1_000))
    async with opened(local, KeyLimits(), wall=wall) as gate:
        caller = await caller_of(gate, local, wall)
        await took(gate, caller, {"log": 1, "metric": 2}, 900)
        wall.now += 15 * 86_400
        told = await refused(gate, caller, {"span": 1}, 101)
        assert told.more["limit"]["name"] == "bytes_per_month"
        assert int(told.headers["Retry-After"]) == 15 * 86_400 + 12 * 3600
        await took(gate, await caller_of(gate, local, wall, organization="acme"), {"span": 1}, 10**6)
        await took(gate, caller, {"span": 1}, 100)
        wall.now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC).timestamp()
        await took(gate, caller, {"span": 1}, 1_000)


async def test_what_was_used_is_known_after_a_restart(
    open_again: MakeState, wall: Any, mock_clock: MockClock
) -> None:
    first = open_again()
    first.usage.set_quota("default", Quota(event_type="log", period="month", events=100))
    async with opened(first, KeyLimits(), wall=wall) as gate:
        await took(gate, await caller_of(gate, first, wall), {"log": 60})
    second = open_again()
    async with opened(second, KeyLimits(), wall=wall) as gate:
        caller = await caller_of(gate, second, wall)
        gate.limits.used(caller, {"log": 30}, 1)  # before anybody asked for the quota
        await refused(gate, caller, {"log": 11})
        await took(gate, caller, {"log": 10})
        await gate.write()
        await refused(gate, caller, {"log": 1})
    assert second.usage.totals("default", "2025-12")["2025-12-01", "log"][0] == 100


async def test_a_quota_that_another_process_sets(
    open_again: MakeState, wall: Any, mock_clock: MockClock
) -> None:
    here, there = open_again(), open_again()
    async with opened(here, KeyLimits(), wall=wall) as gate:
        caller = await caller_of(gate, here, wall)
        await took(gate, caller, {"log": 50})
        quota = Quota(event_type="log", period="day", events=40)
        await trio.to_thread.run_sync(there.usage.set_quota, "default", quota)
        mock_clock.jump(watch.EVERY)
        await gate.watch.look()
        assert (await refused(gate, caller, {"log": 1})).more["limit"]["used"] == 50
        await trio.to_thread.run_sync(there.usage.set_quota, "default", Quota(event_type="log", period="day"))
        mock_clock.jump(watch.EVERY)
        await gate.watch.look()
        await gate.limits.admit(caller, {"log": 1}, 1)


async def test_usage_by_key_day_and_type(state: State, wall: Any, mock_clock: MockClock) -> None:
    async with opened(state, KeyLimits(), wall=wall) as gate:
        caller = await caller_of(gate, state, wall)
        gate.limits.used(caller, {"log": 3, "span": 1}, 400)
        wall.now += 86_400
        gate.limits.used(caller, {"log": 1}, 5)
    found = state.usage.between("default", "2025-12-01", "2025-12-31")
    assert [(one.day, one.key_id, one.event_type, one.events, one.bytes) for one in found] == [
        ("2025-12-01", caller.key_id, "log", 3, 300),
        ("2025-12-01", caller.key_id, "span", 1, 100),
        ("2025-12-02", caller.key_id, "log", 1, 5),
    ]


async def test_services_that_were_seen(state: State, wall: Any, mock_clock: MockClock) -> None:
    async with opened(state, KeyLimits(), wall=wall) as gate:
        for _ in range(3):
            gate.sightings.seen("default", [("shop", "production"), ("x\0y", "production"), ("w" * 201, "x")])
        await gate.write()
        first = wall.us
        wall.now += 61
        gate.sightings.seen("default", [("shop", "production"), ("shop", "test")])
    found = state.organizations.services(QueryScope(organization_id="default"))
    assert [(one.environment, one.first_seen_us, one.last_seen_us) for one in found] == [
        ("production", first, wall.us),
        ("test", wall.us, wall.us),
    ]
    assert gate.sightings.left_out == 6


def test_names_without_end_take_bounded_memory(wall: Any) -> None:
    seen = Sightings(wall=wall)
    seen.seen("default", [(f"service-{number}", "test") for number in range(sightings.REMEMBERED + 7)])
    assert seen.left_out == 7
    assert len(seen.take()) == sightings.REMEMBERED


COUNTING = """
import sys, time, trio
from pathlib import Path
from yaat_plugin_gateway.access.gate import opened
from yaat_plugin_gateway.access.rates import KeyLimits
from yaat_plugin_gateway.state.location import located
from yaat_plugin_gateway.state.store import open_state

async def main():
    state = open_state(located(sys.argv[1], Path()), 1)
    async with opened(state, KeyLimits(), everyone=True) as gate:
        caller = await gate.access.caller(None)
        with trio.open_signal_receiver(__import__("signal").SIGTERM) as signals:
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    async def stop():
                        async for _ in signals:
                            scope.cancel()
                    nursery.start_soon(stop)
                    while True:
                        await gate.limits.admit(caller, {"log": 1}, 10)
                        gate.limits.used(caller, {"log": 1}, 10)
                        print("x", flush=True)
                        await trio.sleep(0.005)
trio.run(main)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_kill_loses_a_little_of_the_counts_and_a_stop_nothing(tmp_path: Path, end: signal.Signals) -> None:
    where = str(tmp_path / "gateway.db")
    said = tmp_path / "said"
    with open(said, "wb") as out:
        process = subprocess.Popen([sys.executable, "-c", COUNTING, where], stdout=out)
    wait_until(lambda: said.stat().st_size > 0 or process.poll() is not None, what="it counts")
    state = open_state(located(where, tmp_path), 1)

    def written() -> int:
        today = datetime.datetime.now(datetime.UTC).date()
        days = [today - datetime.timedelta(days=1), today]
        used = state.usage.between("default", days[0].isoformat(), days[1].isoformat())
        return sum(one.events for one in used)

    try:
        wait_until(lambda: written() > 0, what="counts are written while it runs")
        before = written()
        process.send_signal(end)
        process.wait(60)
        counted = said.read_bytes().count(b"x")
        assert before <= written() <= counted
        if end is signal.SIGTERM:
            assert written() == counted
    finally:
        process.kill()
        process.wait()
        state.close()
