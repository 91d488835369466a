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
from yaat_plugin_parse.matching import given, kept
from yaat_plugin_parse.zones import zone_of

_LOOK: Final = r'^\S+ \S+ .*\[\d\d/[A-Z][a-z][a-z]/\d{4}:[^\]]+\] "[^"]*" \d{3} (?:\d+|-) "'
_HEAD: Final = r"^(?P<client>[^ ]+) [^ ]+ (?P<user>[^ ]+) \[(?P<time>[^\]]+)\] $"
#: Blanks or brackets in the user's name.
_LOOSE_HEAD: Final = r"^(?P<client>[^ ]+) [^ ]+ (?P<user>.+) \[(?P<time>[^\[\]]+)\] $"
_NUMBERS: Final = r"^ (?P<status>\d{3}) (?P<size>\d+|-) $"
_REQUEST: Final = r"^(?P<method>[A-Za-z_-]+) (?P<path>[^ ?]*)(?P<query>\?[^ ]*)? HTTP/(?P<version>\d[\d.]*)$"
#: A blank in the target, or HTTP/0.9, which names no version.
_LOOSE_REQUEST: Final = (
    r"^(?P<method>[A-Z]+) (?P<path>[^?]*?)(?P<query>\?.*?)?(?: HTTP/(?P<version>\d[\d.]*))?$"
)
_TAILS: Final = (
    r"^(?P<forwarded>) (?P<seconds>\d{1,9}\.\d{3})$",
    r'^(?P<forwarded>) (?:rt=|request_time=)?"?(?P<seconds>\d{1,9}\.\d{1,6})"?(?:\s|$)',
    r'^ "(?P<forwarded>[^"]*)"(?: (?:rt=|request_time=)?"?(?P<seconds>\d{1,9}\.\d{1,6})"?)?(?:\s|$)',
)
"""What stands behind the user agent: seconds, or a forwarded address with seconds behind it or not."""

_LEVELS: Final = ("info", "info", "info", "info", "warning", "error", "error", "error", "error", "error")
"""By the first digit of the status."""
_THOUSAND: Final = pa.scalar(1000.0, pa.float64())


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
        head = _first(pieces[0], (_HEAD, _LOOSE_HEAD))
        numbers = _groups(pc.extract_regex(pieces[2], _NUMBERS))
        fits = np.asarray(pc.and_(head["client"].is_valid(), numbers["status"].is_valid()))
        fits &= np.asarray(pc.equal(pieces[4], pa.scalar(" ", pa.string())))
        if not fits.all():
            keep = pa.array(fits)
            rows, pieces = rows[fits], [piece.filter(keep) for piece in pieces]
            head, numbers = (
                {name: column.filter(keep) for name, column in groups.items()} for groups in (head, numbers)
            )
        return [self._found(rows, pieces, head, numbers)] if len(rows) else []

    def _found(
        self, rows: Any, pieces: Sequence[Any], head: Mapping[str, Any], numbers: Mapping[str, Any]
    ) -> Found:
        request = _first(pieces[1], (_REQUEST, _LOOSE_REQUEST))
        tail = _tail(pieces[6])
        timestamp = timestamps.parse(head["time"], self._zone)
        status = pc.cast(numbers["status"], pa.uint16())
        columns = {
            "timestamp": timestamp,
            "level": _level(status),
            "operation": _operation(request),
            "status_code": status,
            "event_type": pa.repeat(pa.scalar("span", pa.string()), len(rows)),
            "duration_ms": _milliseconds(tail["seconds"]),
        }
        tags = {
            "client.address": head["client"],
            "user.name": given(head["user"], "-"),
            "http.request.method": given(request["method"]),
            "url.path": given(request["path"]),
            "url.query": given(pc.utf8_slice_codeunits(request["query"], 1)),
            "network.protocol.version": given(request["version"]),
            "http.response.body.size": given(numbers["size"], "-"),
            "http.request.header.referer": given(given(pieces[3], "-")),
            "user_agent.original": given(given(pieces[5], "-")),
            "http.request.header.x-forwarded-for": given(given(tail["forwarded"]), "-"),
        }
        if timestamp.null_count:
            tags["timestamp.raw"] = kept(head["time"], timestamp.is_null())
        present = {name: column for name, column in tags.items() if column.null_count < len(rows)}
        return Found(rows, columns, from_columns(len(rows), present))


def _pieces(lines: Any) -> tuple[Any, list[Any]]:
    """The rows with six quotes or more, and the seven pieces between those (the last one has the rest)."""
    split = pc.split_pattern(lines, '"', max_splits=6)
    whole = np.asarray(pc.list_value_length(split)) == 7
    if not whole.all():
        split = split.filter(pa.array(whole))
    rows = np.flatnonzero(whole)
    flat = split.flatten()
    return rows, [flat.take(pa.array(np.arange(piece, 7 * len(rows), 7))) for piece in range(7)]


def _first(text: Any, patterns: Sequence[str]) -> dict[str, Any]:
    """The groups of the first pattern that fits, row by row; null where none does."""
    groups = _groups(found := pc.extract_regex(text, patterns[0]))
    if len(patterns) == 1 or not found.null_count:
        return groups
    left = found.is_null()
    more = _first(text.filter(left), patterns[1:])
    return {name: pc.replace_with_mask(column, left, more[name]) for name, column in groups.items()}


def _tail(text: Any) -> Mapping[str, Any]:
    if not len(text) or not pc.max(pc.binary_length(text)).as_py():
        return dict.fromkeys(("forwarded", "seconds"), pa.nulls(len(text), pa.string()))
    return _first(text, _TAILS)


def _milliseconds(seconds: Any) -> Any:
    """Rounded to whole microseconds: 1000 times 0.12 is a little more than 120."""
    return pc.round(pc.multiply(pc.cast(given(seconds), pa.float64()), _THOUSAND), 3)


def _operation(request: Mapping[str, Any]) -> Any:
    """Method and path; empty for what is no request (a dash, TLS on a plain port)."""
    blank = pa.scalar(" ", pa.string())
    return pc.binary_join_element_wise(request["method"], request["path"], blank).fill_null("")


def _level(status: Any) -> Any:
    return pa.array(_LEVELS, pa.string()).take(pa.array(np.asarray(status) // 100))


def _groups(found: Any) -> dict[str, Any]:
    return {field.name: pc.struct_field(found, field.name) for field in found.type}
