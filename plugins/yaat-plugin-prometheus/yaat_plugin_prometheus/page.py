"""The page itself: what the agent counts and says of itself, in the format that was asked for.

OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/), or the text format 0.0.4
(https://prometheus.io/docs/instrumenting/exposition_formats/), both written by `prometheus_client`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from yaat_core.health_routes import HealthAnswer
from yaat_core.stats import Sample
from yaat_core.status import Status
from yaat_plugin_prometheus.accept import wants_openmetrics
from yaat_plugin_prometheus.families import Families
from yaat_plugin_prometheus.own import describe

#: CPU time, memory, open files and start time of this process.
_PROCESS = ProcessCollector(registry=None)


class _Collected(Collector):
    """Families that are ready, as the library wants to be given them."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def page(samples: Iterable[Sample], status: Status, accept: str) -> HealthAnswer:
    """All metrics; ``accept`` is the request's header of that name, or empty."""
    families = Families()
    families.have(_PROCESS.collect())
    describe(status, families)
    for sample in samples:
        families.add(sample)
    metrics = _Collected(families.ready())
    if wants_openmetrics(accept):
        body: bytes = openmetrics.generate_latest(metrics)  # type: ignore[no-untyped-call]
        return HealthAnswer(body=body, content_type=openmetrics.CONTENT_TYPE_LATEST)
    return HealthAnswer(body=generate_latest(metrics), content_type=CONTENT_TYPE_PLAIN_0_0_4)
