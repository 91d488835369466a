"""Samples gathered into the families of OpenMetrics, whatever names and labels they come with.

Names of plugins' instruments are theirs to choose: what the format does not allow becomes `_`, a unit at the end of the name
becomes the family's unit, and a family whose names another one has already is left out and counted, since one bad line makes
Prometheus refuse the whole page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import attrs
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    StateSetMetricFamily,
)

from yaat_core.stats import Sample
from yaat_plugin_prometheus.config import MAX_SERIES, MAX_VALUE, UNITS

Type = Literal["counter", "gauge", "histogram"]

_LEFT_OUT: Final = "yaat_metrics_left_out"
#: What a family of each type may call its samples.
_SUFFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "counter": ("", "_total", "_created"),
    "gauge": ("",),
    "histogram": ("", "_bucket", "_count", "_sum", "_created"),
    "info": ("", "_info"),
    "stateset": ("",),
}
#: A histogram's own label, and the prefix of Prometheus's own.
_LE: Final = "le"


@attrs.define(eq=False)
class _Series:
    """The series of one family, by their labels."""

    name: str
    type: Type
    help: str
    by_labels: dict[tuple[tuple[str, str], ...], Sample] = attrs.field(factory=dict)

    def metric(self) -> Metric:
        """Every series has every label of the family: an empty one is as good as none."""
        names = sorted({name for key in self.by_labels for name, _ in key})
        made = _EMPTY[self.type](self.name, self.help, labels=names, unit=_unit(self.name))
        for key, sample in self.by_labels.items():
            values = [dict(key).get(name, "") for name in names]
            if isinstance(made, HistogramMetricFamily):
                buckets = [(_bound(bound), float(count)) for bound, count in sample.buckets]
                made.add_metric(values, buckets=buckets, sum_value=sample.value)
            else:
                made.add_metric(values, sample.value)
        return made


_EMPTY: Final[Mapping[Type, type[CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily]]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}


class Families:
    """Gathers; `ready` gives what came together."""

    def __init__(self) -> None:
        self._series: dict[str, _Series] = {}
        self._whole: list[Metric] = []
        self._taken: set[str] = {_LEFT_OUT}
        self._left_out = 0

    def have(self, metrics: Iterable[Metric]) -> None:
        """These are whole."""
        for metric in metrics:
            if self._take(metric.name, metric.type):
                self._whole.append(metric)

    def info(self, name: str, help: str, facts: Mapping[str, str]) -> None:
        """Facts that do not change; ``name`` without `_info`."""
        self.have(
            [InfoMetricFamily(name, help, value={_name(key): _value(text) for key, text in facts.items()})]
        )

    def states(
        self, name: str, help: str, labels: Mapping[str, str], states: Sequence[str], state: str
    ) -> None:
        """One of several states: 1 for what it is, 0 for the others."""
        found = next((one for one in self._whole if one.name == name), None)
        if not isinstance(found, StateSetMetricFamily):
            found = StateSetMetricFamily(name, help, labels=sorted(labels))
            self.have([found])
        values = [_value(labels[label]) for label in sorted(labels)]
        found.add_metric(values, {one: one == state for one in states})

    def counter(self, name: str, help: str, labels: Mapping[str, str], value: float) -> None:
        """One series of a counter."""
        self.add(Sample(name=name, type="counter", help=help, labels=labels, value=float(value)))

    def gauge(self, name: str, help: str, labels: Mapping[str, str], value: float) -> None:
        """One series of a gauge; True is 1."""
        self.add(Sample(name=name, type="gauge", help=help, labels=labels, value=float(value)))

    def add(self, sample: Sample) -> None:
        """One series. What can't be shown is left out and counted."""
        name = _name(sample.name)
        if sample.type == "counter":
            name = name.removesuffix("_total")
        series = self._series.get(name)
        if series is None:
            if not self._take(name, sample.type):
                return
            series = self._series[name] = _Series(name, sample.type, sample.help)
        key = _labels(sample.labels)
        full = len(series.by_labels) >= MAX_SERIES
        if series.type != sample.type or key in series.by_labels or full:
            self._left_out += 1
            return
        series.by_labels[key] = sample

    def ready(self) -> list[Metric]:
        """All families, by name."""
        told = GaugeMetricFamily(
            _LEFT_OUT, "Series left out of this page: their names or labels clash with others."
        )
        told.add_metric([], self._left_out)
        made = [*self._whole, *(series.metric() for series in self._series.values()), told]
        return sorted(made, key=lambda metric: metric.name)

    def _take(self, name: str, type: str) -> bool:
        names = {name + suffix for suffix in _SUFFIXES.get(type, ("",))}
        if names & self._taken:
            self._left_out += 1
            return False
        self._taken |= names
        return True


def _bound(bound: float) -> str:
    return "+Inf" if bound == float("inf") else repr(float(bound))


def _unit(name: str) -> str:
    return next((unit for unit in UNITS if name.endswith(f"_{unit}")), "")


def _name(text: str) -> str:
    """A name that both formats allow, for metrics and labels (so without the colon)."""
    plain = re.sub(r"[^a-zA-Z0-9_]", "_", text)
    return f"_{plain}" if not plain or plain[0].isdigit() else plain


def _labels(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    named: dict[str, str] = {}
    for name, value in labels.items():
        plain = re.sub(r"^_+", "_", _name(name))
        named[f"{plain}_" if plain == _LE else plain] = _value(value)
    return tuple(sorted(named.items()))


def _value(text: str) -> str:
    whole = str(text).encode("utf-8", "replace").decode("utf-8")
    return whole if len(whole) <= MAX_VALUE else f"{whole[: MAX_VALUE - 1]}…"
