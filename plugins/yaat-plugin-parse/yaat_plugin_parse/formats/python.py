"""Python's ``logging`` as it is commonly set up; see https://docs.python.org/3/library/logging.html#logrecord-attributes."""

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

_TIME: Final = r"(?P<timestamp>\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?)"
_NAMES: Final = "DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL|NOTSET|TRACE|SUCCESS"
_LEVEL: Final = rf"(?P<level>{_NAMES})"
_ANY_CASE: Final = rf"(?P<level>(?i:{_NAMES}))"
_NAME: Final = r"(?P<logger>[^\s:\[\]]+)"
_MESSAGE: Final = r"(?P<message>(?s:.*))$"
_SOME_TIME: Final = r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[^\s\]]*(?: [+-]\d\d:?\d\d)?"

#: How lines of a kind begin, and what they may be, best first: a later pattern may read a line of an earlier
#: one with less in its groups. No line begins in two of these ways.
FAMILIES: Final = (
    (
        rf"^{_SOME_TIME} - ",
        (
            # 2026-01-05 10:00:00,123 - name - LEVEL - msg
            rf"^{_TIME} - (?P<logger>\S+) - {_LEVEL} - {_MESSAGE}",
            # 2026-01-05 10:00:00,123 - LEVEL - name - msg
            rf"^{_TIME} - {_LEVEL} - (?P<logger>\S+) - {_MESSAGE}",
            # 2026-01-05 10:00:00,123 - LEVEL - msg
            rf"^{_TIME} - {_LEVEL} - {_MESSAGE}",
        ),
    ),
    (
        rf"^{_SOME_TIME} [A-Za-z_]",
        (
            # 2026-01-05 10:00:00,123 LEVEL [name] msg
            rf"^{_TIME} {_LEVEL} +\[{_NAME}\]:? {_MESSAGE}",
            # 2026-01-05 10:00:00,123 LEVEL name: msg
            rf"^{_TIME} {_LEVEL} +{_NAME}: {_MESSAGE}",
            rf"^{_TIME} {_LEVEL}:? +{_MESSAGE}",
            # 2026-01-05 10:00:00,123 name LEVEL msg
            rf"^{_TIME} {_NAME} {_LEVEL}:? +{_MESSAGE}",
        ),
    ),
    (
        r"^[A-Z]+[: ]",
        (
            # LEVEL:name:msg
            rf"^{_LEVEL}:(?P<logger>[^\s:]+):{_MESSAGE}",
            # LEVEL 2026-01-05 10:00:00,123 name msg (Django's verbose)
            rf"^{_LEVEL} {_TIME} {_NAME}:? {_MESSAGE}",
        ),
    ),
    (
        rf"^\[{_SOME_TIME}",
        (
            # [2026-01-05 10:00:00 +0000] [123] [LEVEL] msg (gunicorn)
            rf"^\[{_TIME}\] \[(?P<process>\d+)\] \[{_LEVEL}\] {_MESSAGE}",
            # [2026-01-05 10:00:00,123: LEVEL/Worker-1] msg (celery)
            rf"^\[{_TIME}: {_LEVEL}/(?P<process>[^\]]+)\] {_MESSAGE}",
            # [2026-01-05 10:00:00,123] [LEVEL] [name] msg, or LEVEL name: msg, or Flask's LEVEL in name: msg
            rf"^\[{_TIME}\] \[?{_ANY_CASE} *\]? \[{_NAME}\]:? {_MESSAGE}",
            rf"^\[{_TIME}\] \[?{_ANY_CASE} *\]?:? (?:in )?{_NAME}: {_MESSAGE}",
            rf"^\[{_TIME}\] \[?{_ANY_CASE} *\]?:? {_MESSAGE}",
        ),
    ),
    (
        rf"^{_SOME_TIME} \[",
        (
            # 2026-01-05 10:00:00,123 [LEVEL] name: msg
            rf"^{_TIME} \[{_ANY_CASE} *\] {_NAME}: {_MESSAGE}",
            rf"^{_TIME} \[{_ANY_CASE} *\]:? {_MESSAGE}",
        ),
    ),
    (
        rf"^{_SOME_TIME} \| ",
        (
            # 2026-01-05 10:00:00,123 | LEVEL | name:function:12 - msg (loguru)
            rf"^{_TIME} \| {_LEVEL} +\| (?P<logger>[^\s:]+):(?P<function>[^:]+):(?P<line>\d+) - {_MESSAGE}",
        ),
    ),
)
_LOOK: Final = (
    rf"^\[?{_SOME_TIME}\]?:? (?:- |\| |\[)?(?:\S{{1,80}} (?:- )?|\[\d+\] \[)?(?i:{_NAMES})\b"
    rf"|^(?:{_NAMES})(?: {_SOME_TIME} |:[^\s:]+:)"
)


class PythonFormat:
    """Lines by how they begin, then one pattern after the other."""

    def __init__(self, config: PythonConfig) -> None:
        self._names = column_names(zone_of(config.timezone))

    def fits(self, lines: Any) -> Any:
        """A time and a level's name not far behind it, or ``LEVEL:name:``."""
        return np.asarray(pc.match_substring_regex(lines, _LOOK))

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line that one of the patterns reads."""
        parts: list[Found] = []
        rows = np.arange(len(lines))
        for beginning, patterns in FAMILIES:
            if not len(rows):
                break
            mine = np.asarray(pc.match_substring_regex(subset(lines, rows), beginning))
            parts += self._family(lines, rows[mine], patterns)
            rows = rows[~mine]
        return parts

    def _family(self, lines: Any, rows: Any, patterns: Sequence[str]) -> list[Found]:
        parts: list[Found] = []
        for pattern in patterns:
            if not len(rows):
                break
            fields = matched(subset(lines, rows), pattern, empty=("message",))
            if len(fields.rows):
                parts.append(assign(fields, self._names).within(rows))
                rows = np.delete(rows, fields.rows)
        return parts
