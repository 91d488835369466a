"""What was found in some rows, put into the batch that the rows came from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core import tags
from yaat_core.event import SCHEMA, TAGS_TYPE, EventBatch
from yaat_plugin_parse.found import Found


def weave(batch: EventBatch, parts: Sequence[Found]) -> EventBatch:
    """The batch with everything that was found; ``parts`` have no row in common.

    A null leaves the value that the batch has; a tag that was found wins over the batch's own.
    """
    names = [name for name in SCHEMA.names if any(name in part.columns for part in parts)]
    columns = {name: _column(batch, name, parts) for name in names}
    found = _tags(len(batch), [part for part in parts if part.tags is not None and len(part.rows)])
    if found is not None:
        columns["tags"] = tags.merge(found, batch.column("tags"))
    return batch.with_columns(columns) if columns else batch


def _column(batch: EventBatch, name: str, parts: Sequence[Found]) -> Any:
    old = batch.column(name)
    pieces = [(part.rows, _typed(part.columns[name], old.type)) for part in parts if name in part.columns]
    if len(pieces) == 1 and len(pieces[0][0]) == len(batch):
        new = pieces[0][1]
    else:
        new = scattered(len(batch), pieces, pa.nulls(1, old.type))
    return pc.coalesce(new, old) if new.null_count else new


def _typed(column: Any, wanted: Any) -> Any:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return column if column.type == wanted else pc.cast(column, wanted)


def _tags(rows: int, parts: Sequence[Found]) -> Any:
    if not parts:
        return None
    if len(parts) == 1 and len(parts[0].rows) == rows:
        return parts[0].tags
    empty = pa.array([[]], TAGS_TYPE)
    return scattered(rows, [(part.rows, part.tags) for part in parts], empty)


def scattered(rows: int, pieces: Sequence[tuple[Any, Any]], nothing: Any) -> Any:
    """Each piece at its rows, ``nothing`` (an array of one) everywhere else."""
    picks = np.zeros(rows, np.int64)
    start = 1
    for where, values in pieces:
        picks[where] = np.arange(start, start + len(values))
        start += len(values)
    return pa.concat_arrays([nothing, *(values for _, values in pieces)]).take(pa.array(picks))
