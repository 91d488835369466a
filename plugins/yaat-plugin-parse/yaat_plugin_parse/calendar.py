"""The Gregorian calendar on whole arrays."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa

#: Lower-case names of the months, three letters each, in order.
MONTHS: Final = pa.array(
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], pa.string()
)
_LAST: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def possible(year: Any, month: Any, day: Any) -> Any:
    """Is there such a day?"""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = _LAST[np.clip(month, 0, 12)] + (leap & (month == 2))
    return (month >= 1) & (month <= 12) & (day >= 1) & (day <= last)


def days(year: Any, month: Any, day: Any) -> Any:
    """Days since 1970-01-01 (years begin in March here, so that leap days come last)."""
    year = year - (np.asarray(month) <= 2)
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468
