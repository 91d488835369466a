"""Pieces of files to event batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from yaat_core import ids
from yaat_core.components import Context
from yaat_core.event import EventBatch, Labels, now
from yaat_core.tags import TRUNCATED, from_columns
from yaat_kit.following.reader import Piece

PATH_TAG = "log.file.path"


def batch_of(piece: Piece, context: Context) -> EventBatch:
    """The events of one file, with identities made from the generation and their offsets."""
    generation = piece.generation
    present = now()
    columns: dict[str, Any] = {
        "message": piece.message,
        "stacktrace": piece.stacktrace,
        "timestamp": present,
        "received_at": present,
        "event_id": ids.positional(
            generation.first_seen_ms, context.agent_id, str(context.id), generation.key, piece.starts
        ),
    }
    if piece.cut.any():
        columns["tags"] = _truncated_tags(piece.cut)
    path = generation.path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return EventBatch.build(len(piece), columns, Labels(stream=path, tags={PATH_TAG: path}))


def _truncated_tags(cut: Any) -> Any:
    values = pa.array(np.where(cut > 0, "true", ""), pa.string(), mask=cut == 0)
    return from_columns(len(cut), {TRUNCATED: values})
