"""`dedupe`: of equal events within a window the first goes on; the first after the window carries how many were dropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import numpy as np
import pyarrow as pa

from yaat_core.components import Drop, Processor
from yaat_core.event import EventBatch
from yaat_plugin_sample.config import DedupeConfig
from yaat_plugin_sample.keys import happened_us, keys_of
from yaat_plugin_sample.recent import Recent
from yaat_plugin_sample.selecting import When, tagged, texts_of

TAG: Final = "dedupe.repeated"


@attrs.define
class _Seen:
    since_us: int
    dropped: int = 0


class Dedupe(Processor):
    """Drops are counted with the reason `repeated`."""

    def __init__(self, config: DedupeConfig) -> None:
        self._fields = config.by
        self._ignore_numbers = config.ignore_numbers
        self._window_us = max(1, round(float(config.window) * 1e6))
        self._when = When(config.when)
        self._seen: Recent[bytes, _Seen] = Recent(config.max_keys)

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
        for row, code, time_us in zip(looked_at.tolist(), keys.codes.tolist(), times, strict=True):
            passes, before = self._look(keys.digests[code], time_us)
            kept[row] = passes
            repeated[row] = before
        after = batch.filter(pa.array(kept))
        counts = repeated[kept]
        return tagged(after, TAG, texts_of(counts, where=counts > 0)), [
            Drop("repeated", len(batch) - len(after))
        ]

    def close(self) -> None:
        """Give resources back."""
        self._when.close()

    def _look(self, digest: bytes, time_us: int) -> tuple[bool, int]:
        """Does it go on, and how many were dropped before it."""
        seen = self._seen.get(digest)
        if seen is not None and abs(time_us - seen.since_us) < self._window_us:
            seen.dropped += 1
            return False, 0
        self._seen.put(digest, _Seen(time_us))
        return True, seen.dropped if seen is not None else 0
