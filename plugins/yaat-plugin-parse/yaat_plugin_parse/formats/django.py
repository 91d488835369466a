"""Django: https://docs.djangoproject.com/en/5.2/topics/logging/.

[05/Jan/2026 10:00:00] "GET /cart?x=1 HTTP/1.1" 200 12          the development server, a span
INFO 2026-01-05 10:00:00,123 views 12 140 words                 `verbose` of the documentation
Not Found: /cart                                                django.request
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_parse import access
from yaat_plugin_parse.config import DjangoConfig
from yaat_plugin_parse.formats.patterned import Family, PatternFormat, named
from yaat_plugin_parse.found import Fields, Found
from yaat_plugin_parse.naming import column_names
from yaat_plugin_parse.zones import zone_of

_LEVEL: Final = r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL)"
_TIME: Final = r"\d\d/[A-Z][a-z]{2}/\d{4} \d\d:\d\d:\d\d"
_MESSAGE: Final = r"(?P<message>(?s:.*))$"
_REQUEST: Final = rf'^\[(?P<time>{_TIME})\] "(?P<request>(?s:.*))" (?P<status>\d{{3}}) (?P<size>\d+|-)$'
_SAID: Final = rf"^\[(?P<timestamp>{_TIME})\] {_MESSAGE}"
_STAMP: Final = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}"
_VERBOSE: Final = (
    rf"^{_LEVEL} (?P<timestamp>{_STAMP}) (?P<logger>\S+) (?P<process>\d+) (?P<thread>\d+) {_MESSAGE}",
    rf"^{_LEVEL} (?P<timestamp>{_STAMP}) (?P<logger>[A-Za-z_][\w.]*):? {_MESSAGE}",
)
#: What `django.request` says of a response, and the status that it means (django/utils/log.py, core/handlers).
_REASONS: Final[Mapping[str, str]] = {
    "Bad Request": "400",
    "Unauthorized": "401",
    "Forbidden": "403",
    "Not Found": "404",
    "Method Not Allowed": "405",
    "Gone": "410",
    "Too Many Requests": "429",
    "Internal Server Error": "500",
    "Service Unavailable": "503",
}
_WARNING: Final = rf"^(?P<reason>{'|'.join(_REASONS)})(?: \([^)]*\))?: (?P<path>/[^\n]*)"


class DjangoFormat(PatternFormat):
    """Requests as spans, everything else as logs."""

    def __init__(self, config: DjangoConfig) -> None:
        self._zone = zone_of(config.timezone)
        names = column_names(self._zone)
        super().__init__(
            [
                Family(rf'^\[{_TIME}\] "', (_REQUEST,), self._request, empty=()),
                Family(rf"^\[{_TIME}\] ", (_SAID,), named(names)),
                Family(rf"^[A-Z]+ {_STAMP}", _VERBOSE, named(names)),
                Family(
                    r"^[A-Z][a-z]+ ?[^:\n]*: /",
                    (_WARNING,),
                    named(names, {"path": "url.path"}, _response),
                    empty=(),
                ),
            ]
        )

    def _request(self, fields: Fields) -> Found:
        return access.spans(access.dashes(fields), self._zone)


def _response(columns: dict[str, Any]) -> dict[str, Any]:
    """A level and a status from the reason; the message stays the line."""
    names = pa.array(list(_REASONS), pa.string())
    status = pa.array(list(_REASONS.values()), pa.string()).take(
        pc.index_in(columns.pop("reason"), value_set=names)
    )
    columns["status_code"] = status
    failed = pc.starts_with(status, "5")
    columns["level"] = pc.if_else(failed, pa.scalar("error", pa.string()), pa.scalar("warning", pa.string()))
    return columns
