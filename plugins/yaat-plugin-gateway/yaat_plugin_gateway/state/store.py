"""The state of a gateway, opened: organizations, keys, quotas, usage."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final, TypeVar

import trio
from sqlalchemy import URL

from yaat_plugin_gateway.state.database import Database
from yaat_plugin_gateway.state.keys import Keys
from yaat_plugin_gateway.state.organizations import Organizations
from yaat_plugin_gateway.state.records import Organization
from yaat_plugin_gateway.state.upgrade import upgrade
from yaat_plugin_gateway.state.usage import Usage

log = logging.getLogger("yaat.gateway")

R = TypeVar("R")

#: The organization that a fresh state begins with.
FIRST: Final = "default"
_THREADS: Final = 4


class State:
    """Blocking calls: in a thread of one's own (a command), or by `ask` (the gateway)."""

    def __init__(self, database: Database, *, fresh: bool) -> None:
        self.keys = Keys(database)
        self.organizations = Organizations(database)
        self.usage = Usage(database)
        self.fresh = fresh
        """It was made just now, with the organization `default` and no key."""
        self._database = database
        self._threads: trio.CapacityLimiter | None = None

    @property
    def name(self) -> str:
        """For people: its path, or its URL without the password."""
        return self._database.name

    async def ask(self, question: Callable[..., R], *arguments: Any, give_up: bool = False) -> R:
        """Call a method of the state in a worker thread, a few at a time.

        ``give_up``: when this is cancelled the thread is left to itself (for what only looks).
        """
        if self._threads is None:
            self._threads = trio.CapacityLimiter(_THREADS)
        return await trio.to_thread.run_sync(
            question, *arguments, abandon_on_cancel=give_up, limiter=self._threads
        )

    def close(self) -> None:
        """End its connections. Safe twice."""
        self._database.close()


def open_state(url: URL, now_us: int) -> State:
    """Open the state, made or brought to the newest version when need be. Blocking.

    Raises:
        StoreNewer: a later version made it.
        YaatError: it can't be used.
    """
    database = Database(url)
    try:
        database.prepare()
        upgrade(database)
        first = Organization(id=FIRST, name=FIRST, created_us=now_us)
        state = State(database, fresh=False)
        state.fresh = state.organizations.make_first(first)
        if state.fresh:
            log.info("made the state %s, with the organization %s", state.name, FIRST)
    except BaseException:
        database.close()
        raise
    return state
