"""DuckDB's errors as the user of `yaat query` reads them."""

from __future__ import annotations

import re
from typing import Final

import duckdb

from yaat_core.errors import QueryFailed

_MOST_TEXT: Final = 400
_HINT: Final = re.compile(r"(?:Did you mean|Candidate bindings)[^\n]*(?:\n\t[^\n]*)*")
_PLACE: Final = re.compile(r"LINE (\d+): ([^\n]*)\n( *)\^")


def first_line(error: Exception) -> str:
    """What DuckDB says, without its advice on tuning."""
    return str(error).partition("\n")[0]


def as_failure(error: Exception) -> QueryFailed:
    """The first paragraph, the place, and the suggestion when there is one."""
    text = str(error)
    # Arrow wraps what DuckDB says while it streams.
    kind, _, said = text.partition(" Error: ")
    what = (said or text).partition("\n")[0].partition("LINE ")[0].strip()[:_MOST_TEXT]
    if isinstance(error, duckdb.OutOfMemoryException) or "Out of Memory" in text:
        return QueryFailed(
            "the query needs more memory or disk than it may use",
            cause=what,
            fix="ask for less (a shorter time, fewer columns), or raise `memory_limit` or `spill_bytes` of the sink",
        )
    place = _PLACE.search(text)
    hint = _HINT.search(text)
    return QueryFailed(
        what or "the database gave no reason",
        where=f"line {place[1]}: {place[2].strip()[:_MOST_TEXT]}" if place else "",
        cause=f"{kind.strip().splitlines()[-1].lower()} error" if said else "",
        fix=" ".join(hint[0].split())[:_MOST_TEXT] if hint else "",
    )
