"""A sink that throws away: for measuring everything before it. It counts, so that the benchmark can check the count."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.compute as pc

from yaat_core import EventBatch, Register, Sink, configuration, hookimpl, option
from yaat_core.components import Context, Done, Outcome, Position

_CANARY = "canary"  # as in bench/data.py
_COUNTER = "bench.requests."  # as in bench/statsd_sender.py


@configuration
class NullConfig:
    """Throws away what comes."""

    report: str = option(help="Where to write, when it closes, what came.", example="report.json")


class NullSink(Sink):
    """Delivered is what was counted."""

    remote = False
    stable_batches = False

    def __init__(self, config: NullConfig, context: Context) -> None:
        self._report = Path(config.report)
        self._rows = self._secrets = self._last = 0
        self._first: int | None = None
        self._counted = 0.0

    async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
        """Count rows, and those that still hold a made-up secret."""
        self._rows += len(batch)
        held = pc.sum(pc.match_substring(batch.column("message"), _CANARY)).as_py()
        self._secrets += held or 0
        self._counted += self._counters(batch)
        self._first = position.first if self._first is None else self._first
        self._last = position.last
        return Done()

    def _counters(self, batch: EventBatch) -> float:
        """The sum of StatsD's counters, without their rates."""
        names = batch.column("metric_name")
        chosen = pc.and_not(pc.starts_with(names, _COUNTER), pc.ends_with(names, ".rate"))
        return pc.sum(batch.column("metric_value").filter(chosen)).as_py() or 0.0

    async def aclose(self) -> None:
        """Tell."""
        told = {"rows": self._rows, "secrets": self._secrets, "first": self._first, "last": self._last}
        told["counted"] = self._counted
        self._report.write_text(json.dumps(told), encoding="utf-8")


@hookimpl
def register_components(register: Register) -> None:
    """Provide the sink type `null`."""
    register.sink("null", NullConfig, NullSink)
