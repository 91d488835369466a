"""Times from their pieces (year, month, clock, zone as separate texts), on whole columns.

A piece is a string array; null or empty where a row does not have it:

    year (four or two digits), month (digits), mon (a name), day, doy (day of the year)
    hour, ampm, minute, second, fraction (of a second, digits), zone (see `offsets.of_text`)
    epoch (seconds since 1970; then only fraction counts beside it)

Without a year it is the latest that does not put the moment more than a day into the future. Without a date at all it is
today's or, where that would be so, yesterday's: right for lines that are read as they are written.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.event import TIME_TYPE
from yaat_plugin_parse import calendar, offsets
from yaat_plugin_parse.matching import given
from yaat_plugin_parse.zones import to_utc

_SECOND: Final = 1_000_000
_DAY: Final = 86_400 * _SECOND
END_US: Final = (datetime(2201, 1, 1) - datetime(1970, 1, 1)) // timedelta(microseconds=1)
"""Later times are none."""
_YEARS_BACK: Final = 9
"""Enough for 29 February: the longest time between two leap years is eight years."""

Pieces = Mapping[str, Any]


def times(pieces: Pieces, zone: tzinfo, now_us: int | None = None) -> Any:
    """`micros` as ``timestamp("us", "UTC")``, null where the pieces make no time; ``now_us`` is the present by default."""
    found = micros(pieces, zone, time.time_ns() // 1000 if now_us is None else now_us)
    return pa.array(found, mask=(found < 0) | (found >= END_US)).view(TIME_TYPE)


def micros(pieces: Pieces, zone: tzinfo, now_us: int) -> Any:
    """Microseconds since the epoch as int64, -1 where the pieces make no time.

    ``zone`` is that of times that name none; ``now_us`` is the moment from which missing years and days are inferred.
    """
    rows = len(next(iter(pieces.values())))
    if "epoch" in pieces:
        epoch = _number(pieces, "epoch", rows, -1)
        return np.where(epoch >= 0, epoch * _SECOND + _fraction(pieces, rows), -1)
    clock, ok = _clock(pieces, rows)
    local, named, known = _zones(pieces, rows, zone)
    read = _Reading(clock, ok & known, local, named, now_us)
    month, day = _month(pieces, rows), _number(pieces, "day", rows, 0)
    year = _year(pieces, rows)
    doy = _number(pieces, "doy", rows, 0)
    if (doy > 0).any():
        return read.of_days(np.where((doy > 0) & (year > 0), calendar.days(year, 1, doy), -1))
    dated, whole = (month > 0) & (day > 0), year > 0
    found = np.full(rows, -1, np.int64)
    _put(found, read, dated & whole, lambda one, at: one.on(year[at], month[at], day[at]))
    _put(found, read, dated & ~whole, lambda one, at: one.latest(month[at], day[at]))
    _put(found, read, ~dated & ~whole & (month == 0) & (day == 0), lambda one, _: one.today())
    return found


def _put(found: Any, read: _Reading, mask: Any, times: Any) -> None:
    if mask.any():
        found[mask] = times(read.at(mask), mask)


class _Reading:
    """Clocks (microseconds of the day) of some rows with their zones, waiting for a date."""

    def __init__(self, clock: Any, ok: Any, local: list[tuple[Any, tzinfo]], named: Any, now_us: int) -> None:
        self.clock, self.ok, self.local, self.named, self.now_us = clock, ok, local, named, now_us

    def at(self, mask: Any) -> _Reading:
        """These rows only."""
        local = [(rows[mask], zone) for rows, zone in self.local]
        return _Reading(self.clock[mask], self.ok[mask], local, self.named[mask], self.now_us)

    def on(self, year: Any, month: Any, day: Any) -> Any:
        """At that date."""
        possible = calendar.possible(year, month, day)
        return self.of_days(np.where(possible, calendar.days(year, month, day), -1))

    def of_days(self, days: Any) -> Any:
        """So many days after 1970-01-01; negative ones are no date."""
        times = days * _DAY + self.clock - self.named * _SECOND
        for rows, zone in self.local:
            if rows.any():
                times[rows] = to_utc(times[rows], zone)
        return np.where(self.ok & (days >= 0) & (times >= 0), times, -1)

    def latest(self, month: Any, day: Any) -> Any:
        """The year is missing."""
        this = datetime.fromtimestamp(self.now_us / 1e6, UTC).year
        found = np.full(len(month), -1, np.int64)
        for year in range(this + 1, this - _YEARS_BACK, -1):
            times = self.on(np.full(len(month), year), month, day)
            fits = (found < 0) & (times >= 0) & (times <= self.now_us + _DAY)
            found[fits] = times[fits]
            if (found >= 0).all():
                break
        return found

    def today(self) -> Any:
        """The whole date is missing."""
        found = np.full(len(self.clock), -1, np.int64)
        today = self.now_us // _DAY
        for day in (today + 1, today, today - 1, today - 2):
            times = self.of_days(np.full(len(self.clock), day))
            fits = (found < 0) & (times >= 0) & (times <= self.now_us + _SECOND * 3600)
            found[fits] = times[fits]
        return found


def _number(pieces: Pieces, name: str, rows: int, default: int) -> Any:
    column = pieces.get(name)
    if column is None:
        return np.full(rows, default, np.int64)
    text = given(pc.ascii_trim_whitespace(column))
    return np.asarray(pc.cast(text, pa.int64()).fill_null(default))


def _clock(pieces: Pieces, rows: int) -> tuple[Any, Any]:
    """Microseconds of the day, and where that is possible."""
    hour, minute, second = (_number(pieces, name, rows, 0) for name in ("hour", "minute", "second"))
    ok = (hour < 24) & (minute < 60) & (second <= 60)
    half = pieces.get("ampm")
    if half is not None:
        first = pc.utf8_slice_codeunits(pc.ascii_lower(half), 0, 1).fill_null("")
        morning, evening = (np.asarray(pc.equal(first, letter)) for letter in ("a", "p"))
        ok &= ~(morning | evening) | ((hour >= 1) & (hour <= 12))
        hour = np.where(morning | evening, hour % 12 + 12 * evening, hour)
    return ((hour * 60 + minute) * 60 + second) * _SECOND + _fraction(pieces, rows), ok


def _fraction(pieces: Pieces, rows: int) -> Any:
    column = pieces.get("fraction")
    if column is None:
        return np.zeros(rows, np.int64)
    padded = pc.utf8_slice_codeunits(pc.utf8_rpad(given(column), 6, padding="0"), 0, 6)
    return np.asarray(pc.cast(padded, pa.int64()).fill_null(0))


def _month(pieces: Pieces, rows: int) -> Any:
    month = _number(pieces, "month", rows, 0)
    name = pieces.get("mon")
    if name is None:
        return month
    lower = pc.ascii_lower(pc.utf8_slice_codeunits(name, 0, 3))
    places = np.asarray(pc.index_in(lower, value_set=calendar.MONTHS).fill_null(-1), np.int64)
    return np.where(places >= 0, places + 1, month)


def _year(pieces: Pieces, rows: int) -> Any:
    year = _number(pieces, "year", rows, 0)
    column = pieces.get("year")
    if column is None:
        return year
    short = np.asarray(pc.equal(pc.binary_length(pc.ascii_trim_whitespace(column)), 2).fill_null(False))
    return np.where(short, year + np.where(year < 70, 2000, 1900), year)


def _zones(pieces: Pieces, rows: int, zone: tzinfo) -> tuple[list[tuple[Any, tzinfo]], Any, Any]:
    """Rows by the zone whose clock they show, seconds east of Greenwich for the others, and where the zone is known."""
    column = pieces.get("zone")
    named, known = np.zeros(rows, np.int64), np.ones(rows, bool)
    text = given(pc.ascii_trim_whitespace(column)) if column is not None else pa.nulls(rows, pa.string())
    local = [(np.asarray(text.is_null()), zone)]
    if text.null_count == rows:
        return local, named, known
    coded = text.dictionary_encode()
    codes = np.asarray(coded.indices.fill_null(-1))
    for code, one in enumerate(coded.dictionary.to_pylist()):
        mine = codes == code
        meant = offsets.of_text(one, zone)
        if isinstance(meant, int):
            named[mine] = meant
        elif meant is None:
            known[mine] = False
        else:
            local.append((mine, meant))
    return local, named, known
