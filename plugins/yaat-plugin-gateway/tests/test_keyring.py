"""Keys are recognized, quickly; expired, rotated and revoked ones are not; who guesses is slowed."""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from support.postgres import postgres_server
from trio.testing import MockClock

from yaat_plugin_gateway.access import failures, token, watch
from yaat_plugin_gateway.access.failures import Failures
from yaat_plugin_gateway.access.gate import Gate, opened
from yaat_plugin_gateway.access.rates import KeyLimits
from yaat_plugin_gateway.state.database import Database
from yaat_plugin_gateway.state.keys import Keys
from yaat_plugin_gateway.state.location import located
from yaat_plugin_gateway.state.records import Key, Wanted
from yaat_plugin_gateway.state.store import State, open_state
from yaat_plugin_gateway.web.refusal import Refused

MakeState = Callable[[], State]
AGENTS = Wanted(name="agents", rights=frozenset({"ingest"}), services=frozenset({"shop"}))


async def refused(gate: Gate, key: str | None, address: str = "192.0.2.1") -> Refused:
    with pytest.raises(Refused) as told:
        await gate.access.caller(key, address)
    return told.value


def at_once(coroutine: Any) -> Any:
    """The result of a coroutine that waits for nothing and nobody."""
    with pytest.raises(StopIteration) as done:
        coroutine.send(None)
    return done.value.value


async def test_a_key_is_recognized(state: State, wall: Any, mock_clock: MockClock) -> None:
    key, fresh = state.keys.create("default", AGENTS, wall.us)
    async with opened(state, KeyLimits(), wall=wall) as gate:
        caller = await gate.access.caller(fresh.token)
        assert caller == key.caller()
        assert (caller.prefix, caller.scope.services) == (f"yaat_{key.id}", frozenset({"shop"}))
        assert fresh.token not in repr(caller) + repr(key) + repr(fresh)


async def test_a_key_that_is_known_waits_for_nobody(local: State, wall: Any, mock_clock: MockClock) -> None:
    key, fresh = local.keys.create("default", AGENTS, wall.us)
    async with opened(local, KeyLimits(), wall=wall) as gate:
        await gate.access.caller(fresh.token)
        for _ in range(100):
            assert at_once(gate.access.caller(fresh.token)).key_id == key.id
        wrong = token.make().token
        await refused(gate, wrong)
        with pytest.raises(Refused):
            at_once(gate.access.caller(wrong))


async def test_what_is_no_key(local: State, wall: Any, mock_clock: MockClock) -> None:
    _, fresh = local.keys.create("default", AGENTS, wall.us)
    async with opened(local, KeyLimits(), wall=wall) as gate:
        assert (await refused(gate, None)).status == 401
        for wrong in ("", "hunter2", fresh.token[:-1], fresh.token + "x", "ü" * 65, fresh.token.swapcase()):
            told = await refused(gate, wrong)
            assert (told.status, told.code) == (401, "unauthorized")
            assert "cut, mistyped" in told.problem
        # the id of one with the text of another
        other = token.make()
        assert (await refused(gate, other.token)).status == 401
        body = f"yaat_{token.id_of(fresh.token)}_{other.token[16:59]}"
        forged = body + token._checksum(body)
        await gate.access.caller(fresh.token)
        told = await refused(gate, forged)
        assert (told.status, "its text is another" in told.problem) == (401, True)
        assert told.headers["WWW-Authenticate"].startswith("Bearer")


async def test_expiry(local: State, wall: Any, mock_clock: MockClock) -> None:
    wanted = Wanted(name="x", rights=frozenset({"read"}), expires_us=wall.us + 1_000_000)
    _, fresh = local.keys.create("default", wanted, wall.us)
    async with opened(local, KeyLimits(), wall=wall) as gate:
        await gate.access.caller(fresh.token)
        wall.now += 1
        assert "expired" in (await refused(gate, fresh.token)).problem


async def test_revoked_in_another_process(open_again: MakeState, wall: Any, mock_clock: MockClock) -> None:
    here, there = open_again(), open_again()
    key, fresh = here.keys.create("default", AGENTS, wall.us)
    async with opened(here, KeyLimits(), wall=wall) as gate:
        await gate.access.caller(fresh.token)
        await trio.to_thread.run_sync(there.keys.revoke, None, key.id, wall.us)
        mock_clock.jump(watch.EVERY)
        told = await refused(gate, fresh.token)
        assert (told.status, "revoked" in told.problem) == (401, True)


async def test_made_in_another_process_is_good_at_once(
    open_again: MakeState, wall: Any, mock_clock: MockClock
) -> None:
    here, there = open_again(), open_again()
    async with opened(here, KeyLimits(), wall=wall) as gate:
        await refused(gate, token.make().token)
        _, fresh = await trio.to_thread.run_sync(there.keys.create, "default", AGENTS, wall.us)
        await gate.access.caller(fresh.token)


async def test_both_keys_of_a_rotation_are_good_until_it_is_over(
    open_again: MakeState, wall: Any, mock_clock: MockClock
) -> None:
    here, there = open_again(), open_again()
    old, first = here.keys.create("default", AGENTS, wall.us)
    async with opened(here, KeyLimits(), wall=wall) as gate:
        await gate.access.caller(first.token)
        new, second = there.keys.rotate(None, old.id, AGENTS, wall.us + 60_000_000, wall.us)
        mock_clock.jump(watch.EVERY)
        assert (await gate.access.caller(first.token)).key_id == old.id
        assert (await gate.access.caller(second.token)).key_id == new.id
        wall.now += 60
        assert f"expired; its successor is {new.prefix}" in (await refused(gate, first.token)).problem
        assert (await gate.access.caller(second.token)).key_id == new.id


class Slow(Keys):
    """Answers of a database that take their time on the way: the first one is from before ``go``."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.read, self.go = threading.Event(), threading.Event()

    def find(self, id: str) -> Key | None:
        """As that of `Keys`."""
        found = super().find(id)
        self.read.set()
        assert self.go.wait(60)
        return found


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_a_revocation_wins_against_a_look_that_is_under_way(
    open_again: MakeState, wall: Any, mock_clock: MockClock, where: str, elsewhere: bool
) -> None:
    here, there = open_again(), open_again()
    key, fresh = here.keys.create("default", AGENTS, wall.us)
    database = Database(located(where, Path()))
    here.keys = slow = Slow(database)
    async with opened(here, KeyLimits(), wall=wall) as gate, trio.open_nursery() as nursery:

        async def ask() -> None:
            assert "revoked" in (await refused(gate, fresh.token)).problem

        nursery.start_soon(ask)
        await trio.to_thread.run_sync(slow.read.wait, 60)
        revoked = await trio.to_thread.run_sync(there.keys.revoke, None, key.id, wall.us)
        if elsewhere:  # noticed by another request
            mock_clock.jump(watch.EVERY)
            await gate.watch.look()
        else:
            gate.keyring.replace(revoked)
        slow.go.set()
    database.close()


async def test_who_guesses_is_slowed(local: State, wall: Any, mock_clock: MockClock) -> None:
    key, fresh = local.keys.create("default", AGENTS, wall.us)
    _, unseen = local.keys.create("default", AGENTS, wall.us)
    counted: Counter[str] = Counter()

    def refusals(code: str) -> None:
        counted[code] += 1

    async with opened(local, KeyLimits(), wall=wall, refused=refusals) as gate:
        await gate.access.caller(fresh.token, "192.0.2.1")
        for _ in range(failures.AT_ONCE):
            assert (await refused(gate, token.make().token, "192.0.2.1")).status == 401
        told = await refused(gate, token.make().token, "192.0.2.1")
        assert (told.status, told.code) == (429, "too_many_wrong_keys")
        # the known key, and everybody else, are not disturbed
        assert (await gate.access.caller(fresh.token, "192.0.2.1")).key_id == key.id
        await gate.access.caller(unseen.token, "192.0.2.2")
        assert (await refused(gate, token.make().token, "192.0.2.2")).status == 401
        mock_clock.jump(int(told.headers["Retry-After"]))
        assert (await refused(gate, token.make().token, "192.0.2.1")).status == 401
        assert (await refused(gate, token.make().token, "192.0.2.1")).status == 429
    assert counted == {"unauthorized": failures.AT_ONCE + 2, "too_many_wrong_keys": 2}


async def test_an_agent_with_an_old_key_takes_nobody_elses_turn(
    local: State, wall: Any, mock_clock: MockClock
) -> None:
    gone = token.make().token
    _, fresh = local.keys.create("default", AGENTS, wall.us)
    async with opened(local, KeyLimits(), wall=wall) as gate:
        for _ in range(10 * failures.AT_ONCE):
            assert (await refused(gate, gone)).status == 401
            assert (await refused(gate, "not a key")).status == 401
        await gate.access.caller(fresh.token, "192.0.2.1")


def test_addresses_take_bounded_memory() -> None:
    async def main() -> None:
        counted = Failures()
        for number in range(failures.REMEMBERED + 500):
            counted.add(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        assert len(counted) == failures.REMEMBERED
        for number in range(failures.AT_ONCE):
            counted.add(f"2001:db8::{number:x}")
        assert counted.wait("2001:db8::ffff") > 0, "one network of IPv6 counts as one"
        assert counted.wait("2001:db8:0:1::1") == 0
        assert counted.wait("fe80::1%eth0") == 0

    trio.run(main, clock=MockClock())


async def test_last_use_is_written_now_and_then(local: State, wall: Any, mock_clock: MockClock) -> None:
    key, fresh = local.keys.create("default", AGENTS, wall.us)

    def last_use() -> int | None:
        return local.keys.one(None, key.id).last_used_us

    async with opened(local, KeyLimits(), wall=wall) as gate:
        first = wall.us
        await gate.access.caller(fresh.token)
        await gate.write()
        assert last_use() == first
        wall.now += 59
        await gate.access.caller(fresh.token)
        await gate.write()
        assert last_use() == first
        last = wall.us
    assert last_use() == last


async def test_health_names_keys_that_should_be_rotated(
    local: State, wall: Any, mock_clock: MockClock
) -> None:
    wanted = Wanted(name="x", rights=frozenset({"read"}), rotate_us=wall.us + 1)
    key, _ = local.keys.create("default", wanted, wall.us)
    async with opened(local, KeyLimits(), wall=wall) as gate:
        await gate.look_for_due()
        assert gate.problems() == []
        wall.now += 1
        await gate.look_for_due()
        (found,) = gate.problems()
        assert (found.level, key.prefix in found.problem) == ("warn", True)
        assert found.advice == f"yaat gateway keys rotate {key.prefix}"


async def test_a_fresh_gateway_tells_how_to_make_a_key(
    local: State, wall: Any, mock_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "yaat.gateway")
    async with opened(local, KeyLimits(), wall=wall) as gate:
        assert (await refused(gate, None)).status == 401
    assert "make a key with `yaat gateway keys create NAME`" in caplog.text
    caplog.clear()
    local.keys.create("default", AGENTS, wall.us)
    async with opened(local, KeyLimits(), wall=wall):
        pass
    assert not caplog.text


async def test_everyone_may_come_when_that_is_wanted(local: State, wall: Any, mock_clock: MockClock) -> None:
    async with opened(local, KeyLimits(), wall=wall, everyone=True) as gate:
        caller = await gate.access.caller(None)
        assert caller.rights == {"ingest", "read"}
        assert caller.scope.organization_id == "default"
        gate.limits.used(caller, {"log": 3}, 30)
    assert sum(local.usage.totals("default", "2025-12")["2025-12-01", "log"]) == 33


async def test_the_database_goes_away_and_comes_back(wall: Any, mock_clock: MockClock) -> None:
    with postgres_server() as server:
        state = open_state(located(server.new_database(), server.folder), wall.us)
        _, known = state.keys.create("default", AGENTS, wall.us)
        _, unseen = state.keys.create("default", AGENTS, wall.us)
        async with opened(state, KeyLimits(), wall=wall) as gate:
            caller = await gate.access.caller(known.token)
            await gate.limits.admit(caller, {"log": 1}, 10)
            await _while_it_is_away(server, gate, known.token, unseen.token, mock_clock)
        state.close()


async def _while_it_is_away(server: Any, gate: Gate, known: str, unseen: str, clock: MockClock) -> None:
    server.stop()
    clock.jump(watch.EVERY)
    caller = await gate.access.caller(known)
    gate.limits.used(caller, {"log": 7}, 70)
    await gate.write()
    told = await refused(gate, unseen)
    assert (told.status, told.code, told.headers["Retry-After"]) == (503, "state_unavailable", "5")
    assert {finding.problem.partition(":")[0] for finding in gate.problems()} == {
        "keys can't be checked",
        "usage can't be written",
    }
    clock.jump(watch.TRUSTED + 1)
    assert (await refused(gate, known)).status == 503
    server.start()
    clock.jump(2)
    await gate.access.caller(known)
    await gate.access.caller(unseen)
    await gate.write()
    assert gate.problems() == []
    assert gate.state.usage.totals("default", "2025-12") == {("2025-12-01", "log"): (7, 70)}


# --- how a key looks


def test_keys_are_of_one_form_and_never_the_same() -> None:
    made = [token.make() for _ in range(200)]
    assert len({one.token for one in made}) == len({one.id for one in made}) == 200
    for one in made:
        assert re.fullmatch(r"yaat_[2-9a-z]{10}_[0-9A-Za-z]{49}", one.token)
        assert token.id_of(one.token) == one.id == token.named(one.token) == token.named(f"yaat_{one.id}")
        assert one.hash == token.digest(one.token)


@given(st.integers(5, 64), st.sampled_from("0aZ_-é\n"))
def test_a_key_with_one_wrong_letter_is_none(place: int, letter: str) -> None:
    good = token.make().token
    if good[place] != letter:
        assert token.id_of(good[:place] + letter + good[place + 1 :]) is None


@given(st.text())
def test_any_text_is_no_key(text: str) -> None:
    assert token.id_of(text) is None
    token.named(text)
