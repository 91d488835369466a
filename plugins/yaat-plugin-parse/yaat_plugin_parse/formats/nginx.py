"""nginx's predefined `combined` format, and the common one, with a request time behind it or not.

A request becomes a span: `operation` is method and path, tags have OpenTelemetry's names, the line stays the message.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.tags import from_columns
from yaat_plugin_parse import timestamps
from yaat_plugin_parse.config import NginxConfig
from yaat_plugin_parse.found import Found
from yaat_plugin_parse.matching import given

_QUOTED: Final = r"(?:[^\"\\]|\\.)*"
_LINE: Final = (
    r"^(?P<client>\S+) \S+ (?P<user>[^\[]*?) \[(?P<time>[^\]]{20,40})\] "
    rf"\"(?P<request>{_QUOTED})\" (?P<status>\d{{3}}) (?P<size>\d+|-)"
    rf"(?: \"(?P<referer>{_QUOTED})\" \"(?P<agent>{_QUOTED})\")?"
    r"(?:.*?[ =\"](?P<took>\d{1,6}\.\d{3})\b)?"
)
_REQUEST: Final = (
    r"^(?P<method>[A-Z]{3,20}) (?P<path>[^ ?]*)(?:\?(?P<query>[^ ]*))?(?: HTTP/(?P<version>\d(?:\.\d)?))?$"
)
_LOOKS: Final = r"^\S+ \S+ [^\[]*\[\d\d/[A-Z][a-z][a-z]/\d{4}:[^\]]*\] \""


class NginxFormat:
    """Access log lines to spans."""

    def __init__(self, config: NginxConfig) -> None:
        pass

    def fits(self, lines: Any) -> Any:
        """An address, a time in brackets, a quote."""
        return np.asarray(pc.match_substring_regex(lines, _LOOKS))

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line that is an access log line with a time that exists."""
        found = pc.extract_regex(lines, _LINE)
        rows = np.flatnonzero(np.asarray(found.is_valid()))
        if len(rows) < len(lines):
            found = found.drop_null()
        parts = dict(zip([field.name for field in found.type], found.flatten(), strict=True))
        if not len(rows):
            return []
        return [_spans(rows, parts)]


def _spans(rows: Any, parts: dict[str, Any]) -> Found:
    request = pc.extract_regex(parts["request"], _REQUEST)
    method, path, query, version = (
        pc.struct_field(request, name) for name in ("method", "path", "query", "version")
    )
    status = pc.cast(parts["status"], pa.uint16())
    raw = given(given(parts["request"]), "-")
    named = pc.binary_join_element_wise(method, path, " ", null_handling="emit_null")
    columns = {
        "timestamp": timestamps.parse(parts["time"]),
        "event_type": pa.repeat(pa.scalar("span"), len(rows)),
        "operation": pc.coalesce(named, raw),
        "status_code": status,
        "duration_ms": pc.multiply(pc.cast(given(parts["took"]), pa.float64()), 1000.0),
        "level": _levels(status),
    }
    tags = {
        "client.address": parts["client"],
        "user.name": given(given(parts["user"]), "-"),
        "http.request.method": method,
        "url.path": path,
        "url.query": given(pc.coalesce(query, "")),
        "network.protocol.version": given(pc.coalesce(version, "")),
        "http.response.body.size": given(parts["size"], "-"),
        "http.request.header.referer": given(given(parts["referer"]), "-"),
        "user_agent.original": given(given(parts["agent"]), "-"),
    }
    return Found(rows, columns, from_columns(len(rows), tags))


def _levels(status: Any) -> Any:
    return pc.if_else(
        pc.greater_equal(status, 500), "error", pc.if_else(pc.greater_equal(status, 400), "warning", "info")
    )
