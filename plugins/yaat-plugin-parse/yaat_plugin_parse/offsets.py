"""What a zone at the end of a written time means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Final

from yaat_plugin_parse.zones import zone_of

_SIGNED: Final = re.compile(r"(?:UTC|GMT)?([+-])(\d{1,2})(?::?(\d\d))?")
_NAMED: Final = re.compile(r"[A-Z][A-Za-z_]+/[A-Za-z_/+-]+")

#: Hours east of Greenwich; RFC 5322, section 4.3, and abbreviations of the tz database with one common meaning.
_HOURS: Final[Mapping[str, float]] = {
    **dict.fromkeys(("Z", "UTC", "GMT", "UT", "WET"), 0),
    **{"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7},
    **{"AKST": -9, "AKDT": -8, "HST": -10, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3},
    **{"MSK": 3, "SAST": 2, "WAT": 1, "EAT": 3, "JST": 9, "KST": 9, "HKT": 8, "SGT": 8, "AWST": 8},
    **{"ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13},
}


@lru_cache(maxsize=256)
def of_text(text: str, zone: tzinfo) -> int | tzinfo | None:
    """Seconds east of Greenwich, a zone, or None for what is neither.

    An abbreviation that ``zone`` itself uses means that zone: IST is India's where `timezone` is Asia/Kolkata.
    """
    signed = _SIGNED.fullmatch(text)
    if signed is not None:
        hours, minutes = int(signed[2]), int(signed[3] or 0)
        if hours >= 24 or minutes >= 60:
            return None
        seconds = hours * 3600 + minutes * 60
        return -seconds if signed[1] == "-" else seconds
    if text in _abbreviations(zone):
        return zone
    if text.upper() in _HOURS:
        return round(_HOURS[text.upper()] * 3600)
    return _by_name(text)


def _by_name(text: str) -> tzinfo | None:
    if not _NAMED.fullmatch(text):
        return None
    try:
        return zone_of(text)
    except ValueError:
        return None


@lru_cache(maxsize=16)
def _abbreviations(zone: tzinfo) -> frozenset[str]:
    return frozenset(zone.tzname(datetime(2025, month, 1)) or "" for month in (1, 7))
