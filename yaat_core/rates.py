"""How much flows now and did in the last minutes: by component from the agent's own counters, looked at once a second."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs
import trio

from yaat_core.stats import Stats
from yaat_core.status import QueueFigures, Rates

#: Seconds between two looks.
EVERY: Final = 1.0
#: Looks that a rate is made of: what comes in bursts (a delivery every second or two) does not flicker.
SPAN: Final = 5
#: Looks that are kept: five minutes.
KEPT: Final = 300

#: By what is counted: how the names of the counters end that say so, each by component.
COUNTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "in_": ("yaat_events_read_total", "yaat_processor_events_in_total", "yaat_sink_events_total"),
    "out": ("yaat_events_accepted_total", "yaat_processor_events_out_total", "yaat_events_delivered_total"),
    "errors": ("_errors_total", "_failures_total", "_rejected_total", "_retries_total", "_dead_total"),
    "bytes": ("yaat_source_bytes_total", "yaat_sink_bytes_total"),
}


@attrs.frozen(kw_only=True)
class History:
    """The last five minutes, a value a second, oldest first; before the agent started there is none.

    ``seconds``: seconds ago, so the last one is about 0. ``in_``: events that sources handed over; ``out``: events that
    sinks confirmed, of all sinks together; ``errors`` of all components; ``queue_*``: what waited for the slowest sink.
    """

    seconds: Sequence[float]
    in_: Sequence[float]
    out: Sequence[float]
    errors: Sequence[float]
    queue_events: Sequence[float]
    queue_bytes: Sequence[float]


class Meter:
    """Looks at the counters once a second. All in the event loop; a look takes some tenths of a millisecond."""

    def __init__(self, stats: Stats, waits: Callable[[], QueueFigures]) -> None:
        self._stats = stats
        self._waits = waits
        self._looks: list[tuple[float, dict[str, dict[str, float]]]] = []
        self._last_event: dict[str, float] = {}
        self._history = {name: _Ring() for name in ("at", "in_", "out", "errors", "events", "bytes")}

    async def run(self) -> None:
        """Look, until cancelled."""
        due = trio.current_time()
        while True:
            self.look(trio.current_time())
            due = max(due + EVERY, trio.current_time() + EVERY / 2)
            await trio.sleep_until(due)

    def look(self, now: float) -> None:
        """One look, at this time of trio's clock."""
        totals = self._totals()
        before = self._looks[-1] if self._looks else (now - EVERY, {kind: {} for kind in COUNTERS})
        self._looks = [*self._looks[-SPAN:], (now, totals)]
        for component, count in totals["in_"].items():
            if count > before[1]["in_"].get(component, 0.0):
                self._last_event[component] = now
        self._remember(now, before, totals)

    def seen(self) -> list[str]:
        """Components that something flowed through since the start."""
        return [
            name for name in self._last_event if name.partition(".")[0] in ("sources", "processors", "sinks")
        ]

    def rates(self, components: Sequence[str], now: float) -> list[Rates]:
        """Of these components, over the last few looks."""
        return [self._rates(component, now) for component in components]

    def history(self, now: float) -> History:
        """As kept."""
        kept = {name: ring.values() for name, ring in self._history.items()}
        return History(
            seconds=[round(now - at, 3) for at in kept["at"]],
            in_=kept["in_"],
            out=kept["out"],
            errors=kept["errors"],
            queue_events=kept["events"],
            queue_bytes=kept["bytes"],
        )

    def _totals(self) -> dict[str, dict[str, float]]:
        names = self._stats.names()
        totals: dict[str, dict[str, float]] = {}
        for kind, ends in COUNTERS.items():
            of_kind = totals.setdefault(kind, {})
            for name in names:
                if name.endswith(ends):
                    for labels, value in self._stats.values(name):
                        component = labels.get("component", "")
                        of_kind[component] = of_kind.get(component, 0.0) + value
        return totals

    def _rates(self, component: str, now: float) -> Rates:
        seen = self._last_event.get(component)
        values = {}
        if len(self._looks) > 1:
            (first, before), (last, after) = self._looks[0], self._looks[-1]
            for kind in COUNTERS:
                grown = after[kind].get(component, 0.0) - before[kind].get(component, 0.0)
                values[kind] = round(max(0.0, grown) / (last - first), 3)
        return Rates(
            component=component,
            **values,
            last_event_seconds=None if seen is None else round(max(0.0, now - seen), 3),
        )

    def _remember(
        self,
        now: float,
        before: tuple[float, dict[str, dict[str, float]]],
        totals: dict[str, dict[str, float]],
    ) -> None:
        seconds = now - before[0]
        for kind, prefix in (("in_", "sources."), ("out", "sinks."), ("errors", "")):
            grown = _sum(totals[kind], prefix) - _sum(before[1][kind], prefix)
            self._history[kind].add(max(0.0, grown) / seconds)
        waits = self._waits()
        self._history["at"].add(now)
        self._history["events"].add(waits.events)
        self._history["bytes"].add(waits.bytes)


def _sum(values: Mapping[str, float], prefix: str) -> float:
    return sum(value for component, value in values.items() if component.startswith(prefix))


class _Ring:
    """The last `KEPT` numbers."""

    def __init__(self) -> None:
        self._numbers = array("d")
        self._at = 0

    def add(self, number: float) -> None:
        if len(self._numbers) < KEPT:
            self._numbers.append(number)
        else:
            self._numbers[self._at] = number
            self._at = (self._at + 1) % KEPT

    def values(self) -> list[float]:
        """Oldest first."""
        ordered = self._numbers[self._at :] + self._numbers[: self._at]
        return [round(number, 3) for number in ordered]
