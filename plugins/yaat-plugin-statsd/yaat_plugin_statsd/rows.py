"""Metric rows as columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa

from yaat_core.event import TAGS_TYPE, TIME_TYPE, EventBatch
from yaat_plugin_statsd.naming import Tags

#: Rows of one batch at most.
BATCH_ROWS: Final = 8192


class Rows:
    """Rows of one moment. `owner` says whose tags the following rows have; `add` adds one.

    A value that is not finite any more (a sum beyond what a double holds) is left out and counted in ``overflows``.
    """

    def __init__(self, time_us: int) -> None:
        self._time_us = time_us
        self._names: list[str] = []
        self._values: list[float] = []
        self._owners: list[int] = []
        self._tags: list[Tags] = []
        self.overflows = 0

    def __len__(self) -> int:
        return len(self._names)

    def owner(self, tags: Tags) -> None:
        """The next rows carry these."""
        self._tags.append(tags)

    def add(self, name: str, value: float) -> None:
        """One row."""
        if value - value != 0.0:
            self.overflows += 1
            return
        self._names.append(name)
        self._values.append(value)
        self._owners.append(len(self._tags) - 1)

    def batches(self) -> Iterator[EventBatch]:
        """All rows, in batches of bounded size."""
        if not self._names:
            return
        owners = np.asarray(self._owners)
        time = pa.scalar(self._time_us, TIME_TYPE)
        columns = {
            "event_type": pa.repeat(pa.scalar("metric"), len(owners)),
            "metric_name": pa.array(self._names, pa.string()),
            "metric_value": pa.array(self._values, pa.float64()),
            "timestamp": pa.repeat(time, len(owners)),
            "received_at": pa.repeat(time, len(owners)),
            "service_name": self._column("service").take(pa.array(owners)),
            "environment": self._column("env").take(pa.array(owners)),
            "tags": self._map(owners),
        }
        whole = EventBatch.build(len(owners), columns)
        for start in range(0, len(owners), BATCH_ROWS):
            yield whole.slice(start, BATCH_ROWS)

    def _column(self, key: str) -> Any:
        """One tag's value by owner; empty where it is not there."""
        return pa.array([next((v for k, v in tags if k == key), "") for tags in self._tags], pa.string())

    def _map(self, owners: Any) -> Any:
        """The owners' tags, row by row, without a loop over rows."""
        lengths = np.fromiter(map(len, self._tags), np.int64, len(self._tags))
        starts = np.concatenate([[0], np.cumsum(lengths)])[:-1]
        per_row = lengths[owners]
        offsets = np.zeros(len(owners) + 1, np.int32)
        np.cumsum(per_row, out=offsets[1:])
        picks = pa.array(np.arange(offsets[-1]) + np.repeat(starts[owners] - offsets[:-1], per_row))
        keys = pa.array([key for tags in self._tags for key, _ in tags], pa.string())
        values = pa.array([value for tags in self._tags for _, value in tags], pa.string())
        return pa.MapArray.from_arrays(
            pa.array(offsets), keys.take(picks), values.take(picks), type=TAGS_TYPE
        )
