"""nginx's error log.

2026/01/05 10:00:00 [error] 12#13: *7 open() "/x" failed (2: No such file or directory), client: 127.0.0.1,
server: example.com, request: "GET /x HTTP/1.1", host: "example.com"
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Final

import attrs
import pyarrow.compute as pc

from yaat_plugin_parse import access
from yaat_plugin_parse.formats.patterned import Family, PatternFormat
from yaat_plugin_parse.found import Fields, Found
from yaat_plugin_parse.matching import given
from yaat_plugin_parse.naming import assign, column_names

_LINE: Final = (
    r"^(?P<timestamp>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d) \[(?P<level>[a-z]+)\] (?P<process>\d+)#(?P<thread>\d+): "
    r"(?:\*(?P<connection>\d+) )?(?P<message>(?s:.*))$"
)
_CONTEXT: Final = (
    r"^(?P<message>(?s:.*?)), client: (?P<client>[^,\s]+)(?:, server: (?P<server>[^,]*))?"
    r'(?:, request: "(?P<request>[^"]*)")?(?:, subrequest: "(?P<subrequest>[^"]*)")?'
    r'(?:, upstream: "(?P<upstream>[^"]*)")?(?:, host: "(?P<host>[^"]*)")?(?:, referrer: "(?P<referer>[^"]*)")?$'
)
_NAMES: Final = {
    "process": "process.pid",
    "thread": "thread.id",
    "connection": "nginx.connection",
    "client": "client.address",
    "server": "nginx.server_name",
    "request": "nginx.request",
    "subrequest": "nginx.subrequest",
    "upstream": "nginx.upstream",
    "host": "http.request.header.host",
    "referer": "http.request.header.referer",
}


class ErrorLog(PatternFormat):
    """Events of type log; what nginx says of the request becomes tags."""

    def __init__(self, zone: tzinfo) -> None:
        self._names = column_names(zone)
        super().__init__([Family(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[", (_LINE,), self._found)])

    def _found(self, fields: Fields) -> Found:
        columns: dict[str, Any] = dict(fields.columns)
        context = access.first(columns["message"], (_CONTEXT,))
        columns["message"] = pc.coalesce(context.pop("message"), columns["message"])
        columns |= {name: given(column) for name, column in context.items()}
        named = {_NAMES.get(name, name): column for name, column in columns.items()}
        return assign(attrs.evolve(fields, columns=named), self._names)
