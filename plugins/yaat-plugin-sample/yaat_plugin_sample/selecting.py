"""`when`: which rows of a batch a processor looks at; the others pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from yaat_core import tags
from yaat_core.event import EventBatch
from yaat_kit.expressions import Expression


class When:
    """An optional expression."""

    def __init__(self, text: str | None) -> None:
        self._expression = Expression(text) if text is not None else None

    def mask(self, batch: EventBatch) -> Any:
        """A numpy boolean array: the rows to look at."""
        if self._expression is None:
            return np.ones(len(batch), bool)
        return np.array(self._expression.mask(batch).to_numpy(zero_copy_only=False))

    def close(self) -> None:
        """Give resources back."""
        if self._expression is not None:
            self._expression.close()


def tagged(batch: EventBatch, name: str, values: Any) -> EventBatch:
    """The batch with a tag in the rows where ``values`` (an Arrow string array) is not null; it wins over the row's own."""
    if values.null_count == len(values):
        return batch
    own = batch.column("tags")
    return batch.with_columns({"tags": tags.merge(tags.from_columns(len(batch), {name: values}), own)})


def texts_of(numbers: Any, *, where: Any) -> Any:
    """Integers as an Arrow string array, null where ``where`` (numpy) is false."""
    return pa.array(numbers, mask=~where).cast(pa.string())
