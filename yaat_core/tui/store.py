"""What all screens show, in one place: the last status, the last minutes, what happened. Fed by `Feed`; screens only read it."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

import attrs
import trio

from yaat_core.actions.agent import STATS, Series
from yaat_core.actions.base import Nothing
from yaat_core.actions.happenings import EVENTS, Events
from yaat_core.actions.live import HISTORY, WATCH
from yaat_core.control.async_client import AsyncClient
from yaat_core.errors import AgentNotRunning, YaatError
from yaat_core.happenings import Happening
from yaat_core.status import Rates, Status

Connection = Literal["connecting", "live", "lost", "none", "refused"]

#: Seconds of the last minutes that are kept.
KEPT: Final = 300
#: Seconds between two attempts to reach the agent.
_RETRY: Final = 0.5
#: Events of the agent that are kept, and fetched at first.
_EVENTS: Final = 500
#: Seconds without a status after which the agent counts as gone.
_SILENCE: Final = 20.0


@attrs.define(kw_only=True)
class Store:
    """Everything that is known. ``version`` grows with each change."""

    status: Status | None = None
    at: float = 0.0
    """When the status came (`time.monotonic`)."""
    connection: Connection = "connecting"
    problem: YaatError | None = None
    """Why there is no connection."""
    series: Sequence[Series] = ()
    """The agent's own numbers."""
    rates: Mapping[str, Rates] = attrs.field(factory=dict)
    """By component id."""
    history: Mapping[str, collections.deque[float]] = attrs.field(
        factory=lambda: {
            name: collections.deque(maxlen=KEPT) for name in ("in", "out", "errors", "queue", "bytes")
        }
    )
    """The last minutes, a value a second."""
    happenings: collections.deque[Happening] = attrs.field(factory=lambda: collections.deque(maxlen=_EVENTS))
    """What happened to the agent, newest last."""
    version: int = 0

    @property
    def age(self) -> float:
        """Seconds since the last status."""
        return time.monotonic() - self.at if self.at else 0.0

    @property
    def live(self) -> bool:
        """Does the agent answer now?"""
        return self.connection == "live"

    def series_of(self, name: str) -> list[Series]:
        """The series of one name."""
        return [one for one in self.series if one.name == name]


class Feed:
    """Keeps the store up to date, and reconnects by itself. ``changed`` is called after each change."""

    def __init__(self, store: Store, link: AsyncClient, changed: Callable[[], None]) -> None:
        self.store, self.link, self._changed = store, link, changed
        self.known = trio.Event()
        """Set when it is known whether an agent runs."""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._follow()
            except YaatError as error:
                self._lost(error)
            await trio.sleep(_RETRY)

    async def _follow(self) -> None:
        fresh = True
        async with self.link.follow(WATCH, Nothing()) as statuses:
            while True:
                with trio.move_on_after(_SILENCE) as silence:
                    status = await anext(statuses, None)
                if silence.cancelled_caught:
                    raise YaatError(f"the agent said nothing for {_SILENCE:.0f} s")
                if status is None:
                    raise YaatError("the agent ended the connection")
                await self._take(status, fresh=fresh)
                fresh = False

    async def _take(self, status: Status, *, fresh: bool) -> None:
        store = self.store
        store.series = (await self.link.call(STATS, Nothing())).series
        await self._events(fresh=fresh)
        if fresh:
            await self._past()
        else:
            self._curves(status)
        store.rates = {one.component: one for one in status.rates}
        store.status, store.at = status, time.monotonic()
        store.connection, store.problem = "live", None
        self._told()

    async def _events(self, *, fresh: bool) -> None:
        """What happened since the last look."""
        happenings = self.store.happenings
        if fresh:
            happenings.clear()
        after = happenings[-1].number if happenings else None
        found = await self.link.call(EVENTS, Events(limit=_EVENTS, after=after))
        happenings.extend(found.happenings)

    async def _past(self) -> None:
        """The curves as the agent has them."""
        past = await self.link.call(HISTORY, Nothing())
        values = (past.in_, past.out, past.errors, past.queue_events, past.queue_bytes)
        for curve, kept in zip(self.store.history.values(), values, strict=True):
            curve.clear()
            curve.extend(kept)

    def _curves(self, status: Status) -> None:
        """One more value for each."""
        history = self.store.history
        sources = [one for one in status.rates if one.component.startswith("sources.")]
        sinks = [one for one in status.rates if one.component.startswith("sinks.")]
        history["in"].append(sum(one.in_ for one in sources))
        history["out"].append(sum(one.out for one in sinks))
        history["errors"].append(sum(one.errors for one in status.rates))
        history["queue"].append(status.queue.events)
        history["bytes"].append(status.queue.bytes)

    def _lost(self, error: YaatError) -> None:
        store = self.store
        if store.status is not None:
            store.connection = "lost"
        else:
            store.connection = "none" if isinstance(error, AgentNotRunning) else "refused"
        store.problem = error
        self._told()

    def _told(self) -> None:
        self.store.version += 1
        self.known.set()
        self._changed()
