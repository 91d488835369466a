"""`throttle`: so many events of each key in each window of the events' own time.

Windows go by when events happened, not by when they are read, so that a backlog is not thinned for being read quickly.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from yaat_core.components import Drop, Processor
from yaat_core.event import EventBatch
from yaat_plugin_sample.config import ThrottleConfig
from yaat_plugin_sample.keys import happened_us, keys_of, ranks, with_any
from yaat_plugin_sample.recent import Recent
from yaat_plugin_sample.selecting import When


class Throttle(Processor):
    """Drops are counted with the reason `over_limit`."""

    def __init__(self, config: ThrottleConfig) -> None:
        self._rate = config.rate
        self._window_us = max(1, round(float(config.per) * 1e6))
        self._fields = config.key
        self._when = When(config.when)
        self._used: Recent[tuple[bytes, int], int] = Recent(config.max_keys)

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        """As `Processor.process`."""
        looked_at = self._when.mask(batch) & with_any(batch, self._fields)
        if not looked_at.any():
            return batch, []
        kept = ~looked_at
        kept[looked_at] = self._within(batch.filter(pa.array(looked_at)))
        after = batch.filter(pa.array(kept))
        return after, [Drop("over_limit", len(batch) - len(after))]

    def close(self) -> None:
        """Give resources back."""
        self._when.close()

    def _within(self, batch: EventBatch) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        keys = keys_of(batch, self._fields)
        windows = happened_us(batch) // self._window_us
        pairs = np.stack([keys.codes, windows], axis=1)
        distinct, groups = np.unique(pairs, axis=0, return_inverse=True)
        groups = groups.reshape(-1)
        counts = np.bincount(groups, minlength=len(distinct))
        left = np.empty(len(distinct), np.int64)
        for index, ((code, window), count) in enumerate(zip(distinct.tolist(), counts.tolist(), strict=True)):
            key = (keys.digests[code], window)
            used = self._used.get(key) or 0
            left[index] = self._rate - used
            self._used.put(key, min(used + count, self._rate))
        return np.asarray(ranks(groups) < left[groups])
