"""W3C extended log files, IIS's above all: https://www.w3.org/TR/WD-logfile.html.

    #Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status time-taken
    2026-01-05 10:00:00 10.0.0.1 GET /cart item=3 443 - 203.0.113.9 Mozilla/5.0 200 15

Times are UTC (in IIS). The fields of a stream are those of its last `#Fields:` line; lines that begin with # are no requests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_parse import access
from yaat_plugin_parse.config import W3cConfig
from yaat_plugin_parse.found import Fields, Found
from yaat_plugin_parse.leading import subset
from yaat_plugin_parse.matching import given, hits
from yaat_plugin_parse.streams import Streams
from yaat_plugin_parse.zones import zone_of

_COMMENT: Final = r"^#(?:Fields|Software|Version|Date|Start-Date|End-Date|Remark): "
_HEADER: Final = "#Fields:"
_BLANK: Final = pa.scalar(" ", pa.string())
_NAMES: Final[Mapping[str, str]] = {
    "c-ip": "client",
    "cs-username": "user",
    "cs-method": "method",
    "cs-uri-stem": "path",
    "cs-uri-query": "query",
    "cs-uri": "target",
    "cs-version": "protocol",
    "cs(User-Agent)": "agent",
    "cs(Referer)": "referer",
    "cs(X-Forwarded-For)": "forwarded",
    "X-Forwarded-For": "forwarded",
    "sc-status": "status",
    "sc-bytes": "size",
    "cs-bytes": "http.request.size",
    "time-taken": "ms",
    "s-ip": "server.address",
    "s-port": "server.port",
    "cs-host": "http.request.header.host",
}


@attrs.define
class _Stream:
    fields: tuple[str, ...]


class W3cFormat:
    """Requests as spans."""

    def __init__(self, config: W3cConfig) -> None:
        self._zone = zone_of(config.timezone)
        own = fields_of(config.fields)
        self._streams: Streams[_Stream] = Streams(lambda: _Stream(own))

    def fits(self, lines: Any) -> Any:
        """A line that begins as the headers do, and all behind it."""
        header = hits(lines, _COMMENT)
        return np.logical_or.accumulate(header)

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line of as many fields as the header has."""
        comment = np.asarray(pc.starts_with(lines, "#"))
        one = self._streams.get(stream)
        parts = [Found(np.flatnonzero(comment), {})] if comment.any() else []
        start = 0
        for header in np.flatnonzero(np.asarray(pc.starts_with(lines, _HEADER))).tolist():
            parts += self._piece(lines, np.arange(start, header), comment, one.fields)
            one.fields, start = fields_of(lines[header].as_py()), header
        return [*parts, *self._piece(lines, np.arange(start, len(lines)), comment, one.fields)]

    def learn(self, opening: Any, stream: str) -> None:
        """See `Learning`: the last `#Fields:` holds."""
        self.parse(opening, stream)

    def _piece(self, lines: Any, rows: Any, comment: Any, names: tuple[str, ...]) -> list[Found]:
        rows = rows[~comment[rows]]
        if not names or not len(rows):
            return []
        split = pc.split_pattern(pc.ascii_rtrim_whitespace(subset(lines, rows)), " ")
        whole = np.asarray(pc.list_value_length(split)) == len(names)
        rows, flat = rows[whole], split.filter(pa.array(whole)).flatten()
        if not len(rows):
            return []
        columns = {
            _NAMES.get(name, f"w3c.{name}"): given(
                flat.take(pa.array(np.arange(place, len(flat), len(names)))), "-"
            )
            for place, name in enumerate(names)
        }
        return [access.spans(Fields(rows, _timed(columns)), self._zone)]


def fields_of(text: str) -> tuple[str, ...]:
    """The names in a `#Fields:` line, or in what stands behind it; each once."""
    return tuple(dict.fromkeys(text.removeprefix(_HEADER).split()))


def _timed(columns: dict[str, Any]) -> dict[str, Any]:
    """Blanks are written as + in texts; date and time are one value."""
    for name in ("agent", "w3c.cs(Cookie)"):
        if name in columns:
            columns[name] = pc.replace_substring(columns[name], "+", " ")
    if "w3c.date" in columns and "w3c.time" in columns:
        columns["time"] = pc.binary_join_element_wise(
            columns.pop("w3c.date"), columns.pop("w3c.time"), _BLANK
        )
    return columns
