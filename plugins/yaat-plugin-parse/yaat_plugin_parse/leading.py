"""Lines that no format fits: a time at their beginning and a word for the level, where that is cheap to see."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_parse import levels, timestamps
from yaat_plugin_parse.found import Found
from yaat_plugin_parse.matching import given, hits

_LOOK: Final = 160
"""Characters of a line that are looked at."""

_CLOCK: Final = r"\d\d:\d\d:\d\d(?:[.,]\d{1,9})?"
_ZONE: Final = r"(?: ?(?:Z|UTC|[+-]\d\d:?\d\d)\b)?"
_MONTH: Final = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_TIME: Final = (
    rf"^[\[(<\"]?(?P<time>\d{{4}}[-/]\d\d[-/]\d\d[T ]{_CLOCK}{_ZONE}"
    rf"|\d\d/{_MONTH}/\d{{4}}[: ]{_CLOCK}(?: [+-]\d{{4}})?"
    rf"|\d\d[ -]{_MONTH}[ -]\d{{4}} {_CLOCK}{_ZONE}"
    rf"|(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )?{_MONTH} [ \d]\d {_CLOCK}(?: \d{{4}}\b)?)"
)
_WORDS: Final = "TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|SEVERE|CRITICAL|CRIT|FATAL|PANIC|ALERT|EMERG"
#: In capitals after a blank or bracket, or in any letters inside brackets or at the beginning before a colon.
_LEVEL: Final = (
    rf"^(?:[^\n]{{0,100}}?(?:[\s(|<=]|\[ ?))?(?P<loud>{_WORDS})(?:[\s:\])|>,-]|$)"
    rf"|^[^\n]{{0,80}}?[\[<(](?P<framed>(?i:{_WORDS}))[\])>]|^(?P<first>(?i:{_WORDS})):"
)


def look(lines: Any, rows: Any, zone: tzinfo) -> Found:
    """Times and levels of ``lines``, which are the rows ``rows`` of the batch."""
    head = pc.utf8_slice_codeunits(lines, 0, _LOOK)
    return Found(rows, {"timestamp": _times(head, zone), "level": _levels(head)})


def _times(head: Any, zone: tzinfo) -> Any:
    return timestamps.parse(_groups(head, _TIME, "time")[0], zone)


def levels_of(lines: Any) -> Any:
    """Levels that stand as words near the beginning of texts; null where there is none."""
    return _levels(pc.utf8_slice_codeunits(lines, 0, _LOOK))


def _levels(head: Any) -> Any:
    words = _groups(head, _LEVEL, "loud", "framed", "first")
    return levels.parse(pc.coalesce(*[given(word) for word in words]))


def _groups(lines: Any, pattern: str, *names: str) -> list[Any]:
    """Groups of a match, null where nothing matched."""
    if not hits(lines, pattern).any():
        return [pa.nulls(len(lines), pa.string())] * len(names)
    found = pc.extract_regex(lines, pattern)
    return [pc.struct_field(found, name) for name in names]


def all_rows(lines: Any) -> Any:
    """The indexes of the rows that have a line at all."""
    return np.flatnonzero(np.asarray(lines.is_valid())) if lines.null_count else np.arange(len(lines))


def subset(lines: Any, rows: Any) -> Any:
    """Lines by index; the same array when that is all of them."""
    return lines if len(rows) == len(lines) else lines.take(pa.array(rows))
