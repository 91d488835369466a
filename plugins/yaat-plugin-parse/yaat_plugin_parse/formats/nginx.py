"""nginx's access log and error log.

The access log is ``combined``, as it is built in, with what is commonly put behind it, or any ``log_format``:

    $remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer"
    "$http_user_agent" ["$http_x_forwarded_for"] [[rt=]$request_time]

nginx writes a quote inside a value as ``\\x22``, so the quotes show where values end; lines with quotes inside them,
as other servers escape them (``\\"``), do not fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_parse import access
from yaat_plugin_parse.config import NginxConfig
from yaat_plugin_parse.formats.nginx_errors import ErrorLog
from yaat_plugin_parse.found import Fields, Found, remaining
from yaat_plugin_parse.leading import subset
from yaat_plugin_parse.log_format import Layout
from yaat_plugin_parse.matching import hits
from yaat_plugin_parse.zones import zone_of

_LOOK: Final = r'^\S+ \S+ .*\[\d\d/[A-Z][a-z][a-z]/\d{4}:[^\]]+\] "[^"]*" \d{3} (?:\d+|-) "'
_HEAD: Final = r"^(?P<client>[^ ]+) [^ ]+ (?P<user>[^ ]+) \[(?P<time>[^\]]+)\] $"
#: Blanks or brackets in the user's name.
_LOOSE_HEAD: Final = r"^(?P<client>[^ ]+) [^ ]+ (?P<user>.+) \[(?P<time>[^\[\]]+)\] $"
_NUMBERS: Final = r"^ (?P<status>\d{3}) (?P<size>\d+|-) $"
_TAILS: Final = (
    r"^(?P<forwarded>) (?P<seconds>\d{1,9}\.\d{3})$",
    r'^(?P<forwarded>) (?:rt=|request_time=)?"?(?P<seconds>\d{1,9}\.\d{1,6})"?(?:\s|$)',
    r'^ "(?P<forwarded>[^"]*)"(?: (?:rt=|request_time=)?"?(?P<seconds>\d{1,9}\.\d{1,6})"?)?(?:\s|$)',
)
"""What stands behind the user agent: seconds, or a forwarded address with seconds behind it or not."""


class NginxFormat:
    """Access lines first, then what is left as lines of an error log."""

    def __init__(self, config: NginxConfig) -> None:
        zone = zone_of(config.timezone)
        self._access: Combined | Written = (
            Written(Layout.of(config.log_format), zone) if config.log_format else Combined(zone)
        )
        self._errors = ErrorLog(zone)

    def fits(self, lines: Any) -> Any:
        """A line of either log."""
        return self._access.fits(lines) | self._errors.fits(lines)

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """What was found in both."""
        parts = list(self._access.parse(lines, stream))
        left = remaining(len(lines), parts)
        if len(left):
            parts += [part.within(left) for part in self._errors.parse(subset(lines, left), stream)]
        return parts


class Written:
    """Access lines by a ``log_format``."""

    def __init__(self, layout: Layout, zone: tzinfo) -> None:
        self._layout = layout
        self._zone = zone

    def fits(self, lines: Any) -> Any:
        """Where the template reads the line."""
        return self._layout.template.fits(lines)

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """A span for each line."""
        return [access.spans(fields, self._zone) for fields in self._layout.read(lines)]


class Combined:
    """Access lines cut at their quotes, then each piece by a small pattern: faster than one pattern for all."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def fits(self, lines: Any) -> Any:
        """An address, a time in brackets, a request in quotes, two numbers."""
        return hits(lines, _LOOK)

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line of seven pieces with a time in brackets and a status."""
        rows, pieces = _pieces(lines)
        head = access.first(pieces[0], (_HEAD, _LOOSE_HEAD))
        numbers = access.first(pieces[2], (_NUMBERS,))
        fits = np.asarray(pc.and_(head["client"].is_valid(), numbers["status"].is_valid()))
        fits &= np.asarray(pc.equal(pieces[4], pa.scalar(" ", pa.string())))
        if not fits.all():
            keep = pa.array(fits)
            rows, pieces = rows[fits], [piece.filter(keep) for piece in pieces]
            head, numbers = (
                {name: column.filter(keep) for name, column in groups.items()} for groups in (head, numbers)
            )
        if not len(rows):
            return []
        values = {**head, **numbers, **_tail(pieces[6])}
        values |= {"request": pieces[1], "referer": pieces[3], "agent": pieces[5]}
        return [access.spans(access.dashes(Fields(rows, values)), self._zone)]


def _pieces(lines: Any) -> tuple[Any, list[Any]]:
    """The rows with six quotes or more, and the seven pieces between those (the last one has the rest)."""
    split = pc.split_pattern(lines, '"', max_splits=6)
    whole = np.asarray(pc.list_value_length(split)) == 7
    if not whole.all():
        split = split.filter(pa.array(whole))
    rows = np.flatnonzero(whole)
    flat = split.flatten()
    return rows, [flat.take(pa.array(np.arange(piece, 7 * len(rows), 7))) for piece in range(7)]


def _tail(text: Any) -> Mapping[str, Any]:
    if not len(text) or not pc.max(pc.binary_length(text)).as_py():
        return dict.fromkeys(("forwarded", "seconds"), pa.nulls(len(text), pa.string()))
    return access.first(text, _TAILS)
