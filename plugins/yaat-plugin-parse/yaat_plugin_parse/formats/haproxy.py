"""HAProxy: https://docs.haproxy.org/3.0/configuration.html#8.2.

    10.0.1.2:33317 [06/Feb/2026:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET / HTTP/1.1"
    10.0.1.2:33313 [06/Feb/2026:12:12:51.443] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0

with or without what syslog puts before it. The request's headers that were captured stand in braces.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Final

import attrs
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_parse import access
from yaat_plugin_parse.config import HaproxyConfig
from yaat_plugin_parse.formats.patterned import Family, PatternFormat, named
from yaat_plugin_parse.found import Fields, Found
from yaat_plugin_parse.matching import given
from yaat_plugin_parse.naming import column_names
from yaat_plugin_parse.zones import zone_of

_SYSLOG: Final = (
    r"^(?:<\d{1,3}>)?(?:(?P<logged>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\S+)(?: (?P<host>[\w.:-]+))? "
    r"(?P<program>[\w.-]*haproxy[\w.-]*)\[(?P<process>\d+)\]: )"
)
_BEGIN: Final = rf"(?:{_SYSLOG}|^)"
_FROM: Final = (
    r"(?P<client>[^ ]+):(?P<port>\d+) \[(?P<time>\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3})\] "
)
_TO: Final = r"(?P<frontend>\S+) (?P<backend>[^ /]+)/(?P<server>\S+) "
_COUNTS: Final = r"(?P<connections>\d+/\d+/\d+/\d+/\+?\d+) (?P<queues>\d+/\d+)"
_HTTP: Final = (
    rf"{_BEGIN}{_FROM}{_TO}(?P<t1>-?\d+)/(?P<t2>-?\d+)/(?P<t3>-?\d+)/(?P<t4>-?\d+)/\+?(?P<ms>-?\d+) "
    r"(?P<status>-1|\d{3}) \+?(?P<size>\d+) (?P<cookie>\S+) (?P<set_cookie>\S+) (?P<state>[A-Za-z-]{4}) "
    rf"{_COUNTS}(?: \{{(?P<captured>[^}}]*)\}})?(?: \{{(?P<answered>[^}}]*)\}})? "
    r'"(?P<request>[^"]*)"?(?: (?P<error>-?\d+/[0-9a-f]+/\d+/\d+/\d) (?P<name>[^/ ]*)/(?P<tls>[^/ ]*)/(?P<cipher>\S*))?$'
)
_TCP: Final = (
    rf"{_BEGIN}{_FROM}{_TO}(?P<t2>-?\d+)/(?P<t3>-?\d+)/\+?(?P<ms>-?\d+) \+?(?P<size>\d+) (?P<state>[A-Za-z-]{{2}}) "
    rf"{_COUNTS}$"
)
_REFUSED: Final = rf"{_BEGIN}{_FROM}(?P<frontend>[^ /]+)/(?P<bind>[^ :]+): (?P<message>(?s:.*))$"
_NOTICE: Final = r"^\[(?P<level>[A-Z]+)\] +(?:\d+/\d+ )?\((?P<process>\d+)\) : (?P<message>(?s:.*))$"
_MESSAGE: Final = rf"{_SYSLOG}(?P<message>(?s:.*))$"

_NAMES: Final = {
    "port": "client.port",
    "frontend": "haproxy.frontend",
    "bind": "haproxy.bind",
    "backend": "haproxy.backend",
    "server": "haproxy.server",
    "t1": "haproxy.request_ms",
    "t2": "haproxy.queue_ms",
    "t3": "haproxy.connect_ms",
    "t4": "haproxy.response_ms",
    "cookie": "haproxy.request_cookie",
    "set_cookie": "haproxy.response_cookie",
    "state": "haproxy.termination_state",
    "connections": "haproxy.connections",
    "queues": "haproxy.queues",
    "captured": "haproxy.captured_request_headers",
    "answered": "haproxy.captured_response_headers",
    "error": "haproxy.tls_error",
    "name": "tls.server_name",
    "tls": "tls.protocol.version",
    "cipher": "tls.cipher",
    "process": "process.pid",
    "host": "log.syslog.hostname",
    "program": "log.syslog.appname",
}


class HaproxyFormat(PatternFormat):
    """Requests and connections as spans, everything else as logs."""

    def __init__(self, config: HaproxyConfig) -> None:
        self._zone: tzinfo = zone_of(config.timezone)
        names = column_names(self._zone)
        request = rf"{_BEGIN}\S+:\d+ \[\d\d/[A-Z][a-z]{{2}}/\d{{4}}:"
        super().__init__(
            [
                Family(rf"{request}.*/.*\"", (_HTTP,), self._http, empty=()),
                Family(rf"{request}.*\] \S+ [^ /]+/\S+ -?\d+/", (_TCP,), self._tcp, empty=()),
                Family(
                    request,
                    (_REFUSED,),
                    named(names, {**_NAMES, "client": "client.address", "time": "timestamp"}, _log),
                ),
                Family(r"^\[[A-Z]+\] +(?:\d+/\d+ )?\(\d+\) : ", (_NOTICE,), named(names, _NAMES)),
                Family(_SYSLOG, (_MESSAGE,), named(names, {**_NAMES, "logged": "timestamp"}, _log)),
            ]
        )

    def _http(self, fields: Fields) -> Found:
        return access.spans(_renamed(fields), self._zone)

    def _tcp(self, fields: Fields) -> Found:
        found = access.spans(_renamed(fields), self._zone)
        blank = pa.scalar(" ", pa.string())
        operation = pc.binary_join_element_wise(
            pa.scalar("TCP", pa.string()), fields.columns["frontend"], blank
        )
        well = pc.equal(fields.columns["state"], pa.scalar("--", pa.string()))
        level = pc.if_else(well, pa.scalar("info", pa.string()), pa.scalar("warning", pa.string()))
        return attrs.evolve(found, columns={**found.columns, "operation": operation, "level": level})


def _renamed(fields: Fields) -> Fields:
    columns = {
        _NAMES.get(name, name): column if name == "request" else given(column, "-")
        for name, column in fields.columns.items()
        if name != "logged"
    }
    return attrs.evolve(fields, columns=columns)


def _log(columns: dict[str, Any]) -> dict[str, Any]:
    """The time that syslog gives is that of the event where there is no other."""
    if "time" in columns:
        columns.pop("logged", None)
    return columns
