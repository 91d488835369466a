"""Trace and span ids inside of messages, as tracing libraries put them into text logs.

    [trace_id=0af7651916cd43dd8448eb211c80319c span_id=b7ad6b7169203331 ...]     OpenTelemetry (Python, Java, Ruby)
    [dd.service=shop dd.trace_id=13235353014750950193 dd.span_id=12345]          Datadog: decimal becomes hex
    traceparent=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01          W3C

The message stays as it is; ids that the event has already are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.event import EventBatch
from yaat_plugin_parse import tracing

_HINT: Final = "trace"
_LOOK: Final = r"(?:trace_id|traceId|trace\.id|traceparent)[=:]"
_BEFORE: Final = r"(?:^|[\s\[({,|])"
_VALUE: Final = r'[=:] ?"?(?P<id>[0-9A-Fa-f-]{3,60})\b'

Reader = Callable[[Any], Any]
_COLUMNS: Final[dict[str, tuple[tuple[str, Reader], ...]]] = {
    "trace_id": (
        (rf"{_BEFORE}(?:trace_id|traceId|trace\.id){_VALUE}", tracing.trace_id),
        (rf"{_BEFORE}dd\.trace_id{_VALUE}", tracing.datadog_id),
        (rf"{_BEFORE}traceparent{_VALUE}", tracing.traceparent_trace),
    ),
    "span_id": (
        (rf"{_BEFORE}(?:span_id|spanId|span\.id){_VALUE}", tracing.span_id),
        (rf"{_BEFORE}dd\.span_id{_VALUE}", tracing.datadog_id),
        (rf"{_BEFORE}traceparent{_VALUE}", tracing.traceparent_span),
    ),
}


def with_ids(batch: EventBatch) -> EventBatch:
    """The batch with the ids that its messages mention, where it has none."""
    message = batch.column("message")
    hinted = np.asarray(pc.match_substring(message, _HINT).fill_null(False))
    if not hinted.any():
        return batch
    rows = np.flatnonzero(hinted & np.asarray(batch.column("trace_id").is_null()))
    texts = message.take(pa.array(rows))
    rows = rows[np.asarray(pc.match_substring_regex(texts, _LOOK))]
    if not len(rows):
        return batch
    texts = message.take(pa.array(rows))
    return batch.with_columns(
        {name: _filled(batch.column(name), texts, rows, readers) for name, readers in _COLUMNS.items()}
    )


def _filled(column: Any, texts: Any, rows: Any, readers: tuple[tuple[str, Reader], ...]) -> Any:
    found = pa.nulls(len(texts), pa.string())
    for pattern, read in readers:
        found = pc.coalesce(found, read(pc.struct_field(pc.extract_regex(texts, pattern), "id")))
    mask = np.zeros(len(column), bool)
    mask[rows] = True
    return pc.coalesce(column, pc.replace_with_mask(column, pa.array(mask), found))
