"""What all screens show, in one place: the last status, the last minutes, rates. Fed by `Feed`; screens only read it."""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

import attrs
import trio

from yaat_core.actions.agent import STATS, Series
from yaat_core.actions.base import Nothing
from yaat_core.actions.live import WATCH
from yaat_core.control.async_client import AsyncClient
from yaat_core.errors import AgentNotRunning, YaatError
from yaat_core.status import Status
from yaat_core.tui import noticing

Connection = Literal["connecting", "live", "lost", "none", "refused"]

#: Seconds of the last minutes that are kept.
KEPT: Final = 300
#: Seconds between two attempts to reach the agent.
_RETRY: Final = 0.5
#: Seconds that a rate is taken over: what comes in bursts does not flicker.
_SPAN: Final = 5
#: Events that are kept.
_EVENTS: Final = 500


@attrs.frozen(kw_only=True)
class Flow:
    """What goes through a component, a second; ``last``: seconds since something did, None when never."""

    in_: float = 0.0
    out: float = 0.0
    errors: float = 0.0
    last: float | None = None


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
    flows: Mapping[str, Flow] = attrs.field(factory=dict)
    """By component id."""
    history: Mapping[str, collections.deque[float]] = attrs.field(
        factory=lambda: {
            name: collections.deque(maxlen=KEPT) for name in ("in", "out", "errors", "queue", "bytes")
        }
    )
    """The last minutes, a value a second."""
    noticed: collections.deque[noticing.Noticed] = attrs.field(
        factory=lambda: collections.deque(maxlen=_EVENTS)
    )
    """What happened since the TUI runs, newest last."""
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
        self._looks: collections.deque[tuple[float, dict[str, dict[str, float]]]] = collections.deque(
            maxlen=_SPAN + 1
        )
        self._last: dict[str, float] = {}
        self.known = trio.Event()
        """Set when it is known whether an agent runs."""
        self._process: tuple[int, float] = (0, 0.0)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with self.link.follow(WATCH, Nothing()) as statuses:
                    async for status in statuses:
                        await self._take(status)
            except YaatError as error:
                self._lost(error)
            await trio.sleep(_RETRY)

    async def _take(self, status: Status) -> None:
        store = self.store
        if self._process[0] != status.pid or status.uptime_seconds < self._process[1]:
            self._looks.clear()
        self._process = (status.pid, status.uptime_seconds)
        report = await self.link.call(STATS, Nothing())
        store.series = report.series
        before = store.status
        store.noticed.extend(noticing.between(before, status) if before else noticing.first(status))
        store.status, store.at = status, time.monotonic()
        store.connection, store.problem = "live", None
        self._look(status)
        store.version += 1
        self.known.set()
        self._changed()

    def _lost(self, error: YaatError) -> None:
        store = self.store
        before = store.connection
        if isinstance(error, AgentNotRunning):
            store.connection = "lost" if store.status is not None else "none"
        elif store.status is not None:
            store.connection = "lost"
        else:
            store.connection = "refused"
        store.problem = error
        if before != store.connection:
            store.version += 1
        self.known.set()
        self._changed()

    def _look(self, status: Status) -> None:
        """One look at the counters: rates over the last few, and a value for each curve."""
        now = time.monotonic()
        totals = totals_of(self.store.series)
        before = self._looks[-1] if self._looks else None
        self._looks.append((now, totals))
        history = self.store.history
        history["queue"].append(status.queue.events)
        history["bytes"].append(status.queue.bytes)
        if before is None:
            return
        seconds = max(0.001, now - before[0])
        for component, counts in totals.items():
            if counts.get("in_", 0.0) + counts.get("out", 0.0) > sum(
                before[1].get(component, {}).get(kind, 0.0) for kind in ("in_", "out")
            ):
                self._last[component] = now
        for name, kind, prefix in (
            ("in", "in_", "sources."),
            ("out", "out", "sinks."),
            ("errors", "errors", ""),
        ):
            grown = _sum(totals, kind, prefix) - _sum(before[1], kind, prefix)
            history[name].append(max(0.0, grown) / seconds)
        first, then = self._looks[0]
        self.store.flows = {
            component: _flow(counts, then.get(component, {}), now - first, now, self._last.get(component))
            for component, counts in totals.items()
        }


_KINDS: Final[Mapping[str, str]] = {
    "yaat_events_read_total": "in_",
    "yaat_events_accepted_total": "out",
    "yaat_events_delivered_total": "out",
    "yaat_delivery_retries_total": "errors",
    "yaat_events_dead_total": "errors",
    "yaat_processor_errors_total": "errors",
}


def totals_of(series: Sequence[Series]) -> dict[str, dict[str, float]]:
    """By component and kind (`in_`, `out`, `errors`), what its counters say."""
    totals: dict[str, dict[str, float]] = {}
    for one in series:
        kind = _KINDS.get(one.name)
        if kind is not None and one.value is not None:
            of = totals.setdefault(one.labels.get("component", ""), {})
            of[kind] = of.get(kind, 0.0) + one.value
    return totals


def _sum(totals: Mapping[str, Mapping[str, float]], kind: str, prefix: str) -> float:
    return sum(counts.get(kind, 0.0) for name, counts in totals.items() if name.startswith(prefix))


def _flow(
    now: Mapping[str, float], then: Mapping[str, float], seconds: float, at: float, last: float | None
) -> Flow:
    rates: dict[str, Any] = {
        kind: max(0.0, now.get(kind, 0.0) - then.get(kind, 0.0)) / max(0.001, seconds)
        for kind in ("in_", "out", "errors")
    }
    return Flow(**rates, last=None if last is None else at - last)
