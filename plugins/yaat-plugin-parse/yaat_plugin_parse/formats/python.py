"""Python's ``logging`` as it is commonly set up; see https://docs.python.org/3/library/logging.html#logrecord-attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from yaat_plugin_parse.config import PythonConfig
from yaat_plugin_parse.formats.patterned import Family, PatternFormat, named
from yaat_plugin_parse.found import Found
from yaat_plugin_parse.naming import column_names
from yaat_plugin_parse.python_format import date_format_of, template_of
from yaat_plugin_parse.written import Written
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


class PythonFormat(PatternFormat):
    """Lines by how they begin, then one pattern after the other; or by the format string that the user gave."""

    def __init__(self, config: PythonConfig) -> None:
        zone = zone_of(config.timezone)
        finish = named(column_names(zone))
        super().__init__([Family(beginning, patterns, finish) for beginning, patterns in FAMILIES])
        self._own = _own(config) if config.log_format else None

    def fits(self, lines: Any) -> Any:
        """Where a pattern reads the line."""
        return self._own.fits(lines) if self._own else super().fits(lines)

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line that is read."""
        return self._own.parse(lines) if self._own else super().parse(lines, stream)


def _own(config: PythonConfig) -> Written:
    zone = zone_of(config.timezone)
    dates = date_format_of(config.log_format, config.date_format)
    return Written(template_of(config.log_format), zone, column_names(zone, dates))
