"""Written times to microseconds UTC, on whole columns.

Forms, told apart row by row from two letters:

    2026-01-05T10:00:00.123456Z     RFC 3339, with `T`, blank or `_`, `-` or `/`, fraction after `.` or `,`, zone or none
    05/Jan/2026:10:00:00 +0000      the common log format
    1767607200, 1767607200.123      since the epoch; seconds, ms, us or ns by magnitude
    anything else                   by the patterns in `forms`; what fits none row by row, as ISO 8601

What is impossible, or before 1970 or after 2200, is null. Nanoseconds are cut.
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.event import TIME_TYPE
from yaat_plugin_parse import calendar, forms
from yaat_plugin_parse.letters import rectangle
from yaat_plugin_parse.moments import END_US
from yaat_plugin_parse.zones import to_utc

_WIDTH: Final = 48
_PROBES: Final = 5
_LONGEST_ODD: Final = 64
_SECOND: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1)
_MONTHS: Final = ("apr", "aug", "dec", "feb", "jan", "jul", "jun", "mar", "may", "nov", "oct", "sep")
_MONTH_WORDS: Final = np.array([int.from_bytes(name.encode()) for name in _MONTHS])
_MONTH_NUMBERS: Final = np.array([4, 8, 12, 2, 1, 7, 6, 3, 5, 11, 10, 9])
_ISO_LETTERS: Final = re.compile(r"\d[\d:.,+ -]*[Tt ]?[\d:.,+-]*(?:[Ww]\d\d-?\d?)?[Tt ]?[\d:.,+-]*[Zz]?")
_EPOCH_FORM: Final = r"^(?P<whole>\d{1,18}|[1-8]\d{18})(?:\.(?P<part>\d*))?$"


def parse(column: Any, zone: tzinfo = UTC, now_us: int | None = None) -> Any:
    """Times of a string array as ``timestamp("us", "UTC")``; null where there is none.

    ``now_us`` is the moment from which a missing year is inferred: the present by default.
    """
    times = _arrow(column, TIME_TYPE)
    if times is None:
        coded = column.dictionary_encode()
        times = _local(coded.dictionary, zone)
        if times is None:
            times = _by_letters(coded.dictionary, zone, time.time_ns() // 1000 if now_us is None else now_us)
        times = times.take(coded.indices)
    return _within(times)


def _arrow(column: Any, kind: Any) -> Any:
    """By Arrow's own reader, which knows one form only: None when any row has another.

    A few rows are tried first, for the reader makes a message of every row that it can't read.
    """
    try:
        if len(column) > _PROBES:
            pc.cast(column.take(pa.array(np.linspace(0, len(column) - 1, _PROBES, dtype=np.int64))), kind)
        return pc.cast(column, kind)
    except pa.ArrowInvalid:
        return None


def _local(column: Any, zone: tzinfo) -> Any:
    """The same without a zone, the comma of Python's logging allowed."""
    times = _arrow(pc.replace_substring(column, ",", "."), pa.timestamp("us"))
    if times is None:
        return None
    micros = np.asarray(times.cast(pa.int64()).fill_null(0))
    return pa.array(to_utc(micros, zone), mask=np.asarray(times.is_null())).view(TIME_TYPE)


def _within(times: Any) -> Any:
    """Null before 1970 and after 2200."""
    micros = times.cast(pa.int64())
    bounds = pc.min_max(micros).as_py()
    if not len(times) or bounds["min"] is None or (bounds["min"] >= 0 and bounds["max"] < END_US):
        return times
    values = np.asarray(micros.fill_null(-1))
    return pa.array(values, mask=(values < 0) | (values >= END_US)).view(TIME_TYPE)


def _by_letters(column: Any, zone: tzinfo, now_us: int) -> Any:
    letters, lengths = rectangle(column, _WIDTH)
    micros = np.full(len(column), -1, np.int64)
    iso = (letters[:, 4] == 45) | (letters[:, 4] == 47)
    common = (letters[:, 2] == 47) & ~iso
    for mask, layout in ((iso, _ISO), (common, _COMMON)):
        if mask.all():
            micros = _fixed(letters.T.copy(), lengths, layout, zone)
        elif mask.any():
            micros[mask] = _fixed(letters[mask].T.copy(), lengths[mask], layout, zone)
    todo = micros < 0
    if todo.any():
        micros[todo] = _others(column.filter(pa.array(todo)), zone, now_us)
    return pa.array(micros, mask=micros < 0).view(TIME_TYPE)


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
    """Microseconds since the epoch, -1 where a row is not of this layout; ``letters`` has a line for each place."""
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
        ok &= _one_of(letters[place], marks)
    day, hours, minutes, seconds = parts
    ok &= calendar.possible(year, month, day) & (hours < 24) & (minutes < 60) & (seconds <= 60)
    fraction, after = _fraction(letters, digits, layout.end)
    offset, named, after = _offset(letters, after)
    ok &= after == lengths
    clock = ((calendar.days(year, month, day) * 24 + hours) * 60 + minutes) * 60 + seconds
    micros = clock * _SECOND + fraction
    local = ok & ~named
    if local.any():
        micros[local] = to_utc(micros[local], zone)
    return np.where(ok, micros - offset * _SECOND, -1)


def _one_of(letters: Any, marks: bytes) -> Any:
    found = letters == marks[0]
    for mark in marks[1:]:
        found |= letters == mark
    return found


def _number(digits: Any, start: int, count: int) -> tuple[Any, Any]:
    """The number at a place, and where there is one."""
    value, ok = digits[start].astype(np.int64), digits[start] <= 9
    for digit in digits[start + 1 : start + count]:
        value = value * 10 + digit
        ok = ok & (digit <= 9)
    return value, ok


def _month(letters: Any, start: int) -> tuple[Any, Any]:
    first, second, third = letters[start : start + 3].astype(np.int64) | 0x20
    word = (first << 16) | (second << 8) | third
    places = np.searchsorted(_MONTH_WORDS, word) % len(_MONTH_WORDS)
    month = np.where(_MONTH_WORDS[places] == word, _MONTH_NUMBERS[places], 0)
    return month, month > 0


def _fraction(letters: Any, digits: Any, start: int) -> tuple[Any, Any]:
    """Microseconds behind a point or comma (up to nine digits, cut), and where the rest begins."""
    going = _one_of(letters[start], b".,")
    value = np.zeros(len(going), np.int64)
    count = np.zeros(len(going), np.int64)
    if not going.any():
        return value, count + start
    for place in range(9):
        digit = digits[start + 1 + place]
        going = going & (digit <= 9)
        count += going
        if place < 6:
            value = value * 10 + np.where(going, digit, 0)
    return value, start + count + (count > 0)


def _offset(letters: Any, start: Any) -> tuple[Any, Any, Any]:
    """Seconds east of Greenwich, where a zone is named, and where the rest begins."""
    rows = np.arange(len(start))
    start = start + (letters[start, rows] == 32)
    first = letters[start, rows]
    if (first == 90).all():
        return np.int64(0), first == 90, start + 1
    behind = [letters[start + place, rows].astype(np.int64) for place in range(1, 6)]
    utc = (first == 90) | (first == 122)
    word = (first == 85) & (behind[0] == 84) & (behind[1] == 67)
    colon = behind[2] == 58
    digits = [one - 48 for one in behind]
    low = [np.where(colon, digits[place + 1], digits[place]) for place in (2, 3)]
    hours, minutes = digits[0] * 10 + digits[1], low[0] * 10 + low[1]
    signed = _one_of(first, b"+-") & _digits(*digits[:2]) & (hours < 24)
    full = signed & _digits(*low)
    signed &= ~full | (minutes < 60)
    seconds = np.where(signed, hours * 3600 + np.where(full, minutes * 60, 0), 0)
    length = np.where(signed, np.where(full, 5 + colon, 3), 0)
    return np.where(first == 45, -seconds, seconds), utc | word | signed, start + utc + 3 * word + length


def _digits(*columns: Any) -> Any:
    return np.logical_and.reduce([(column >= 0) & (column <= 9) for column in columns])


def _others(column: Any, zone: tzinfo, now_us: int) -> Any:
    """Numbers since the epoch, what has a form, and the rest row by row."""
    found = pc.extract_regex(column, _EPOCH_FORM)
    numbers = np.asarray(found.is_valid())
    micros = np.full(len(column), -1, np.int64)
    if numbers.any():
        micros[numbers] = _since_epoch(found.drop_null())
    rest = np.flatnonzero(~numbers & np.asarray(column.is_valid()))
    if len(rest):
        micros[rest] = forms.read(pc.ascii_trim_whitespace(column.take(pa.array(rest))), zone, now_us)
    for row in rest[micros[rest] < 0].tolist():
        micros[row] = _odd(column[row].as_py(), zone)
    return micros


def _since_epoch(found: Any) -> Any:
    whole = np.asarray(pc.cast(found.field("whole"), pa.int64()))
    padded = pc.utf8_slice_codeunits(pc.utf8_rpad(found.field("part"), 6, padding="0"), 0, 6)
    part = np.asarray(pc.cast(padded, pa.int64()))
    in_seconds, in_ms, in_us = whole < 10**11, whole < 10**14, whole < 10**17
    return np.select(
        [whole > END_US * 1000, in_seconds, in_ms, in_us],
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
    for read in (_iso_8601, _exponent):
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
    """Python's own reading; it passes over letters behind the microseconds, so they are looked for before."""
    if not _ISO_LETTERS.fullmatch(text):
        raise ValueError("no time")
    return datetime.fromisoformat(text)


def _exponent(text: str) -> int:
    """A number in the form that large floats are written in."""
    number = Decimal(text)
    if not 0 <= number < 10**19:
        raise ValueError("no time")
    text = f"{number:f}"
    return int(_since_epoch(pc.extract_regex(pa.array([text]), _EPOCH_FORM).drop_null())[0])
