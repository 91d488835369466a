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
_LEVEL: Final = r"(?P<level>DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL|NOTSET|TRACE|SUCCESS)"
_ANY_CASE: Final = _LEVEL.replace("<level>", "<level>(?i:").replace("TRACE|SUCCESS)", "TRACE|SUCCESS))")
_NAME: Final = r"(?P<logger>[^\s:\[\]]+)"
_MESSAGE: Final = r"(?P<message>(?s:.*))$"

#: Best first: a later pattern may read a line of an earlier one with less in its groups.
PATTERNS: Final = (
    # 2026-01-05 10:00:00,123 - name - LEVEL - msg
    rf"^{_TIME} - (?P<logger>\S+) - {_LEVEL} - {_MESSAGE}",
    # 2026-01-05 10:00:00,123 - LEVEL - name - msg
    rf"^{_TIME} - {_LEVEL} - (?P<logger>\S+) - {_MESSAGE}",
    # 2026-01-05 10:00:00,123 - LEVEL - msg
    rf"^{_TIME} - {_LEVEL} - {_MESSAGE}",
    # 2026-01-05 10:00:00,123 | LEVEL | name:function:12 - msg (loguru)
    rf"^{_TIME} \| {_LEVEL} +\| (?P<logger>[^\s:]+):(?P<function>[^:]+):(?P<line>\d+) - {_MESSAGE}",
    # [2026-01-05 10:00:00 +0000] [123] [LEVEL] msg (gunicorn)
    rf"^\[{_TIME}\] \[(?P<process>\d+)\] \[{_LEVEL}\] {_MESSAGE}",
    # [2026-01-05 10:00:00,123: LEVEL/Worker-1] msg (celery)
    rf"^\[{_TIME}: {_LEVEL}/(?P<process>[^\]]+)\] {_MESSAGE}",
    # [2026-01-05 10:00:00,123] [LEVEL] [name] msg, with name: or without, brackets or none around the level
    rf"^\[{_TIME}\] \[?{_ANY_CASE} *\]? \[{_NAME}\]:? {_MESSAGE}",
    rf"^\[{_TIME}\] \[?{_ANY_CASE} *\]?:? {_NAME}: {_MESSAGE}",
    rf"^\[{_TIME}\] \[?{_ANY_CASE} *\]?:? {_MESSAGE}",
    # 2026-01-05 10:00:00,123 [LEVEL] name: msg
    rf"^{_TIME} \[{_ANY_CASE} *\] {_NAME}: {_MESSAGE}",
    rf"^{_TIME} \[{_ANY_CASE} *\]:? {_MESSAGE}",
    # 2026-01-05 10:00:00,123 LEVEL [name] msg
    rf"^{_TIME} {_LEVEL} +\[{_NAME}\] {_MESSAGE}",
    # 2026-01-05 10:00:00,123 LEVEL name: msg
    rf"^{_TIME} {_LEVEL} +{_NAME}: {_MESSAGE}",
    rf"^{_TIME} {_LEVEL}:? +{_MESSAGE}",
    # 2026-01-05 10:00:00,123 name LEVEL msg
    rf"^{_TIME} {_NAME} {_LEVEL}:? +{_MESSAGE}",
    # LEVEL 2026-01-05 10:00:00,123 name msg (Django's verbose)
    rf"^{_LEVEL} {_TIME} {_NAME}:? {_MESSAGE}",
    # LEVEL:name:msg
    rf"^{_LEVEL}:(?P<logger>[^\s:]+):{_MESSAGE}",
)
_LOOK: Final = (
    rf"^\[?\d{{4}}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[^A-Za-z]*.{{0,60}}?{_LEVEL}\b|^{_LEVEL}(?: \d{{4}}-|:[^\s:]+:)"
)
_LOOK_PLAIN: Final = _LOOK.replace("?P<level>", "?:")
_SAMPLE: Final = 16


class PythonFormat:
    """One pattern after the other on the lines that are left, the one first that fits most of a sample."""

    def __init__(self, config: PythonConfig) -> None:
        self._names = column_names(zone_of(config.timezone))

    def fits(self, lines: Any) -> Any:
        """A time and a level's name in capitals, or ``LEVEL:name:``."""
        return np.asarray(pc.match_substring_regex(lines, _LOOK_PLAIN))

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line that one of `PATTERNS` reads."""
        parts: list[Found] = []
        rows = np.arange(len(lines))
        for pattern in _ordered(lines):
            if not len(rows):
                break
            fields = matched(subset(lines, rows), pattern)
            if len(fields.rows):
                parts.append(assign(fields, self._names).within(rows))
                rows = np.delete(rows, fields.rows)
        return parts


def _ordered(lines: Any) -> list[str]:
    """`PATTERNS`, led by the first one that reads the most of a sample."""
    sample = subset(lines, np.arange(0, len(lines), max(1, len(lines) // _SAMPLE))) if len(lines) else lines
    left, best, most = sample, PATTERNS[0], 0
    for pattern in PATTERNS:
        hits = pc.match_substring_regex(left, pattern)
        count = pc.sum(hits).as_py() or 0
        if count > most:
            best, most = pattern, count
        if most * 2 >= len(sample):
            break
        left = left.filter(pc.invert(hits))
    return [best, *(pattern for pattern in PATTERNS if pattern is not best)]
