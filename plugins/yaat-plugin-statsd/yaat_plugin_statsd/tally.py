"""What a source counts of itself."""

from __future__ import annotations

from collections import Counter

from yaat_core.stats import ComponentStats
from yaat_core.stats import Counter as Count


class Tally:
    """The instruments of one source, and what went wrong since the last window for health."""

    def __init__(self, stats: ComponentStats) -> None:
        self._stats = stats
        self._by_reason: dict[str, Count] = {}
        self.lately: Counter[str] = Counter()
        """Rejections by reason since `forget`."""
        self.samples = stats.counter("yaat_statsd_samples_total", "Values, events and checks that were read.")
        self.overflows = stats.counter(
            "yaat_statsd_overflows_total", "Results left out because a double can't hold them."
        )
        self.series = stats.gauge("yaat_statsd_series", "Series that are known.")
        self.refused = stats.counter(
            "yaat_statsd_refused_samples_total", "Samples of series beyond `max_series`, not kept."
        )
        self.shed = stats.counter(
            "yaat_statsd_shed_events_total",
            "Events, checks and timestamped metrics that had to go because the pipeline was full.",
        )

    def reject(self, reason: str) -> None:
        """A line, or a value of one, could not be taken."""
        self.lately[reason] += 1
        if reason not in self._by_reason:
            self._by_reason[reason] = self._stats.counter(
                "yaat_statsd_rejected_total", "Lines, values and frames that were not taken.", reason=reason
            )
        self._by_reason[reason].add()

    def packets(self, listener: str) -> Count:
        """Datagrams, frames or pieces of a stream."""
        return self._stats.counter("yaat_statsd_packets_total", "Packets received.", listener=listener)

    def received_bytes(self, listener: str) -> Count:
        """What came in."""
        return self._stats.counter("yaat_statsd_received_bytes_total", "Bytes received.", listener=listener)

    def kernel_drops(self, listener: str) -> Count:
        """Lost before they could be read."""
        return self._stats.counter(
            "yaat_statsd_kernel_drops_total",
            "Datagrams that the kernel threw away unread.",
            listener=listener,
        )

    def refused_connections(self, listener: str) -> Count:
        """Closed at once."""
        return self._stats.counter(
            "yaat_statsd_refused_connections_total",
            "Connections beyond `max_connections`.",
            listener=listener,
        )
