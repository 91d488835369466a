"""What a format makes of lines: `Fields` by name as written, then `Found` by column of the event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np


@attrs.frozen
class Fields:
    """Named strings of some lines.

    ``rows`` are the indexes of the lines (int64, ascending); ``columns`` has a string array of that
    length for each name, null where a line has no such field; ``tags`` are further fields of each
    line that no column knows, as an array of `TAGS_TYPE`, or None.
    """

    rows: Any
    columns: Mapping[str, Any]
    tags: Any = None


@attrs.frozen
class Found:
    """The same as columns of the event: typed arrays, null where the row keeps what it has."""

    rows: Any
    columns: Mapping[str, Any]
    tags: Any = None
    again: Any = False
    """Whether the messages are lines of another format, to be read in their turn: all of them, or those of a boolean array."""

    def within(self, rows: Any) -> Found:
        """``rows`` says where each line came from: the indexes as seen from there."""
        return attrs.evolve(self, rows=rows[self.rows])


def remaining(rows: int, parts: Sequence[Found]) -> Any:
    """The indexes of rows that are in no part."""
    free = np.ones(rows, bool)
    for part in parts:
        free[part.rows] = False
    return np.flatnonzero(free)
