"""nginx's access log: ``combined``, as it is built in, and what is commonly put behind it.

    $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer"
    "$http_user_agent" ["$http_x_forwarded_for"] [[rt=]$request_time]

Each line is a span (docs/schema.md). nginx writes a quote inside a value as ``\\x22``, so the quotes
show where values end; lines with quotes inside them, as other servers escape them (``\\"``), do not fit.
Tags have OpenTelemetry's names. A span's ids stay null: the line names none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.tags import from_columns
from yaat_plugin_parse import timestamps
from yaat_plugin_parse.config import NginxConfig
from yaat_plugin_parse.found import Found
from yaat_plugin_parse.matching import given
from yaat_plugin_parse.zones import zone_of

_LOOK: Final = r'^\S+ \S+ .*\[\d\d/[A-Z][a-z][a-z]/\d{4}:[^\]]+\] "[^"]*" \d{3} (?:\d+|-) "'
_HEAD: Final = r"^(?P<client>\S+) \S+ (?P<rest>.*\] )$"
_NUMBERS: Final = r"^ (?P<status>\d{3}) (?P<size>\d+|-) $"
_REQUEST: Final = (
    r"^(?P<method>[A-Za-z_-]+) (?P<path>[^ ?]*)(?:\?(?P<query>[^ ]*))? HTTP/(?P<version>\d[\d.]*)$"
)
#: A blank in the target, or HTTP/0.9, which names no version.
_LOOSE: Final = r"^(?P<method>[A-Z]+) (?P<path>[^?]*?)(?:\?(?P<query>.*?))?(?: HTTP/(?P<version>\d[\d.]*))?$"
_TAIL: Final = (
    r'^(?: "(?P<forwarded>[^"]*)")?(?: (?:rt=|request_time=)?"?(?P<seconds>\d{1,9}(?:\.\d{1,6})?)"?)?(?:\s|$)'
)
_STAMP: Final = 26
"""Letters of ``05/Jan/2026:10:00:00 +0000``."""


class NginxFormat:
    """Cuts lines at their quotes, then each piece by a small pattern."""

    def __init__(self, config: NginxConfig) -> None:
        self._zone = zone_of(config.timezone)

    def fits(self, lines: Any) -> Any:
        """An address, a time in brackets, a request in quotes, two numbers."""
        return np.asarray(pc.match_substring_regex(lines, _LOOK))

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line of seven pieces with a time in brackets and a status."""
        rows, pieces = _pieces(lines)
        head = pc.extract_regex(pieces[0], _HEAD)
        numbers = pc.extract_regex(pieces[2], _NUMBERS)
        fits = _stamped(head) & np.asarray(numbers.is_valid()) & np.asarray(pc.equal(pieces[4], " "))
        if not fits.all():
            keep = pa.array(fits)
            rows, pieces = rows[fits], [piece.filter(keep) for piece in pieces]
            head, numbers = head.filter(keep), numbers.filter(keep)
        return [self._found(rows, pieces, _group(head), _group(numbers))] if len(rows) else []

    def _found(
        self, rows: Any, pieces: Sequence[Any], head: Mapping[str, Any], numbers: Mapping[str, Any]
    ) -> Found:
        when, user = _time_and_user(head["rest"])
        request = _request(pieces[1])
        tail = _tail(pieces[6])
        timestamp = timestamps.parse(when, self._zone)
        status = pc.cast(numbers["status"], pa.uint16())
        columns = {
            "timestamp": timestamp,
            "level": _level(status),
            "operation": _operation(request),
            "status_code": status,
            "event_type": pa.repeat(pa.scalar("span"), len(rows)),
        }
        if tail["seconds"].null_count < len(rows):
            columns["duration_ms"] = pc.multiply(pc.cast(tail["seconds"], pa.float64()), 1000.0)
        tags = {
            "client.address": head["client"],
            "user.name": given(user, "-"),
            "http.request.method": request["method"],
            "url.path": request["path"],
            "url.query": request["query"],
            "network.protocol.version": request["version"],
            "http.response.body.size": given(numbers["size"], "-"),
            "http.request.header.referer": given(given(pieces[3], "-")),
            "user_agent.original": given(given(pieces[5], "-")),
            "http.request.header.x-forwarded-for": tail["forwarded"],
        }
        if timestamp.null_count:
            tags["timestamp.raw"] = pc.if_else(timestamp.is_null(), when, None)
        present = {name: column for name, column in tags.items() if column.null_count < len(rows)}
        return Found(rows, columns, from_columns(len(rows), present))


def _pieces(lines: Any) -> tuple[Any, list[Any]]:
    """The rows with six quotes or more, and the seven pieces between those (the last one has the rest)."""
    split = pc.split_pattern(lines, '"', max_splits=6)
    whole = np.asarray(pc.equal(pc.list_value_length(split), 7))
    if not whole.all():
        split = split.filter(pa.array(whole))
    rows = np.flatnonzero(whole)
    flat = split.flatten()
    return rows, [flat.take(pa.array(np.arange(piece, 7 * len(rows), 7))) for piece in range(7)]


def _stamped(head: Any) -> Any:
    """Rows whose head ends in ``[...] `` around as many letters as a time has."""
    opening = pc.utf8_slice_codeunits(pc.struct_field(head, "rest"), -_STAMP - 4, -_STAMP - 2)
    return np.asarray(pc.equal(opening, " [").fill_null(False))


def _time_and_user(rest: Any) -> tuple[Any, Any]:
    return pc.utf8_slice_codeunits(rest, -_STAMP - 2, -2), pc.utf8_slice_codeunits(rest, 0, -_STAMP - 4)


def _request(text: Any) -> Mapping[str, Any]:
    """Method, path, query and version; all null where the request is none."""
    strict = pc.extract_regex(text, _REQUEST)
    groups = _group(strict)
    if strict.null_count:
        loose = _group(pc.extract_regex(pc.if_else(strict.is_null(), text, None), _LOOSE))
        groups = {name: pc.coalesce(groups[name], loose[name]) for name in groups}
    return {name: given(column) for name, column in groups.items()}


def _tail(text: Any) -> Mapping[str, Any]:
    if not pc.max(pc.binary_length(text)).as_py():
        return dict.fromkeys(("forwarded", "seconds"), pa.nulls(len(text), pa.string()))
    found = _group(pc.extract_regex(text, _TAIL))
    return {name: given(given(column), "-") for name, column in found.items()}


def _operation(request: Mapping[str, Any]) -> Any:
    """Method and path; empty for what is no request (a dash, TLS on a plain port)."""
    return pc.binary_join_element_wise(request["method"], request["path"], " ").fill_null("")


def _level(status: Any) -> Any:
    return pc.if_else(
        pc.greater_equal(status, 500), "error", pc.if_else(pc.greater_equal(status, 400), "warning", "info")
    )


def _group(found: Any) -> dict[str, Any]:
    return {field.name: pc.struct_field(found, field.name) for field in found.type}
