"""Counters, gauges and histograms of the agent itself: one registry, read by health, metrics and screens.

Writers hold an instrument and call one method; readers take `Stats.snapshot`. Names are
``yaat_`` + snake case with the unit last; a component's instruments carry its id as a label. What a counter counts
whose name ends with `_errors_total`, `_failures_total`, `_rejected_total`, `_retries_total` or `_dead_total` is shown as errors
of the component.
"""

from __future__ import annotations

import bisect
import threading
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeVar

import attrs

#: Upper bounds in seconds of the latency histograms.
LATENCY_BUCKETS: Final = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    60.0,
)
#: Distinct label sets kept for one instrument name; further ones share the series `overflow`.
MAX_SERIES: Final = 2_000

Type = Literal["counter", "gauge", "histogram"]


@attrs.frozen(kw_only=True)
class Sample:
    """One series of a snapshot. A histogram has ``buckets`` (bound, cumulative count), ``count`` and its sum as ``value``."""

    name: str
    type: Type
    help: str
    labels: Mapping[str, str]
    value: float
    count: int = 0
    buckets: tuple[tuple[float, int], ...] = ()


class Counter:
    """Only goes up."""

    def __init__(self) -> None:
        self.value = 0.0
        self._lock = threading.Lock()

    def add(self, amount: float = 1) -> None:
        """Count ``amount`` more."""
        with self._lock:
            self.value += amount


class Gauge:
    """A value as it is now."""

    def __init__(self) -> None:
        self.value = 0.0

    def set(self, value: float) -> None:
        """The value is now this."""
        self.value = value


class Histogram:
    """Counts of values by upper bound."""

    def __init__(self, bounds: tuple[float, ...] = LATENCY_BUCKETS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0
        self._lock = threading.Lock()

    def observe(self, value: float, times: int = 1) -> None:
        """``value`` happened ``times`` times."""
        with self._lock:
            self.counts[bisect.bisect_left(self.bounds, value)] += times
            self.sum += value * times

    def observe_all(self, values: Any) -> None:
        """Every value of a numpy array happened once."""
        import numpy as np

        counts = np.bincount(np.searchsorted(self.bounds, values), minlength=len(self.counts))
        with self._lock:
            self.counts = [before + int(more) for before, more in zip(self.counts, counts, strict=True)]
            self.sum += float(values.sum())


Instrument = Counter | Gauge | Histogram
T = TypeVar("T", Counter, Gauge, Histogram)


class Stats:
    """The registry. Asking twice for the same name and labels gives the same instrument."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._series: dict[str, dict[tuple[tuple[str, str], ...], Instrument]] = {}
        self._help: dict[str, str] = {}

    def counter(self, name: str, help: str, **labels: str) -> Counter:
        """A counter; by convention ``name`` ends in `_total`."""
        return self._get(Counter, name, help, labels)

    def gauge(self, name: str, help: str, **labels: str) -> Gauge:
        """A gauge."""
        return self._get(Gauge, name, help, labels)

    def histogram(self, name: str, help: str, **labels: str) -> Histogram:
        """A histogram of seconds."""
        return self._get(Histogram, name, help, labels)

    def forget(self, **labels: str) -> None:
        """Drop every series that carries all of these labels (a file that is gone)."""
        wanted = set(labels.items())
        with self._lock:
            for series in self._series.values():
                for key in [key for key in series if wanted <= set(key)]:
                    del series[key]

    def names(self) -> list[str]:
        """Of every instrument."""
        with self._lock:
            return list(self._series)

    def values(self, name: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of every series of one counter or gauge."""
        with self._lock:
            series = list(self._series.get(name, {}).items())
        return [(dict(key), one.value) for key, one in series if not isinstance(one, Histogram)]

    def snapshot(self) -> list[Sample]:
        """Every series as it is now, by name."""
        with self._lock:
            rows = [
                (name, key, one)
                for name, series in sorted(self._series.items())
                for key, one in series.items()
            ]
        return [_sample(name, self._help[name], dict(key), one) for name, key, one in rows]

    def _get(self, kind: type[T], name: str, help: str, labels: Mapping[str, str]) -> T:
        key = tuple(sorted(labels.items()))
        with self._lock:
            series = self._series.setdefault(name, {})
            self._help.setdefault(name, help)
            if key not in series and len(series) >= MAX_SERIES:
                key = (("overflow", "true"),)
            found = series.setdefault(key, kind())
        if not isinstance(found, kind):
            raise TypeError(f"{name} is a {type(found).__name__.lower()}, not a {kind.__name__.lower()}")
        return found


@attrs.frozen
class ComponentStats:
    """The registry as one component sees it: every instrument carries the label ``component``."""

    stats: Stats
    component: str

    def counter(self, name: str, help: str, **labels: str) -> Counter:
        """As `Stats.counter`."""
        return self.stats.counter(name, help, component=self.component, **labels)

    def gauge(self, name: str, help: str, **labels: str) -> Gauge:
        """As `Stats.gauge`."""
        return self.stats.gauge(name, help, component=self.component, **labels)

    def histogram(self, name: str, help: str, **labels: str) -> Histogram:
        """As `Stats.histogram`."""
        return self.stats.histogram(name, help, component=self.component, **labels)

    def forget(self, **labels: str) -> None:
        """As `Stats.forget`."""
        self.stats.forget(component=self.component, **labels)


def _sample(name: str, help: str, labels: dict[str, str], one: Instrument) -> Sample:
    if isinstance(one, Histogram):
        running, buckets = 0, []
        for bound, count in zip((*one.bounds, float("inf")), one.counts, strict=True):
            running += count
            buckets.append((bound, running))
        return Sample(
            name=name,
            type="histogram",
            help=help,
            labels=labels,
            value=one.sum,
            count=running,
            buckets=tuple(buckets),
        )
    kind: Type = "counter" if isinstance(one, Counter) else "gauge"
    return Sample(name=name, type=kind, help=help, labels=labels, value=one.value)
