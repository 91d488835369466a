"""Apache's access log (``LogFormat``) and error log (``ErrorLogFormat``, as it is by default).

[Mon Jan 05 10:00:00.123456 2026] [core:error] [pid 12:tid 34] (13)Permission denied: [client 127.0.0.1:5] AH00035: ...
[Mon Jan 05 10:00:00 2026] [error] [client 127.0.0.1] of version 2.2
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_parse import access
from yaat_plugin_parse.apache_format import NICKNAMES, Layout
from yaat_plugin_parse.config import ApacheConfig
from yaat_plugin_parse.formats.patterned import Family, PatternFormat, named
from yaat_plugin_parse.found import Fields, Found, remaining
from yaat_plugin_parse.leading import subset
from yaat_plugin_parse.matching import hits
from yaat_plugin_parse.naming import column_names
from yaat_plugin_parse.zones import zone_of

_TIME: Final = r"\[(?P<timestamp>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})? \d{4})\]"
_REST: Final = (
    r"(?: (?P<place>[\w./-]+\(\d+\)):)?(?P<error> \(\d+\)[^\[]*?:)?(?: \[client (?P<client>[^\]]+)\])?"
    r" ?(?P<message>(?s:.*))$"
)
_LINES: Final = (
    rf"^{_TIME} \[(?P<module>[^\]:]*):(?P<level>[a-z]+\d?)\] \[pid (?P<process>\d+)(?::tid (?P<thread>\d+))?\]{_REST}",
    rf"^{_TIME} \[(?P<level>[a-z]+)\]{_REST}",
)
_NAMES: Final = {
    "module": "apache.module",
    "process": "process.pid",
    "thread": "thread.id",
    "client": "client.address",
    "place": "apache.file",
}
_SAMPLE: Final = 24
_PORT: Final = r"^(?P<address>.*[^:]):(?P<port>\d{1,5})$"


class ApacheFormat:
    """Access lines by each layout in turn, then what is left as lines of an error log."""

    def __init__(self, config: ApacheConfig) -> None:
        self._zone = zone_of(config.timezone)
        layouts = [config.log_format] if config.log_format else ["vhost_combined", "combined", "common"]
        self._layouts = [Layout.of(NICKNAMES.get(one, one)) for one in layouts]
        self._errors = PatternFormat(
            [Family(rf"^{_TIME} \[", _LINES, named(column_names(self._zone), _NAMES, _change))]
        )

    def fits(self, lines: Any) -> Any:
        """A line of either log."""
        return np.logical_or.reduce(
            [self._errors.fits(lines), *(layout.template.fits(lines) for layout in self._layouts)]
        )

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """What was found in both."""
        parts: list[Found] = []
        for read in self._in_order(lines):
            left = remaining(len(lines), parts)
            if not len(left):
                return parts
            for fields in read(subset(lines, left)):
                parts.append(access.spans(fields, self._zone).within(left))
        left = remaining(len(lines), parts)
        if len(left):
            parts += [part.within(left) for part in self._errors.parse(subset(lines, left), stream)]
        return parts

    def _in_order(self, lines: Any) -> list[Callable[[Any], Iterable[Fields]]]:
        """First the patterns that only one layout's lines fit, those of most lines before the others; then the loose ones."""
        sample = subset(lines, np.arange(0, len(lines), max(1, len(lines) // _SAMPLE)))
        fast = sorted(self._layouts, key=lambda layout: -int(hits(sample, layout.template.fast).sum()))
        return [*(layout.read_plain for layout in fast), *(layout.read_odd for layout in self._layouts)]


def _change(columns: dict[str, Any]) -> dict[str, Any]:
    """The system's error stays in the message, the client's port gets its own tag."""
    error = columns.pop("error", None)
    if error is not None:
        text = pc.utf8_ltrim_whitespace(error)
        blank = pa.scalar(" ", pa.string())
        columns["message"] = pc.coalesce(
            pc.binary_join_element_wise(text, columns["message"], blank), columns["message"]
        )
    if "client" in columns:
        parts = access.first(columns["client"], (_PORT,))
        columns["client"] = pc.coalesce(parts["address"], columns["client"])
        columns["client.port"] = parts["port"]
    return columns
