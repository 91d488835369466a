"""PRIORITY of the journal: the levels of syslog (RFC 5424, table 2)."""

from __future__ import annotations

import difflib
from typing import Final

NAMES: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_OTHERS: Final = {"emergency": 0, "panic": 0, "critical": 2, "error": 3, "warn": 4}

#: The level of the schema for each priority.
LEVELS: Final = ("critical", "critical", "critical", "error", "warning", "info", "info", "debug")


def priorities_of(text: str) -> tuple[int, ...]:
    """The priorities that ``err`` (and graver), ``3``, ``err..info`` or ``4..6`` mean.

    Raises:
        ValueError: not a priority; says how to write one.
    """
    first, between, last = text.partition("..")
    if not between:
        return tuple(range(_number(text) + 1))
    low, high = sorted((_number(first), _number(last)))
    return tuple(range(low, high + 1))


def _number(text: str) -> int:
    name = text.strip().lower()
    if name in NAMES:
        return NAMES.index(name)
    if name in _OTHERS:
        return _OTHERS[name]
    if len(name) == 1 and name in "01234567":
        return int(name)
    near = difflib.get_close_matches(name, NAMES, 1)
    guess = f"did you mean {near[0]}? " if near else ""
    raise ValueError(f"not a priority: {text!r}; {guess}There are {', '.join(NAMES)}, or 0 to 7")
