"""Pieces of files to event batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from yaat_core import ids
from yaat_core.components import Context
from yaat_core.event import EventBatch, Labels, now
from yaat_core.tags import TRUNCATED, from_columns
from yaat_kit.following.reader import Piece
from yaat_plugin_file import origin

PATH_TAG = origin.PATH_TAG
ORIGINAL_TAG = "log.record.original"


def batch_of(
    piece: Piece, context: Context, file_tags: Sequence[str] = (), *, keep_original: bool = False
) -> EventBatch:
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
    tags = dict(origin.columns(piece, file_tags))
    truncated = (piece.cut > 0) | piece.events.divided
    if truncated.any():
        tags[TRUNCATED] = pa.array(np.where(truncated, "true", ""), pa.string(), mask=~truncated)
    if keep_original:
        tags[ORIGINAL_TAG] = piece.events.original()
    if tags:
        columns["tags"] = from_columns(len(piece), tags)
    labels = Labels(
        stream=origin.shown(generation.path),
        tags=origin.labels(piece, file_tags),
        opening=piece.opening,
    )
    return EventBatch.build(len(piece), columns, labels)
