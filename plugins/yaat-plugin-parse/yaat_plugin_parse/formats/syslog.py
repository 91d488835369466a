"""Syslog: RFC 5424, RFC 3164 with what programs made of it, RFC 6587's octet count before either.

    <165>1 2026-01-05T10:00:00.003Z host app 12 ID47 [exampleSDID@32473 iut="3"] words
    <34>Jan  5 10:00:00 host su[12]: words
    Jan  5 10:00:00 host su[12]: words                        as files have it
    2026-01-05T10:00:00.123456+00:00 host su[12]: words       as rsyslog and systemd write it

Tags have the names of the Elastic Common Schema. Without a priority the level is looked for in the message.
"""

from __future__ import annotations

from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.tags import merge
from yaat_plugin_parse import leading, levels
from yaat_plugin_parse.config import SyslogConfig
from yaat_plugin_parse.formats.patterned import Family, PatternFormat
from yaat_plugin_parse.found import Fields, Found
from yaat_plugin_parse.matching import given
from yaat_plugin_parse.naming import assign, column_names
from yaat_plugin_parse.structured_data import tags_of
from yaat_plugin_parse.zones import zone_of

_COUNT: Final = r"(?:\d{1,7} )?"
_PRIORITY: Final = r"<(?P<priority>1[0-8]\d|19[01]|[1-9]?\d)>"
_ELEMENT: Final = r'\[[^ =\]"]{1,64}(?: [^ =\]"]{1,64}="(?:[^"\\]|\\.)*")*\]'
_MESSAGE: Final = r"(?P<message>(?s:.*?))[\x00\n]*$"
_NEW: Final = (
    rf"^{_COUNT}{_PRIORITY}[1-9]\d{{0,2}} (?P<timestamp>\S+) (?P<host>\S+) (?P<app>\S+) (?P<process>\S+) (?P<id>\S+) "
    rf"(?P<data>-|(?:{_ELEMENT})+)(?: \x{{FEFF}}?{_MESSAGE}|$)"
)
_STAMP: Final = (
    r"(?P<timestamp>[A-Z][a-z]{2} [ \d]?\d (?:\d{4} )?\d\d:\d\d:\d\d(?:\.\d{1,9})?(?: (?:UTC|Z|[+-]\d\d:?\d\d))?"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?):?"
)
_APP: Final = r"(?P<app>[^\s:\[\]<>{}\"]{1,80})(?:\[(?P<process>[^\]\s]{1,80})\])?:"
_OLD: Final = (
    rf"^{_COUNT}(?:{_PRIORITY})?{_STAMP} (?P<host>[^\s\[\]]+[^\s:\[\]]) {_APP} ?{_MESSAGE}",
    rf"^{_COUNT}(?:{_PRIORITY})?{_STAMP} {_APP} ?{_MESSAGE}",
    rf"^{_COUNT}{_PRIORITY}{_STAMP} (?P<host>[^\s:\[\]]+) {_MESSAGE}",
)
_BARE: Final = rf"^{_COUNT}{_PRIORITY}(?:{_APP} )?{_MESSAGE}"

_NAMES: Final = {
    "host": "log.syslog.hostname",
    "app": "log.syslog.appname",
    "process": "log.syslog.procid",
    "id": "log.syslog.msgid",
}
_FACILITY_NAMES: Final = (
    "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit alert clock "
    "local0 local1 local2 local3 local4 local5 local6 local7"
)
_FACILITIES: Final = pa.array(_FACILITY_NAMES.split(), pa.string())
_LEVELS: Final = pa.array([levels.SYSLOG[str(severity)] for severity in range(8)], pa.string())
_COOKIE: Final = r"^\s*(?:@cee: ?)?(\{(?s:.*)\}\s*)$"


class SyslogFormat(PatternFormat):
    """Lines of either RFC; messages that are JSON objects are read in their turn."""

    def __init__(self, config: SyslogConfig) -> None:
        self._names = column_names(zone_of(config.timezone))
        self._again = config.content == "auto"
        super().__init__(
            [
                Family(rf"^{_COUNT}<\d{{1,3}}>[1-9]\d{{0,2}} ", (_NEW,), self._found),
                Family(rf"^{_COUNT}(?:<\d{{1,3}}>)?(?:[A-Z][a-z]{{2}} [ \d]|\d{{4}}-)", _OLD, self._found),
                Family(rf"^{_COUNT}<\d{{1,3}}>", (_BARE,), self._found),
            ]
        )

    def _found(self, fields: Fields) -> Found:
        columns = {_NAMES.get(name, name): given(column, "-") for name, column in fields.columns.items()}
        message = columns["message"] = fields.columns["message"].fill_null("")
        priority, data = columns.pop("priority", None), columns.pop("data", None)
        if priority is not None:
            columns |= _severity(priority)
        found = assign(attrs.evolve(fields, columns=columns), self._names)
        if data is not None and data.null_count < len(data):
            found = attrs.evolve(
                found, tags=merge(found.tags, tags_of(data)) if found.tags is not None else tags_of(data)
            )
        found = _levelled(found, message)
        return attrs.evolve(found, again=True) if self._again else _unwrapped(found, message)


def _severity(priority: Any) -> dict[str, Any]:
    """RFC 5424, section 6.2.1."""
    numbers = pc.cast(priority, pa.int32())
    codes = np.asarray(numbers.fill_null(0))
    missing = priority.is_null()
    found = {
        "level": _LEVELS.take(pa.array(codes % 8)),
        "log.syslog.facility.name": _FACILITIES.take(pa.array(codes // 8)),
    }
    return {name: pc.if_else(missing, pa.scalar(None, pa.string()), column) for name, column in found.items()}


def _levelled(found: Found, message: Any) -> Found:
    """Rows without a priority: a word in the message."""
    level = found.columns.get("level")
    if level is not None and not level.null_count:
        return found
    seen = leading.levels_of(message)
    level = seen if level is None else pc.coalesce(level, seen)
    return attrs.evolve(found, columns={**found.columns, "level": level})


def _unwrapped(found: Found, message: Any) -> Found:
    """JSON objects are what is read again, with rsyslog's cookie before them or without."""
    objects = pc.match_substring_regex(message, _COOKIE)
    if not objects.true_count:
        return found
    plain = pc.if_else(objects, pc.replace_substring_regex(message, r"^\s*@cee: ?", ""), message)
    return attrs.evolve(found, columns={**found.columns, "message": plain}, again=objects)
