"""JSON, one object a line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from yaat_plugin_parse.config import JsonConfig
from yaat_plugin_parse.found import Found
from yaat_plugin_parse.leading import subset
from yaat_plugin_parse.naming import assign, every_name, known_names
from yaat_plugin_parse.objects.reader import ObjectReader
from yaat_plugin_parse.zones import zone_of

_BLANK: Final = " \t\r\n"


class JsonFormat:
    """Objects to columns and tags, known names as `known_names` has them."""

    def __init__(self, config: JsonConfig) -> None:
        zone: tzinfo = zone_of(config.timezone)
        self._names = known_names(zone)
        self._reader = ObjectReader(
            every_name(self._names), max_depth=config.max_depth, max_fields=config.max_fields
        )

    def fits(self, lines: Any) -> Any:
        """Begins and ends as an object does."""
        return _framed(pc.ascii_trim(lines, characters=_BLANK))

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """By columns or by rows, see `ObjectReader`."""
        framed = _framed(lines)
        if not framed.all():
            lines = pc.ascii_trim(lines, characters=_BLANK)
            framed = _framed(lines)
        rows = np.flatnonzero(framed)
        parts = self._reader.read(subset(lines, rows), stream)
        return [assign(part, self._names).within(rows) for part in parts]


def _framed(lines: Any) -> Any:
    return np.asarray(pc.and_(pc.starts_with(lines, "{"), pc.ends_with(lines, "}")))
