"""Python's logging, in the layouts that people use most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow.compute as pc

from yaat_plugin_parse.config import PythonConfig
from yaat_plugin_parse.found import Found
from yaat_plugin_parse.leading import subset
from yaat_plugin_parse.matching import matched
from yaat_plugin_parse.naming import assign, column_names
from yaat_plugin_parse.zones import zone_of

_TIME: Final = r"(?P<timestamp>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[,.]\d{1,6})?(?:Z| ?[+-]\d\d:?\d\d)?)"
_LEVEL: Final = r"(?P<level>DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)"
_LOGGER: Final = r"(?P<logger>[\w.-]+)"
_REST: Final = r"(?P<message>(?s:.*))$"

#: Tried in this order.
PATTERNS: Final = (
    rf"^{_TIME} ?[-|] ?{_LOGGER} ?[-|] ?{_LEVEL} *[-|] ?{_REST}",
    rf"^{_TIME} ?[-|] ?{_LEVEL} *[-|] ?(?:{_LOGGER} ?[-|:] )?{_REST}",
    rf"^{_TIME} \[?{_LEVEL}\]?:? +(?:\[?{_LOGGER}\]?: )?{_REST}",
    rf"^\[{_TIME}\] \[?{_LEVEL}\]?:? +(?:in )?(?:\[?{_LOGGER}\]?: )?{_REST}",
    rf"^{_LEVEL}:{_LOGGER}:{_REST}",
)
_LOOKS: Final = rf"^\[?{_TIME}\]?[ |-]+(?:[\w.-]+ ?[-|] ?)?\[?{_LEVEL}\b|^{_LEVEL}:[\w.-]+:".replace(
    "?P<timestamp>", "?:"
).replace("?P<level>", "?:")


class PythonFormat:
    """Times, levels and loggers; the rest of the line is the message."""

    def __init__(self, config: PythonConfig) -> None:
        self._names = column_names(zone_of(config.timezone))

    def fits(self, lines: Any) -> Any:
        """A time and a level where one of the layouts has them."""
        return np.asarray(pc.match_substring_regex(lines, _LOOKS))

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line by the first layout that it has."""
        rest = np.arange(len(lines))
        parts: list[Found] = []
        for pattern in PATTERNS:
            if not len(rest):
                break
            found = assign(matched(subset(lines, rest), pattern), self._names).within(rest)
            if len(found.rows):
                parts.append(found)
                rest = np.setdiff1d(rest, found.rows, assume_unique=True)
        return parts
