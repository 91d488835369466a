"""Lines as the user describes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from yaat_plugin_parse.config import RegexConfig
from yaat_plugin_parse.found import Found
from yaat_plugin_parse.matching import hits, matched
from yaat_plugin_parse.naming import assign, column_names
from yaat_plugin_parse.zones import zone_of


class RegexFormat:
    """Named groups to the columns of these names, all others to tags."""

    def __init__(self, config: RegexConfig) -> None:
        self._pattern = config.pattern
        self._names = column_names(zone_of(config.timezone), config.time_format)

    def fits(self, lines: Any) -> Any:
        """Where the pattern is found."""
        return hits(lines, self._pattern)

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line in which the pattern is found."""
        return [assign(matched(lines, self._pattern), self._names)]
