"""The error log of MySQL and MariaDB: https://dev.mysql.com/doc/refman/8.4/en/error-log-format.html.

2026-01-05T10:00:00.123456Z 0 [System] [MY-010116] [Server] /usr/sbin/mysqld starting as process 1
2026-01-05T10:00:00.123456Z 0 [Note] InnoDB: of MySQL 5.7
2026-01-05 10:00:00 0 [Warning] of MariaDB
260105 10:00:00 [ERROR] of MySQL 5.5
"""

from __future__ import annotations

from typing import Final

from yaat_plugin_parse.config import MysqlConfig
from yaat_plugin_parse.formats.patterned import Family, PatternFormat, named
from yaat_plugin_parse.naming import column_names
from yaat_plugin_parse.zones import zone_of

_TIME: Final = (
    r"(?P<timestamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(?:Z|[+-]\d\d:\d\d)|\d{4}-\d\d-\d\d +\d{1,2}:\d\d:\d\d"
    r"|\d{6} +\d{1,2}:\d\d:\d\d)"
)
_LEVEL: Final = r"\[(?P<level>System|Note|Warning|ERROR|Error|Warn)\]"
_MESSAGE: Final = r"(?P<message>(?s:.*))$"
_NAMES: Final = {"thread": "mysql.thread", "code": "mysql.error_code", "subsystem": "mysql.subsystem"}


class MysqlFormat(PatternFormat):
    """Thread, error code and subsystem become tags."""

    def __init__(self, config: MysqlConfig) -> None:
        lines = (
            rf"^{_TIME} +(?P<thread>\d+) {_LEVEL} \[(?P<code>MY-\d+)\] \[(?P<subsystem>\w+)\] {_MESSAGE}",
            rf"^{_TIME} +(?:(?P<thread>\d+|0x[0-9a-f]+) )?{_LEVEL} {_MESSAGE}",
        )
        finish = named(column_names(zone_of(config.timezone)), _NAMES)
        super().__init__([Family(r"^\d{4,6}[ -].{6,30} (?:\w+ )?\[", lines, finish)])
