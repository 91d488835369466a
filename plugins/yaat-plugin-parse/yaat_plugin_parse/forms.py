"""How programs write times, beyond the forms that `timestamps` reads at fixed places: patterns whose groups are pieces.

Jan  5 10:00:00, Mon Jan 05 10:00:00.123456 2026, Jan 5, 2026 10:00:00 AM    syslog, Apache, date(1), java.util.logging
Mon, 05 Jan 2026 10:00:00 +0000, 05-Jan-2026 10:00:00.123, 05 Jan 10:00:00   RFC 5322, Tomcat, BIND, Redis
0105 10:00:00.123456, 20260105 10:00:00.123456, 260105 10:00:00              klog, glog, MySQL 5
1/5/2026 10:00:00 PM, 05.01.2026 10:00:00, 2026/1/5 9:00:00 CET              months first with /, days first with .
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_parse import moments

MONTH: Final = "(?P<mon>(?i:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec))(?i:[a-z]{0,6})"
_WEEKDAY: Final = r"(?:(?i:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? +)?"
_FRACTION: Final = r"(?:[.,](?P<fraction>\d{1,9}))?"
_CLOCK: Final = (
    rf"(?P<hour>\d{{1,2}}):(?P<minute>\d\d)(?::(?P<second>\d\d){_FRACTION})?(?: ?(?P<ampm>(?i:[ap]m)))?"
)
_ZONE: Final = (
    r"(?: ?(?P<zone>(?:UTC|GMT)?[+-]\d\d(?::?\d\d)?|[A-Z]{1,5}|[A-Z][A-Za-z_]+/[A-Za-z_/+-]+))?"
    r"(?: \([A-Za-z ]+\)|\[[A-Za-z_/+-]+\])?"
)
_YEAR: Final = r"(?P<year>\d{4})"

FORMS: Final = (
    rf"^{_WEEKDAY}{MONTH}\.? +(?P<day>\d{{1,2}})(?:,? {_YEAR})?,? {_CLOCK}{_ZONE}$",
    rf"^{_WEEKDAY}{MONTH} +(?P<day>\d{{1,2}}) {_CLOCK}{_ZONE} {_YEAR}$",
    rf"^{_WEEKDAY}(?P<day>\d{{1,2}})[ /-]{MONTH}[ /-]{_YEAR}[ :T]{_CLOCK}{_ZONE}$",
    rf"^{_WEEKDAY}(?P<day>\d{{1,2}})[ /-]{MONTH}[ /-](?P<year>\d\d) {_CLOCK}{_ZONE}$",
    rf"^(?P<day>\d{{1,2}}) {MONTH} {_CLOCK}{_ZONE}$",
    rf"^{_YEAR}(?P<month>\d\d)(?P<day>\d\d)[ T-](?P<hour>\d\d):?(?P<minute>\d\d):?(?P<second>\d\d){_FRACTION}{_ZONE}$",
    rf"^(?P<month>\d\d)(?P<day>\d\d) {_CLOCK}$",
    rf"^(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d) +{_CLOCK}$",
    rf"^(?P<month>\d{{1,2}})/(?P<day>\d{{1,2}})/(?P<year>\d{{4}}|\d\d),? {_CLOCK}{_ZONE}$",
    rf"^(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}}|\d\d),? {_CLOCK}{_ZONE}$",
    rf"^{_YEAR}[-/.](?P<month>\d{{1,2}})[-/.](?P<day>\d{{1,2}})(?: {{1,2}}|[T_]){_CLOCK}{_ZONE}$",
)


def read(column: Any, zone: tzinfo, now_us: int) -> Any:
    """Microseconds since the epoch of each text, -1 for what is of no form here or no time at all."""
    found = np.full(len(column), -1, np.int64)
    rows = np.flatnonzero(np.asarray(column.is_valid()))
    for form in FORMS:
        if not len(rows):
            break
        pieces = pc.extract_regex(column.take(pa.array(rows)), form)
        fits = np.asarray(pieces.is_valid())
        if fits.any():
            pieces = pieces.drop_null()
            names = [field.name for field in pieces.type]
            found[rows[fits]] = moments.micros(dict(zip(names, pieces.flatten(), strict=True)), zone, now_us)
            rows = rows[~fits]
    return found
