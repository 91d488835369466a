"""Times as engines write them (RFC 3339), to nanoseconds since the epoch."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import numpy as np

_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(?:Z|([+-])(\d\d):(\d\d))", re.ASCII
)
_SECOND: Final = 1_000_000_000
#: Length of a whole second in UTC, and of one with nine digits behind the point.
SHORT: Final = 20
LONG: Final = 30
_POINTS: Final = {4: 0x2D, 7: 0x2D, 10: 0x54, 13: 0x3A, 16: 0x3A}


def parse(text: str) -> int | None:
    """One time; None when it is none, or before the epoch (engines write year 1 for never)."""
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    whole, fraction, sign, hours, minutes = match.groups()
    try:
        zone = (
            timezone((1 if sign == "+" else -1) * timedelta(hours=int(hours), minutes=int(minutes)))
            if sign
            else UTC
        )
        moment = datetime.fromisoformat(whole).replace(tzinfo=zone)
    except ValueError:
        return None
    nanoseconds = int(moment.timestamp()) * _SECOND + int((fraction or "").ljust(9, "0"))
    return nanoseconds if nanoseconds >= 0 else None


def parse_columns(letters: Any) -> Any | None:
    """Many times of one length: a matrix of bytes, a row each, `SHORT` or `LONG` wide.

    Returns:
        int64 nanoseconds, or None when a row is not written like that.
    """
    width = letters.shape[1]
    if width not in (SHORT, LONG) or not (letters[:, width - 1] == 0x5A).all():
        return None
    points = {**_POINTS, 19: 0x2E} if width == LONG else _POINTS
    if not all((letters[:, at] == letter).all() for at, letter in points.items()):
        return None
    digits = letters.astype(np.int64) - 0x30
    columns = [at for at in range(width - 1) if at not in points]
    if ((digits[:, columns] < 0) | (digits[:, columns] > 9)).any():
        return None
    seconds = (_number(digits, 11, 13) * 60 + _number(digits, 14, 16)) * 60 + _number(digits, 17, 19)
    date = _number(digits, 0, 4) * 10_000 + _number(digits, 5, 7) * 100 + _number(digits, 8, 10)
    dates, which = np.unique(date, return_inverse=True)
    try:
        days = np.array([_days(int(one)) for one in dates], np.int64)
    except ValueError:
        return None
    fraction = _number(digits, 20, 29) if width == LONG else 0
    return (days[which] * 86_400 + seconds) * _SECOND + fraction


def _number(digits: Any, first: int, stop: int) -> Any:
    powers = 10 ** np.arange(stop - first - 1, -1, -1, dtype=np.int64)
    return digits[:, first:stop] @ powers


def _days(date: int) -> int:
    day = datetime(date // 10_000, date // 100 % 100, date % 100, tzinfo=UTC)
    return (day - datetime(1970, 1, 1, tzinfo=UTC)).days
