"""Whole batches of JSON objects to columns, by Arrow's JSON reader."""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from yaat_plugin_parse.objects import text
from yaat_plugin_parse.objects.shape import EXACT, Shape

_BREAK: Final = pa.scalar("\n", pa.string())
_NEWLINE, _BACKSLASH, _SMALL_U, _SMALL_D, _LOWER = 10, 92, 117, 100, 32


@attrs.frozen
class Columns:
    """String arrays by dotted name, and the rows (a boolean array, or None) whose values they do not hold exactly."""

    fields: dict[str, Any]
    inexact: Any = None


def plain(lines: Any) -> Any | None:
    """Which lines the reader can be given: None for all, else a boolean array.

    It would take a line break inside an object for the end of a row, and half of a surrogate pair
    is not its business.
    """
    letters = _letters(lines)
    if not (letters == _NEWLINE).any() and not _surrogates(letters):
        return None
    hits = [pc.match_substring_regex(lines, form) for form in (r"\n", r"\\u[dD]")]
    return ~np.asarray(pc.or_(*hits))


def _letters(lines: Any) -> Any:
    """The bytes of all lines, one after the other, not copied."""
    offsets = np.frombuffer(lines.buffers()[1], np.int32)[lines.offset : lines.offset + len(lines) + 1]
    data = lines.buffers()[2]
    return np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]] if data else np.zeros(0, np.uint8)


def _surrogates(letters: Any) -> bool:
    """Is there a ``\\ud`` or ``\\uD``?"""
    places = np.flatnonzero(letters[:-2] == _BACKSLASH)
    return bool(((letters[places + 1] == _SMALL_U) & ((letters[places + 2] | _LOWER) == _SMALL_D)).any())


def _joined(lines: Any) -> Any:
    """All lines in one buffer, line breaks between them."""
    whole = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
    return pc.binary_join(whole, _BREAK)[0].as_buffer()


def read(lines: Any, shape: Shape) -> Columns | None:
    """The fields of all lines, which all begin with ``{`` and end with ``}``; None when the reader refuses one."""
    rows = len(lines)
    data = _joined(lines)
    try:
        table = pj.read_json(
            pa.BufferReader(data),
            read_options=pj.ReadOptions(use_threads=False, block_size=data.size + 1),
            parse_options=pj.ParseOptions(explicit_schema=shape.schema, unexpected_field_behavior="error"),
        )
    except pa.ArrowInvalid:
        return None
    # An object, a line break and another object never make one object, so as many rows are the same rows.
    if table.num_rows != rows:
        return None
    return _columns(shape, table.combine_chunks().to_batches()[0])


def _columns(shape: Shape, batch: Any) -> Columns:
    fields, inexact = {}, None
    for name, column in shape.leaves(dict(zip(shape.fields, batch.columns, strict=True))):
        if pa.types.is_floating(column.type):
            size = np.abs(np.asarray(column.fill_null(0.0)))
            bad = ~(size < EXACT)
            inexact = bad if inexact is None else inexact | bad
        fields[name] = text.of_column(column)
    return Columns(fields, inexact if inexact is not None and inexact.any() else None)
