"""Keys, limits, usage and services together, as a gateway's source has them.

state = await trio.to_thread.run_sync(open_state, located(config.state, context.state_dir), now_us)
async with opened(state, config.limits, everyone=config.access == "none") as gate:
    caller = await gate.access.caller(key, address)
    admission = await gate.limits.admit(caller, {"log": 10}, 4096)
    ...                                            # durable
    gate.limits.used(caller, {"log": 10}, 4096)
    gate.sightings.seen(caller.scope.organization_id, {("shop", "production")})
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

import attrs
import trio

from yaat_core.components import Finding, QueryScope
from yaat_core.errors import YaatError
from yaat_plugin_gateway.access import ledger
from yaat_plugin_gateway.access.caller import Access, Caller
from yaat_plugin_gateway.access.keyring import Everyone, Keyring
from yaat_plugin_gateway.access.limits import Limiter
from yaat_plugin_gateway.access.rates import KeyLimits
from yaat_plugin_gateway.access.sightings import Sightings
from yaat_plugin_gateway.access.watch import Watch
from yaat_plugin_gateway.state.records import Key
from yaat_plugin_gateway.state.store import FIRST, State

log = logging.getLogger("yaat.gateway")

#: Seconds that the last write may take when the gateway ends.
_GRACE: Final = 5.0
#: Seconds between looks for keys that should be rotated.
_DUE_EVERY: Final = 600.0
#: Keys that health names one by one.
_NAMED: Final = 3


@attrs.define
class Gate:
    """What a request has to pass."""

    state: State
    access: Access
    keyring: Keyring
    limits: Limiter
    sightings: Sightings
    watch: Watch
    wall: Callable[[], float] = time.time
    _due: Sequence[Key] = ()

    def problems(self) -> Sequence[Finding]:
        """What is wrong while the gateway goes on."""
        found = []
        if self.watch.silent:
            advice = "known keys are good for a minute without it; then requests are answered with 503"
            found.append(Finding(problem=f"keys can't be checked: {self.watch.silent}", advice=advice))
        if self.limits.ledger.problem:
            advice = "the counts wait in memory, and are lost when the gateway ends before it can write them"
            found.append(
                Finding(problem=f"usage can't be written: {self.limits.ledger.problem}", advice=advice)
            )
        if self._due:
            names = ", ".join(key.prefix for key in self._due[:_NAMED])
            more = f" and {len(self._due) - _NAMED} more" if len(self._due) > _NAMED else ""
            found.append(
                Finding(
                    problem=f"keys should have been rotated by now: {names}{more}",
                    advice=f"yaat gateway keys rotate {self._due[0].prefix}",
                    level="warn",
                )
            )
        return found

    async def write(self, *, all: bool = False) -> None:
        """Write what was counted. ``all``: also last uses that could wait."""
        used, seen = self.keyring.last_used_us(all=all), self.sightings.take()
        written = False
        try:
            written = await self.limits.ledger.write(used, seen)
        finally:
            if written:
                self.keyring.written(used)
            else:
                self.sightings.put_back(seen)

    async def run(self) -> None:
        """Write each second; now and then look for keys that should be rotated. Until cancelled."""
        next_due = trio.current_time()
        while True:
            if trio.current_time() >= next_due:
                next_due += _DUE_EVERY
                await self.look_for_due()
            await trio.sleep(ledger.EVERY)
            self.limits.tidy()
            await self.write()

    async def look_for_due(self) -> None:
        """Look for keys that should have been rotated."""
        try:
            self._due = await self.state.ask(self.state.keys.due, int(self.wall() * 1e6))
        except YaatError as error:
            log.warning("keys that should be rotated can't be looked for: %s", error.line())


@asynccontextmanager
async def opened(
    state: State,
    limits: KeyLimits,
    *,
    everyone: bool = False,
    refused: Callable[[str], None] = lambda code: None,
    wall: Callable[[], float] = time.time,
) -> AsyncIterator[Gate]:
    """A gate on an open state, while the block lasts; the state stays open.

    ``everyone``: whoever comes may send and read, for the organization `default` (the listener has to be on loopback).
    ``refused`` is told the code of each request that is refused for its key.

    Raises:
        YaatError: the state can't be used.
    """
    watch = Watch(state)
    keyring = Keyring(state, watch, refused, wall=wall)
    limiter = Limiter(state, limits, keyring.rates, wall=wall)
    watch.subscribe(limiter.changed)
    access: Access = Everyone(watch, _anyone()) if everyone else keyring
    gate = Gate(state, access, keyring, limiter, Sightings(wall=wall), watch, wall)
    if everyone:
        await state.ask(state.organizations.ensure, FIRST, int(wall() * 1e6))
    elif not await state.ask(partial(state.keys.all, limit=1)):
        log.info("nobody can send yet: make a key with `yaat gateway keys create NAME`")
    await watch.look()
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(gate.run)
            yield gate
            nursery.cancel_scope.cancel()
    finally:
        with trio.move_on_after(_GRACE, shield=True):
            await gate.write(all=True)


def _anyone() -> Caller:
    scope = QueryScope(organization_id=FIRST)
    return Caller(key_id="", prefix="(no key)", rights=frozenset({"ingest", "read"}), scope=scope)
