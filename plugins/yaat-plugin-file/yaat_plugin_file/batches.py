"""Pieces of files to event batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from yaat_core import ids
from yaat_core.components import Context
from yaat_core.event import EventBatch, Labels, now
from yaat_core.tags import from_columns
from yaat_kit.following.reader import Piece

TRUNCATED_TAG = "log.truncated"
PATH_TAG = "log.file.path"
ORIGINAL_TAG = "log.record.original"


def batch_of(piece: Piece, context: Context, *, keep_original: bool = False) -> EventBatch:
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
    tags = {}
    truncated = (piece.cut > 0) | piece.events.divided
    if truncated.any():
        tags[TRUNCATED_TAG] = pa.array(np.where(truncated, "true", ""), pa.string(), mask=~truncated)
    if keep_original:
        tags[ORIGINAL_TAG] = piece.events.original()
    if tags:
        columns["tags"] = from_columns(len(piece), tags)
    path = generation.path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return EventBatch.build(len(piece), columns, Labels(stream=path, tags={PATH_TAG: path}))
