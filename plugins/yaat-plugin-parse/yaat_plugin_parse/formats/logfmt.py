"""logfmt: ``key=value`` pairs, see https://brandur.org/logfmt and Go's log/slog TextHandler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from yaat_plugin_parse import pairs
from yaat_plugin_parse.config import LogfmtConfig
from yaat_plugin_parse.found import Found
from yaat_plugin_parse.leading import subset
from yaat_plugin_parse.matching import hits
from yaat_plugin_parse.naming import assign, every_name, known_names
from yaat_plugin_parse.zones import zone_of


class LogfmtFormat:
    """Lines that are pairs and nothing else; names are understood as in JSON."""

    def __init__(self, config: LogfmtConfig) -> None:
        self._names = known_names(zone_of(config.timezone))
        self._known = every_name(self._names)

    def fits(self, lines: Any) -> Any:
        """Two pairs or more."""
        return hits(lines, pairs.LOOK)

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line of pairs."""
        rows = np.flatnonzero(hits(lines, pairs.LINE))
        if not len(rows):
            return []
        return [assign(pairs.read(subset(lines, rows), rows, self._known), self._names)]
