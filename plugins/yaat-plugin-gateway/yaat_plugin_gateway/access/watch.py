"""Notices what other processes change in the state: keys revoked by a command, quotas set by it.

Before a request is judged, the database's revision was looked at within the last half second, or it is looked at now: so a
revocation made elsewhere holds for every request that comes a second after it, however busy the machine is. Nothing is
asked while no request comes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import trio

from yaat_core.errors import YaatError
from yaat_plugin_gateway.state.keys import Changes
from yaat_plugin_gateway.state.store import State
from yaat_plugin_gateway.web.refusal import Refused

log = logging.getLogger("yaat.gateway")

#: Seconds for which what was seen is taken as it is.
EVERY: Final = 0.5
#: Seconds that a look may take before the database counts as silent.
_PATIENCE: Final = 0.5
#: Seconds between looks at a database that is silent.
_AGAIN: Final = 1.0
#: Seconds without a look after which no key is trusted any more.
TRUSTED: Final = 60.0


class Watch:
    """One for a gateway. Those who keep something by heart subscribe."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._revision: int | None = None
        self._seen = float("-inf")
        self._next = float("-inf")
        self._looking = trio.Lock()
        self._subscribers: list[Callable[[Changes], None]] = []
        self.silent: str = ""
        """Why the database does not answer; empty: it does."""

    def subscribe(self, changed: Callable[[Changes], None]) -> None:
        """Call this with what changed, from the event loop."""
        self._subscribers.append(changed)

    @property
    def is_current(self) -> bool:
        """Nothing need be looked at now."""
        return trio.current_time() < self._next

    def expire(self) -> None:
        """Something was changed here: the next request looks."""
        self._next = float("-inf")

    async def look(self) -> None:
        """Be sure that what is known is not older than `EVERY` (or, while the database is silent, than `TRUSTED`).

        Raises:
            Refused: 503, the database was silent for too long.
        """
        if not self.is_current:
            async with self._looking:
                if not self.is_current:
                    await self._ask()
        if trio.current_time() - self._seen > TRUSTED:
            raise silent(self.silent)

    async def _ask(self) -> None:
        began = trio.current_time()
        why = "it did not answer in time"
        with trio.move_on_after(_PATIENCE if self._revision is not None else float("inf")):
            try:
                changes = await self._state.ask(self._state.keys.changes, self._revision, give_up=True)
            except YaatError as error:
                why = error.what
            else:
                why = ""
                self._seen, self._next = began, began + EVERY
                self._tell(changes)
        if why:
            self._next = trio.current_time() + _AGAIN
        if why != self.silent:
            log.log(
                logging.WARNING if why else logging.INFO, "the gateway's state: %s", why or "it answers again"
            )
        self.silent = why

    def _tell(self, changes: Changes) -> None:
        before, self._revision = self._revision, changes.revision
        if before is not None and before != changes.revision:
            for changed in self._subscribers:
                changed(changes)


def silent(why: str) -> Refused:
    """The database can't be asked: the client is told to come again."""
    return Refused(
        503,
        "state_unavailable",
        f"keys can't be checked now: {why}",
        fix="try again later; the gateway's log and `yaat diagnose` tell more",
        headers={"Retry-After": "5"},
    )
