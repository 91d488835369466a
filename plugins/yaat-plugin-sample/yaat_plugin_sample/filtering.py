"""`filter`: events that an expression chooses."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow.compute as pc

from yaat_core.components import Drop, Processor
from yaat_core.event import EventBatch
from yaat_kit.expressions import Expression
from yaat_plugin_sample.config import FilterConfig


class Filter(Processor):
    """Drops are counted with the reason `filter`."""

    def __init__(self, config: FilterConfig) -> None:
        text = config.keep if config.keep is not None else config.drop
        assert text is not None
        self._expression = Expression(text)
        self._keeps = config.keep is not None

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        """As `Processor.process`."""
        mask = self._expression.mask(batch)
        kept = mask if self._keeps else pc.invert(mask)
        after = batch.filter(kept)
        return after, [Drop("filter", len(batch) - len(after))]

    def close(self) -> None:
        """Give DuckDB's memory back."""
        self._expression.close()
