"""`sample`: a share of the events, decided by a value that events of one trace have in common.

With trace ids the decision is that of OpenTelemetry's consistent probability sampling: the last 56 bits of the id are its
randomness R, the rejection threshold is T = (1 - probability) * 2**56, and what has R >= T is kept
(https://opentelemetry.io/docs/specs/otel/trace/tracestate-probability-sampling/). So agents and SDKs that keep 10 % keep
the same traces, and whoever keeps 20 % keeps these among others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.components import Drop, Processor
from yaat_core.event import EventBatch
from yaat_plugin_sample.config import SampleConfig
from yaat_plugin_sample.keys import field_of
from yaat_plugin_sample.selecting import When, tagged

_BITS: Final = 56
_DIGITS: Final = _BITS // 4
#: Constants of the finaliser of splitmix64 (Steele, Lea and Flood, 2014).
_MIX: Final = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))

TAG: Final = "sample.percent"


class Sample(Processor):
    """Drops are counted with the reason `sampled_out`; what is kept has the tag `sample.percent`."""

    def __init__(self, config: SampleConfig) -> None:
        self._threshold = np.uint64(round((1 - config.percent / 100) * 2**_BITS))
        self._by = config.by
        self._when = When(config.when)
        self._percent = f"{config.percent:g}"

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        """As `Processor.process`."""
        sampled = self._when.mask(batch)
        kept = ~sampled | (self._randomness(batch) >= self._threshold)
        after = batch.filter(pa.array(kept))
        marks = pc.if_else(pa.array(sampled[kept]), self._percent, pa.scalar(None, pa.string()))
        return tagged(after, TAG, marks), [Drop("sampled_out", len(batch) - len(after))]

    def close(self) -> None:
        """Give resources back."""
        self._when.close()

    def _randomness(self, batch: EventBatch) -> Any:
        """56 bits a row."""
        own = _mixed(batch)
        encoded = field_of(batch, self._by).dictionary_encode()
        values = encoded.dictionary.to_pylist()
        if not values:
            return own
        shared = np.array(
            [_of_trace(one) if self._by == "trace_id" else _of_text(one) for one in values], np.uint64
        )
        indices = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False)
        absent = np.asarray(encoded.indices.is_null()) | np.array([not one for one in values])[indices]
        return np.where(absent, own, shared[indices])


def _of_trace(trace_id: str) -> int:
    """The last 56 bits of a trace id; of anything else a hash."""
    try:
        return int(trace_id[-_DIGITS:], 16) if len(trace_id) >= _DIGITS else _of_text(trace_id)
    except ValueError:
        return _of_text(trace_id)


def _of_text(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_BITS // 8)
    return int.from_bytes(digest.digest(), "big")


def _mixed(batch: EventBatch) -> Any:
    """For each row bits that go by its `event_id` alone, so that reading again decides the same."""
    ids = batch.column("event_id")
    pairs = np.frombuffer(ids.buffers()[1], np.uint64)[2 * ids.offset : 2 * (ids.offset + len(ids))].reshape(
        -1, 2
    )
    bits = pairs[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ pairs[:, 1]
    bits = (bits ^ bits >> np.uint64(30)) * _MIX[0]
    bits = (bits ^ bits >> np.uint64(27)) * _MIX[1]
    return (bits ^ bits >> np.uint64(31)) >> np.uint64(64 - _BITS)
