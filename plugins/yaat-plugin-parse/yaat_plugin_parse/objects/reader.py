"""Lines that look like JSON objects to `Fields`: by columns where that is exact, else row by row."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import attrs
import numpy as np

from yaat_plugin_parse.found import Fields
from yaat_plugin_parse.leading import subset
from yaat_plugin_parse.objects import columns, rows
from yaat_plugin_parse.objects.shape import Shape
from yaat_plugin_parse.streams import Streams

_SAMPLE: Final = 48
"""Objects from which the shape of a new stream is learnt."""

_LEAST: Final = 512
"""Pieces of fewer rows are not halved further in search of the rows that the reader refuses."""

_PATIENCE: Final = 16
"""So many batches are read row by row after one that was mostly refused."""


@attrs.define
class _Stream:
    shape: Shape
    waits: int = 0


class ObjectReader:
    """Reads the objects of any number of streams; what it learnt of each is kept while it is in use.

    ``known`` are the field names that become columns, ``max_depth`` and ``max_fields`` are those of `rows.flatten`.
    """

    def __init__(self, known: Collection[str], *, max_depth: int, max_fields: int) -> None:
        self._known = known
        self._max_depth = max_depth
        self._max_fields = max_fields
        self._streams: Streams[_Stream] = Streams(lambda: _Stream(Shape(max_depth, max_fields)))

    def read(self, lines: Any, stream: str) -> list[Fields]:
        """The fields of those lines that are objects, in parts; ``lines`` begin with ``{`` and end with ``}``."""
        one = self._streams.get(stream)
        every = np.arange(len(lines))
        if not len(lines):
            return []
        if one.waits:
            one.waits -= 1
            return self._by_rows(lines, every, one.shape)
        if not one.shape.usable:
            one.shape, one.waits = Shape(self._max_depth, self._max_fields), _PATIENCE
        _sample(lines, one.shape)
        parts, refused = self._by_columns(lines, every, one.shape)
        if len(refused) > len(lines) // 2:
            one.waits = _PATIENCE
        if len(refused):
            parts += self._by_rows(subset(lines, refused), refused, one.shape)
        return parts

    def _by_columns(self, lines: Any, where: Any, shape: Shape) -> tuple[list[Fields], Any]:
        """What could be read, and the rows that could not."""
        mask = columns.plain(lines)
        refused = [] if mask is None else [where[~mask]]
        if mask is not None:
            where = where[mask]
            lines = subset(lines, np.flatnonzero(mask))
        parts = list(self._halved(lines, where, shape, refused))
        return parts, np.sort(np.concatenate(refused)) if refused else where[:0]

    def _halved(self, lines: Any, where: Any, shape: Shape, refused: list[Any]) -> list[Fields]:
        if not len(lines):
            return []
        read = columns.read(lines, shape) if shape.usable else None
        if read is not None:
            return [_exact(read, where, refused)]
        if len(lines) < _LEAST or not shape.usable:
            refused.append(where)
            return []
        middle = len(lines) // 2
        return [
            *self._halved(lines.slice(0, middle), where[:middle], shape, refused),
            *self._halved(lines.slice(middle), where[middle:], shape, refused),
        ]

    def _by_rows(self, lines: Any, where: Any, shape: Shape) -> list[Fields]:
        found, flats = [], []
        for row, line in zip(where.tolist(), lines.to_pylist(), strict=True):
            value = rows.decode(line)
            if value is not None:
                shape.learn(value)
                found.append(row)
                flats.append(rows.flatten(value, self._max_depth, self._max_fields, self._known))
        return [rows.fields_of(found, flats, self._known)] if found else []


def _sample(lines: Any, shape: Shape) -> None:
    """Learn a new stream's shape from rows all over the batch."""
    if shape.fields:
        return
    for row in range(0, len(lines), max(1, len(lines) // _SAMPLE)):
        value = rows.decode(lines[row].as_py())
        if value is not None:
            shape.learn(value)


def _exact(read: columns.Columns, where: Any, refused: list[Any]) -> Fields:
    if read.inexact is None:
        return Fields(where, read.fields)
    refused.append(where[read.inexact])
    good = np.flatnonzero(~read.inexact)
    return Fields(where[good], {name: subset(column, good) for name, column in read.fields.items()})
