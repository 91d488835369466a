"""Arrow strings as a rectangle of bytes, for kernels that look at fixed places."""

from __future__ import annotations

from typing import Any

import numpy as np


def rectangle(column: Any, width: int) -> tuple[Any, Any]:
    """``(letters, lengths)``: uint8 of shape (rows, width), padded with 0, and each string's length in bytes.

    What lies beyond ``width`` is left out; a null has length 0. Right for slices, too.
    """
    rows = len(column)
    _, offsets_buffer, data_buffer = column.buffers()
    letters = np.zeros((rows, width), np.uint8)
    if not rows or data_buffer is None or not data_buffer.size:
        return letters, np.zeros(rows, np.int64)
    offsets = np.frombuffer(offsets_buffer, np.int32)[column.offset : column.offset + rows + 1]
    data = np.frombuffer(data_buffer, np.uint8)
    lengths = np.diff(offsets).astype(np.int64)
    if column.null_count:
        lengths[~np.asarray(column.is_valid())] = 0
    size = int(lengths[0])
    if size and size <= width and (lengths == size).all():
        letters[:, :size] = data[offsets[0] : offsets[0] + rows * size].reshape(rows, size)
        return letters, lengths
    places = np.arange(width)
    picked = np.minimum(offsets[:-1, None] + places, data.size - 1)
    inside = places < lengths[:, None]
    letters[inside] = data[picked[inside]]
    return letters, lengths
