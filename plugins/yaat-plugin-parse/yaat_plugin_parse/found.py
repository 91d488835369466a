"""What a format makes of lines: `Fields` by name as written, then `Found` by column of the event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


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

    def within(self, rows: Any) -> Found:
        """``rows`` says where each line came from: the indexes as seen from there."""
        return attrs.evolve(self, rows=rows[self.rows])
