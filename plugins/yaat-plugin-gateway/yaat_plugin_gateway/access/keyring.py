"""Recognizes keys. One that was seen before costs a hash and a look into a dictionary: no thread, no database."""

from __future__ import annotations

import hmac
import math
import time
from collections.abc import Callable, Mapping
from typing import Final

import attrs

from yaat_core.errors import YaatError
from yaat_plugin_gateway.access import token as tokens
from yaat_plugin_gateway.access.caller import Caller
from yaat_plugin_gateway.access.failures import Failures
from yaat_plugin_gateway.access.watch import Watch, silent
from yaat_plugin_gateway.state.keys import Changes
from yaat_plugin_gateway.state.records import Key, Rates
from yaat_plugin_gateway.state.store import State
from yaat_plugin_gateway.web.refusal import Refused

#: Keys that are known by heart, and ids that are known not to exist.
REMEMBERED: Final = 10_000
#: Seconds between two writes of a key's last use.
_USE_EVERY: Final = 60.0


@attrs.define
class _Known:
    key: Key
    hash: bytes
    caller: Caller
    until: float
    """Seconds since 1970 up to which it is good; 0: it is revoked."""
    used: float = 0.0
    written: float = 0.0

    @classmethod
    def of(cls, key: Key) -> _Known:
        expires = key.wanted.expires_us
        until = 0.0 if key.revoked_us is not None else math.inf if expires is None else expires / 1e6
        return cls(key, key.hash, key.caller(), until)


class Keyring:
    """Implements `Access` on the keys of the state."""

    def __init__(
        self,
        state: State,
        watch: Watch,
        refused: Callable[[str], None],
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._state = state
        self._watch = watch
        self._refused = refused
        self._wall = wall
        self._known: dict[str, _Known] = {}
        self._unknown: dict[str, None] = {}
        self._generation = 0
        self.failures = Failures()
        watch.subscribe(self._changed)

    async def caller(self, token: str | None, address: str = "") -> Caller:
        """As `Access.caller`."""
        if token is None:
            raise self._told(_unauthorized("no key", "send it as `Authorization: Bearer KEY`"))
        if not self._watch.is_current:
            await self._watch.look()
        known = self._known.get(token[5:15])
        if known is None or not hmac.compare_digest(tokens.digest(token), known.hash):
            known = await self._looked_up(token, address)
        now = self._wall()
        if now >= known.until:
            raise self._told(_ended(known.key, now))
        known.used = now
        return known.caller

    def rates(self, key_id: str) -> Rates:
        """A key's own limits."""
        known = self._known.get(key_id)
        return known.key.wanted.rates if known else Rates()

    def replace(self, key: Key) -> None:
        """A key was changed here: it holds at once."""
        self._generation += 1
        self._unknown.pop(key.id, None)
        if (known := self._known.get(key.id)) is not None:
            fresh = _Known.of(key)
            fresh.used, fresh.written = known.used, known.written
            self._known[key.id] = fresh

    def last_used_us(self, *, all: bool = False) -> Mapping[str, int]:
        """Uses that should be written now: of a key at most one a minute; or all that are not written."""
        every = 1e-6 if all else _USE_EVERY
        return {
            id: int(known.used * 1e6)
            for id, known in self._known.items()
            if known.used - known.written >= every
        }

    def written(self, last_used_us: Mapping[str, int]) -> None:
        """These are in the database."""
        for id, at in last_used_us.items():
            if (known := self._known.get(id)) is not None:
                known.written = at / 1e6

    def _changed(self, changes: Changes) -> None:
        self._generation += 1
        self._unknown.clear()
        for key in changes.keys:
            self.replace(key)

    async def _looked_up(self, token: str, address: str) -> _Known:
        """A key that is not known by heart, or a wrong one."""
        id = tokens.id_of(token)
        if id is None:
            problem = "this is no key of a gateway: it is cut, mistyped, or something else"
            raise self._told(_unauthorized(problem, _ANOTHER))
        if id in self._unknown:
            raise self._told(_unauthorized(f"no key {tokens.prefix(id)} is known here", _ANOTHER))
        if wait := self.failures.wait(address):
            raise self._told(_slowed(wait))
        known = self._known.get(id) or await self._asked(id)
        if known is None or not hmac.compare_digest(tokens.digest(token), known.hash):
            self.failures.add(address)
            problem = f"no key {tokens.prefix(id)} is known here, or its text is another"
            raise self._told(_unauthorized(problem, _ANOTHER))
        return known

    async def _asked(self, id: str) -> _Known | None:
        """Ask the database; once more when keys changed meanwhile, since its answer may be from before."""
        generation = -1
        while generation != self._generation:
            generation = self._generation
            try:
                key = await self._state.ask(self._state.keys.find, id)
            except YaatError as error:
                raise silent(error.what) from error
        if key is None:
            _bounded(self._unknown)
            self._unknown[id] = None
            return None
        _bounded(self._known)
        known = self._known[id] = _Known.of(key)
        return known

    def _told(self, refused: Refused) -> Refused:
        """Counted."""
        self._refused(refused.code)
        return refused


@attrs.frozen
class Everyone:
    """Implements `Access` for `access: none`: whoever comes may send and read, for one organization."""

    watch: Watch
    who: Caller

    async def caller(self, token: str | None, address: str = "") -> Caller:
        """As `Access.caller`; any key, or none."""
        if not self.watch.is_current:
            await self.watch.look()
        return self.who


_ANOTHER: Final = "yaat gateway keys list shows which there are; keys create makes one"


def _bounded(remembered: dict[str, _Known] | dict[str, None]) -> None:
    """Room for one more: what came first goes."""
    if len(remembered) >= REMEMBERED:
        del remembered[next(iter(remembered))]


def _unauthorized(problem: str, fix: str) -> Refused:
    headers = {"WWW-Authenticate": 'Bearer realm="yaat"'}  # RFC 6750, section 3
    return Refused(401, "unauthorized", problem, fix=fix, headers=headers)


def _ended(key: Key, now: float) -> Refused:
    standing = key.standing(int(now * 1e6))
    successor = f"; its successor is {tokens.prefix(key.replaced_by)}" if key.replaced_by else ""
    return _unauthorized(f"the key {key.prefix} is {standing}{successor}", "use another key")


def _slowed(wait: float) -> Refused:
    seconds = math.ceil(wait)
    return Refused(
        429,
        "too_many_wrong_keys",
        "too many wrong keys came from this address",
        fix=f"correct the key; the next new one is looked at in {seconds} s",
        headers={"Retry-After": str(seconds)},
    )
