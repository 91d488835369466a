"""PostgreSQL's log on standard error, by its ``log_line_prefix``.

    2026-01-05 10:00:00.123 UTC [1234] app@shop ERROR:  relation "x" does not exist at character 15
    2026-01-05 10:00:00.123 UTC [1234] app@shop STATEMENT:  SELECT * FROM x

Lines that explain another one (DETAIL, HINT, CONTEXT, STATEMENT) have no level, and their kind in `postgres.part`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_parse import line_prefix
from yaat_plugin_parse.config import PostgresConfig
from yaat_plugin_parse.found import Fields, Found, remaining
from yaat_plugin_parse.leading import subset
from yaat_plugin_parse.matching import kept
from yaat_plugin_parse.naming import column_names
from yaat_plugin_parse.written import found_in
from yaat_plugin_parse.zones import zone_of

#: Debian's, the default since version 10, pgBadger's, Amazon RDS's, the container image's.
COMMON: Final = (
    "%m [%p] %q%u@%d ",
    "%m [%p] ",
    "%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ",
    "%t:%r:%u@%d:[%p]:",
    "%m %u@%d [%p] ",
    "%t ",
)
_PARTS: Final = pa.array(
    ["DETAIL", "HINT", "CONTEXT", "STATEMENT", "QUERY", "LOCATION", "BACKTRACE"], pa.string()
)
_DURATION: Final = r"^duration: (?P<ms>\d+\.\d+) ms"


class PostgresFormat:
    """Each line by the first prefix that reads it."""

    def __init__(self, config: PostgresConfig) -> None:
        self._zone = zone_of(config.timezone)
        self._names = column_names(self._zone)
        prefixes = (config.log_line_prefix,) if config.log_line_prefix else COMMON
        self._templates = [line_prefix.template_of(prefix) for prefix in prefixes]

    def fits(self, lines: Any) -> Any:
        """Where a prefix and a level are."""
        return np.logical_or.reduce([template.fits(lines) for template in self._templates])

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line that a prefix reads."""
        parts: list[Found] = []
        for template in self._templates:
            left = remaining(len(lines), parts)
            if not len(left):
                break
            for fields in template.read(subset(lines, left), empty=("message",)):
                parts.append(self._found(fields).within(left))
        return parts

    def _found(self, fields: Fields) -> Found:
        columns = dict(fields.columns)
        explaining = pc.is_in(columns["level"], value_set=_PARTS)
        columns["postgres.part"] = kept(columns["level"], explaining)
        columns["level"] = kept(columns["level"], pc.invert(explaining))
        duration = pc.struct_field(pc.extract_regex(columns["message"], _DURATION), "ms")
        if duration.null_count < len(duration):
            columns["duration_ms"] = duration
        return found_in(attrs.evolve(fields, columns=columns), self._zone, self._names)
