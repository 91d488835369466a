"""What one round measured, gathered by column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa

from yaat_core import EventBatch
from yaat_core.event import TAGS_TYPE
from yaat_kit.choosing import Chosen

#: Characters of a tag's value: a process may call itself anything.
LONGEST_TAG: Final = 256


class Points:
    """Metrics of a round. `ours` are named by the schema, `otel` by OpenTelemetry's semantic conventions."""

    def __init__(self, metrics: Chosen, names: str, prefix: str) -> None:
        self._metrics = metrics
        self._prefix = prefix
        self._with_ours = names in ("yaat", "both")
        self.with_otel = names in ("otel", "both")
        self._names: list[str] = []
        self._values: list[float] = []
        self._tags: list[list[tuple[str, str]]] = []

    def __len__(self) -> int:
        return len(self._names)

    def ours(self, name: str, value: float | None, unit: str, tags: Mapping[str, object] = {}) -> None:
        """``NAME`` behind the prefix (``host.``); a value that is not known is left out."""
        if self._with_ours and value is not None:
            self._add(self._prefix + name, value, {**tags, "unit": unit})

    def otel(self, name: str, value: float | None, unit: str, tags: Mapping[str, object] = {}) -> None:
        """``NAME`` as OpenTelemetry has it, ``unit`` in UCUM."""
        if self.with_otel and value is not None:
            self._add(name, value, {**tags, "unit": unit})

    def batch(self) -> EventBatch:
        """All of them as events."""
        return EventBatch.build(
            len(self._names),
            {
                "event_type": "metric",
                "metric_name": pa.array(self._names, pa.string()),
                "metric_value": pa.array(self._values, pa.float64()),
                "tags": pa.array(self._tags, TAGS_TYPE),
            },
        )

    def _add(self, name: str, value: float, tags: Mapping[str, Any]) -> None:
        if name in self._metrics:
            self._names.append(name)
            self._values.append(float(value))
            self._tags.append([(key, str(text)[:LONGEST_TAG]) for key, text in tags.items()])
