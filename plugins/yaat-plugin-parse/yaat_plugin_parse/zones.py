"""Local times to UTC, for stamps that name no zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final

import numpy as np

_OFFSET: Final = re.compile(r"([+-])(\d\d):?(\d\d)")
#: Offsets change at whole quarters of an hour, so one question for each quarter is enough.
_QUARTER_US: Final = 900 * 1_000_000


def zone_of(name: str) -> tzinfo:
    """The zone that a configuration names.

    Raises:
        ValueError: no such zone; says how to write one.
    """
    if name in ("UTC", "Z"):
        return UTC
    match = _OFFSET.fullmatch(name)
    if match is not None and int(match[2]) < 24 and int(match[3]) < 60:
        offset = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(offset if match[1] == "+" else -offset)
    return _named(name)


def _named(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (OSError, ValueError, LookupError) as error:
        raise ValueError(
            f"unknown timezone {name!r}: write UTC, an offset like +02:00, or a name like Europe/Berlin"
        ) from error


def to_utc(local_us: Any, zone: tzinfo) -> Any:
    """Microseconds of a wall clock to microseconds since the epoch (int64 arrays).

    An hour that comes twice means its first time (PEP 495, ``fold=0``).
    """
    if zone is UTC or not len(local_us):
        return local_us
    quarters, where = np.unique(local_us // _QUARTER_US, return_inverse=True)
    return local_us - np.array([_offset_us(int(one), zone) for one in quarters], np.int64)[where]


def _offset_us(quarter: int, zone: tzinfo) -> int:
    clock = datetime(1970, 1, 1) + timedelta(microseconds=quarter * _QUARTER_US)
    offset = clock.replace(tzinfo=zone).utcoffset() or timedelta()
    return offset // timedelta(microseconds=1)
