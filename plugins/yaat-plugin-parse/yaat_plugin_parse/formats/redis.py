"""Redis, Valkey and Sentinel: https://github.com/redis/redis/blob/unstable/src/server.c (serverLogRaw).

1234:M 05 Jan 2026 10:00:00.123 * Ready to accept connections
1234:signal-handler (1767607200) Received SIGTERM scheduling shutdown...
[1234] 05 Jan 10:00:00.123 # a warning of Redis 2
"""

from __future__ import annotations

from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_parse.config import RedisConfig
from yaat_plugin_parse.formats.patterned import Family, PatternFormat, named
from yaat_plugin_parse.naming import column_names
from yaat_plugin_parse.zones import zone_of

_REST: Final = r"(?P<timestamp>\d\d [A-Z][a-z][a-z] (?:\d{4} )?\d\d:\d\d:\d\d\.\d{3}) (?P<level>[.*#-]) (?P<message>(?s:.*))$"
_SIGNAL: Final = (
    r"^(?P<process>\d+):(?P<role>signal-handler) \((?P<timestamp>\d{9,11})\) (?P<message>(?s:.*))$"
)
_MARKS: Final = pa.array([".", "-", "*", "#"], pa.string())
_LEVELS: Final = pa.array(["debug", "debug", "info", "warning"], pa.string())
_ROLES: Final = {"M": "master", "S": "replica", "C": "child", "X": "sentinel"}


class RedisFormat(PatternFormat):
    """`.` debug, `-` verbose, `*` notice, `#` warning; the letter is the role of the process."""

    def __init__(self, config: RedisConfig) -> None:
        finish = named(
            column_names(zone_of(config.timezone)), {"process": "process.pid", "role": "redis.role"}, _words
        )
        lines = (rf"^(?P<process>\d+):(?P<role>[A-Z]) {_REST}", rf"^\[(?P<process>\d+)\] {_REST}", _SIGNAL)
        super().__init__([Family(r"^\[?\d+(?:\]|:[A-Z]) \d\d [A-Z]|^\d+:signal-handler ", lines, finish)])


def _words(columns: dict[str, Any]) -> dict[str, Any]:
    if "level" in columns:
        columns["level"] = _LEVELS.take(pc.index_in(columns["level"], value_set=_MARKS))
    if "role" in columns:
        roles = [_ROLES.get(letter, letter) for letter in columns["role"].to_pylist()]
        columns["role"] = pa.array(roles, pa.string())
    return columns
