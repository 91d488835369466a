"""`dedupe`: of equal events within a window the first goes on.

How many were dropped is told by the first after the window, or, when none comes, by an event of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.components import Drop, Processor
from yaat_core.event import EventBatch
from yaat_plugin_sample.config import DedupeConfig
from yaat_plugin_sample.keys import happened_us, keys_of
from yaat_plugin_sample.recent import Recent
from yaat_plugin_sample.selecting import When, tagged, texts_of
from yaat_plugin_sample.untold import Untold

TAG: Final = "dedupe.repeated"
#: Seconds without a repetition, before one is told of by an event: a backlog comes quicker than its windows end.
_QUIET: Final = 5.0


class Dedupe(Processor):
    """Drops are counted with the reason `repeated`."""

    def __init__(self, config: DedupeConfig, clock: Callable[[], float] = time.time) -> None:
        self._fields = config.by
        self._ignore_numbers = config.ignore_numbers
        self._window_us = max(1, round(float(config.window) * 1e6))
        self._quiet = min(_QUIET, float(config.window))
        self._clock = clock
        self._when = When(config.when)
        self._since: Recent[bytes, int] = Recent(config.max_keys)
        self._untold = Untold()

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        """As `Processor.process`."""
        looked_at = np.flatnonzero(self._when.mask(batch))
        if not len(looked_at):
            return batch, []
        kept = np.ones(len(batch), bool)
        repeated = np.zeros(len(batch), np.int64)
        chosen = (
            batch if len(looked_at) == len(batch) else EventBatch(batch.columns.take(pa.array(looked_at)))
        )
        keys = keys_of(chosen, self._fields, ignore_numbers=self._ignore_numbers)
        times = happened_us(chosen).tolist()
        last: dict[bytes, int] = {}
        for place, (row, code, time_us) in enumerate(
            zip(looked_at.tolist(), keys.codes.tolist(), times, strict=True)
        ):
            digest = keys.digests[code]
            if self._passes(digest, time_us):
                repeated[row] = self._untold.told(digest)
            else:
                kept[row] = False
                self._untold.add(digest)
                last[digest] = place
        self._untold.show(last, chosen, self._clock())
        after = batch.filter(pa.array(kept))
        counts = repeated[kept]
        return tagged(after, TAG, texts_of(counts, where=counts > 0)), [
            Drop("repeated", len(batch) - len(after))
        ]

    def flush(self, *, final: bool) -> EventBatch | None:
        """A copy of the last repetition of each event whose window is over, with how many there were."""
        present = self._clock()
        before = float("inf") if final else present - self._quiet
        over = [
            digest
            for digest in self._untold.quiet_since(before, present)
            if final or self._is_over(digest, int(present * 1e6))
        ]
        return _as_events(*self._untold.take(over), present)

    def close(self) -> None:
        """Give resources back."""
        self._when.close()

    def _passes(self, digest: bytes, time_us: int) -> bool:
        since = self._since.get(digest)
        if since is not None and abs(time_us - since) < self._window_us:
            return False
        self._since.put(digest, time_us)
        return True

    def _is_over(self, digest: bytes, present_us: int) -> bool:
        since = self._since.peek(digest)
        return since is None or abs(present_us - since) >= self._window_us


def _as_events(rows: EventBatch, counts: Sequence[int], present: float) -> EventBatch | None:
    """New events: only a log is one when it is said again; a span or a measurement would count twice."""
    logs = pc.equal(rows.column("event_type"), "log")
    mask = np.asarray(logs.fill_null(False))
    if not mask.any():
        return None
    chosen = rows.filter(pa.array(mask))
    count = pa.array(np.array(counts, np.int64)[mask]).cast(pa.string())
    return tagged(_anew(chosen, present), TAG, count)


def _anew(rows: EventBatch, present: float) -> EventBatch:
    none: Any = pa.array([bytes(16)] * len(rows), rows.column("event_id").type)
    received = pa.scalar(int(present * 1e6), pa.timestamp("us", "UTC"))
    return rows.with_columns({"event_id": none, "received_at": pa.repeat(received, len(rows))})
