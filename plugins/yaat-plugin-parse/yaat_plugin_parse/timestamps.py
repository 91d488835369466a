"""Written times to microseconds UTC, on whole columns.

Forms, told apart row by row from two letters:

    2026-01-05T10:00:00.123456Z     RFC 3339, with `T`, blank or `_`, `-` or `/`, fraction after `.` or `,`, zone or none
    05/Jan/2026:10:00:00 +0000      the common log format
    1767607200, 1767607200.123      since the epoch; seconds, ms, us or ns by magnitude
    anything else                   row by row: the rest of ISO 8601, RFC 5322

What is impossible, or before 1970 or after 2200, is null. Nanoseconds are cut.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.event import TIME_TYPE
from yaat_plugin_parse.letters import rectangle
from yaat_plugin_parse.zones import to_utc

_WIDTH: Final = 48
_LONGEST_ODD: Final = 64
_SECOND: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1)
_END_US: Final = (datetime(2201, 1, 1) - _EPOCH) // timedelta(microseconds=1)
_MONTHS: Final = (
    b"jan",
    b"feb",
    b"mar",
    b"apr",
    b"may",
    b"jun",
    b"jul",
    b"aug",
    b"sep",
    b"oct",
    b"nov",
    b"dec",
)
_DAYS: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_EPOCH_FORM: Final = r"^(?P<whole>\d{1,18}|[1-8]\d{18})(?:\.(?P<part>\d*))?$"


def parse(column: Any, zone: tzinfo = UTC) -> Any:
    """Times of a string array as ``timestamp("us", "UTC")``; null where there is none."""
    letters, lengths = rectangle(column, _WIDTH)
    micros = np.full(len(column), -1, np.int64)
    iso = np.isin(letters[:, 4], (45, 47))
    common = (letters[:, 2] == 47) & ~iso
    for mask, layout in ((iso, _ISO), (common, _COMMON)):
        if mask.any():
            micros[mask] = _fixed(letters[mask], lengths[mask], layout, zone)
    todo = micros < 0
    if todo.any():
        micros[todo] = _others(column.filter(pa.array(todo)), zone)
    return pa.array(micros, mask=(micros < 0) | (micros >= _END_US)).view(TIME_TYPE)


@attrs.frozen
class _Layout:
    """Where each part of a stamp begins; ``month`` is two digits or three letters."""

    year: int
    month: int
    day: int
    hour: int
    named_month: bool
    marks: tuple[tuple[int, bytes], ...]

    @property
    def end(self) -> int:
        return self.hour + 8


_ISO: Final = _Layout(0, 5, 8, 11, False, ((7, b"-/"), (10, b"Tt _"), (13, b":"), (16, b":")))
_COMMON: Final = _Layout(7, 3, 0, 12, True, ((6, b"/"), (11, b": "), (14, b":"), (17, b":")))


def _fixed(letters: Any, lengths: Any, layout: _Layout, zone: tzinfo) -> Any:
    """Microseconds since the epoch, -1 where a row is not of this layout."""
    digits = letters - np.uint8(48)
    hour = layout.hour
    year, ok = _number(digits, layout.year, 4)
    month, fine = _month(letters, layout.month) if layout.named_month else _number(digits, layout.month, 2)
    ok &= fine
    parts = []
    for start in (layout.day, hour, hour + 3, hour + 6):
        number, fine = _number(digits, start, 2)
        parts.append(number)
        ok &= fine
    for place, marks in layout.marks:
        ok &= np.isin(letters[:, place], list(marks))
    day, hours, minutes, seconds = parts
    ok &= _possible(year, month, day) & (hours < 24) & (minutes < 60) & (seconds <= 60)
    fraction, after = _fraction(letters, digits, layout.end)
    offset, named, after = _offset(letters, digits, after)
    ok &= after == lengths
    clock = ((_days(year, month, day) * 24 + hours) * 60 + minutes) * 60 + seconds
    micros = clock * _SECOND + fraction
    local = ok & ~named
    if local.any():
        micros[local] = to_utc(micros[local], zone)
    return np.where(ok, micros - offset * _SECOND, -1)


def _number(digits: Any, start: int, count: int) -> tuple[Any, Any]:
    """The number at a place, and where there is one."""
    piece = digits[:, start : start + count]
    value = np.zeros(len(digits), np.int64)
    for place in range(count):
        value = value * 10 + piece[:, place]
    return value, (piece <= 9).all(axis=1)


def _month(letters: Any, start: int) -> tuple[Any, Any]:
    lower = letters[:, start : start + 3] | 0x20
    month = np.zeros(len(letters), np.int64)
    for number, name in enumerate(_MONTHS, 1):
        month[(lower == np.frombuffer(name, np.uint8)).all(axis=1)] = number
    return month, month > 0


def _possible(year: Any, month: Any, day: Any) -> Any:
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = _DAYS[np.clip(month, 0, 12)] + (leap & (month == 2))
    return (month >= 1) & (month <= 12) & (day >= 1) & (day <= last)


def _days(year: Any, month: Any, day: Any) -> Any:
    """Days since 1970-01-01 of the Gregorian calendar (years begin in March here, so that leap days come last)."""
    year = year - (month <= 2)
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _fraction(letters: Any, digits: Any, start: int) -> tuple[Any, Any]:
    """Microseconds behind a point or comma (up to nine digits, cut), and where the rest begins."""
    marked = np.isin(letters[:, start], (44, 46))
    if not marked.any():
        return np.int64(0), np.full(len(letters), start)
    run = np.cumprod(digits[:, start + 1 : start + 10] <= 9, axis=1, dtype=np.int64) * marked[:, None]
    value = np.zeros(len(letters), np.int64)
    for place in range(6):
        value = value * 10 + digits[:, start + 1 + place] * run[:, place]
    count = run.sum(axis=1)
    return value, start + count + (count > 0)


def _offset(letters: Any, digits: Any, start: Any) -> tuple[Any, Any, Any]:
    """Seconds east of Greenwich, where a zone is named, and where the rest begins."""
    rows = np.arange(len(letters))
    start = start + (letters[rows, start] == 32)
    first = letters[rows, start]
    if (first == 90).all():
        return np.int64(0), first == 90, start + 1
    utc = np.isin(first, (90, 122))
    word = (letters[rows[:, None], start[:, None] + np.arange(3)] == np.frombuffer(b"UTC", np.uint8)).all(
        axis=1
    )
    piece = digits[rows[:, None], start[:, None] + np.arange(1, 6)].astype(np.int64)
    colon = letters[rows, start + 3] == 58
    low = np.where(colon[:, None], piece[:, 3:5], piece[:, 2:4])
    signed = np.isin(first, (43, 45)) & (piece[:, :2] <= 9).all(axis=1)
    full = signed & (low <= 9).all(axis=1)
    hours, minutes = piece[:, 0] * 10 + piece[:, 1], low[:, 0] * 10 + low[:, 1]
    signed &= (hours < 24) & (~full | (minutes < 60))
    seconds = np.where(signed, hours * 3600 + np.where(full, minutes * 60, 0), 0)
    length = np.where(signed, np.where(full, 5 + colon, 3), 0)
    return np.where(first == 45, -seconds, seconds), utc | word | signed, start + utc + 3 * word + length


def _others(column: Any, zone: tzinfo) -> Any:
    """Numbers since the epoch, and the rest row by row."""
    found = pc.extract_regex(column, _EPOCH_FORM)
    numbers = np.asarray(found.is_valid())
    micros = np.full(len(column), -1, np.int64)
    if numbers.any():
        micros[numbers] = _since_epoch(found.drop_null())
    for row in np.flatnonzero(~numbers & np.asarray(column.is_valid())).tolist():
        micros[row] = _odd(column[row].as_py(), zone)
    return micros


def _since_epoch(found: Any) -> Any:
    whole = np.asarray(pc.cast(found.field("whole"), pa.int64()))
    padded = pc.utf8_slice_codeunits(pc.utf8_rpad(found.field("part"), 6, padding="0"), 0, 6)
    part = np.asarray(pc.cast(padded, pa.int64()))
    in_seconds, in_ms, in_us = whole < 10**11, whole < 10**14, whole < 10**17
    return np.select(
        [whole > _END_US * 1000, in_seconds, in_ms, in_us],
        [
            np.int64(-1),
            np.where(in_seconds, whole, 0) * _SECOND + part,
            np.where(in_ms, whole, 0) * 1000 + part // 1000,
            whole,
        ],
        whole // 1000,
    )


def _odd(text: str, zone: tzinfo) -> int:
    text = text.strip()
    if not 6 <= len(text) <= _LONGEST_ODD or not text.isascii():
        return -1
    for read in (_iso_8601, _exponent, _rfc_5322):
        try:
            when = read(text)
        except (ValueError, OverflowError, IndexError, TypeError, InvalidOperation):
            continue
        if isinstance(when, int):
            return when
        return _micros(when, zone)
    return -1


def _micros(when: datetime, zone: tzinfo) -> int:
    """-1 stands for all that lies before the epoch."""
    naive = when.replace(tzinfo=None)
    clock = (naive - _EPOCH) // timedelta(microseconds=1)
    if when.tzinfo is None:
        return max(-1, int(to_utc(np.array([clock], np.int64), zone)[0])) if clock >= 0 else -1
    return max(-1, clock - (when.utcoffset() or timedelta()) // timedelta(microseconds=1))


def _iso_8601(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _exponent(text: str) -> int:
    """A number in the form that large floats are written in."""
    number = Decimal(text)
    if not 0 <= number < 10**19:
        raise ValueError("no time")
    text = f"{number:f}"
    return int(_since_epoch(pc.extract_regex(pa.array([text]), _EPOCH_FORM).drop_null())[0])


def _rfc_5322(text: str) -> datetime:
    from email.utils import parsedate_to_datetime

    if text[3] != "," and not text[:1].isdigit():
        raise ValueError("no time")
    return parsedate_to_datetime(text)
