"""The words of SQL over events, for completion: what can stand where the cursor is.

Tables, columns and functions are known beforehand; names of tags, and values of tags and columns, come from the database
(`TAG_NAMES`, `values_sql`: bounded statements that the caller runs). Used by `yaat query` and by the full screens.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

import attrs

from yaat_core.event import EVENT_TYPES, FIELD_HELP, LEVELS, SCHEMA
from yaat_core.sql_functions import FUNCTIONS as _ALLOWED

Kind = Literal["table", "column", "keyword", "function", "tag", "value"]

TABLES: Final[Mapping[str, str]] = {
    "events": "every event",
    **{f"{kind}s": f"events of the type {kind}" for kind in EVENT_TYPES},
}
_TYPES: Final = {
    "string": "VARCHAR",
    "fixed_size_binary[16]": "UUID",
    "timestamp[us, tz=UTC]": "TIMESTAMPTZ",
    "double": "DOUBLE",
    "uint16": "USMALLINT",
    "map<string, string>": "MAP(VARCHAR, VARCHAR)",
}
#: name: (SQL type, what it means).
COLUMNS: Final[Mapping[str, tuple[str, str]]] = {
    field.name: (_TYPES.get(str(field.type), str(field.type)), FIELD_HELP[field.name]) for field in SCHEMA
}
FUNCTIONS: Final = tuple(sorted(name for name in _ALLOWED if name[0].isalpha()))
_KEYWORDS: Final = """
    SELECT FROM WHERE GROUP BY ORDER LIMIT OFFSET HAVING AS AND OR NOT IN IS NULL LIKE ILIKE BETWEEN CASE WHEN THEN ELSE
    END DISTINCT JOIN LEFT RIGHT FULL INNER OUTER CROSS ON USING UNION ALL EXCEPT INTERSECT WITH RECURSIVE ASC DESC
    INTERVAL CAST TRUE FALSE OVER PARTITION QUALIFY FILTER EXISTS EXPLAIN ANALYZE DESCRIBE SUMMARIZE SHOW TABLES
    EXCLUDE REPLACE SAMPLE PIVOT UNPIVOT VALUES NULLS FIRST LAST ROWS RANGE UNBOUNDED PRECEDING FOLLOWING
"""
KEYWORDS: Final = tuple(_KEYWORDS.split())

#: Newest events that are looked at for names and values, and how many of these are kept.
LOOKED_AT: Final = 20_000
MOST: Final = 200
_NEWEST: Final = "(SELECT {} FROM events ORDER BY timestamp DESC LIMIT {})"
#: Names of the tags of the newest events, the most frequent first: (name, count).
TAG_NAMES: Final = (
    f"SELECT name, count(*) AS events FROM (SELECT unnest(map_keys(tags)) AS name FROM {_NEWEST.format('tags', LOOKED_AT)}) "
    f"GROUP BY name ORDER BY events DESC, name LIMIT {MOST}"
)
#: Columns of few different values.
_FIXED: Final = {"level": LEVELS, "event_type": EVENT_TYPES}
_FEW: Final = ("service_name", "environment", "operation", "metric_name", "organization_id", "status_code")


def values_sql(name: str, *, tag: bool) -> str | None:
    """The values of a tag, or of a column of few values, in the newest events: (value, count). None: not to be listed."""
    if not tag and name not in _FEW:
        return None
    quoted = name.replace("'", "''")
    what = f"tags['{quoted}']" if tag else name
    source = _NEWEST.format("tags" if tag else name, LOOKED_AT)
    return (
        f"SELECT {what} AS value, count(*) AS events FROM {source} WHERE {what} IS NOT NULL "
        f"GROUP BY value ORDER BY events DESC, value LIMIT {MOST}"
    )


@attrs.frozen
class Word:
    """Something to complete with; ``length`` characters before the cursor are replaced by ``text``."""

    text: str
    kind: Kind
    detail: str = ""
    length: int = 0


@attrs.frozen
class Place:
    """Where the cursor is: what is wanted there, and what is typed of it. ``name``: of the tag or column whose value it is."""

    wanted: Literal["any", "table", "column", "tag", "tag value", "column value", "nothing"]
    typed: str = ""
    name: str = ""


_TAG: Final = re.compile(r"tags\s*\[\s*'((?:[^']|'')*)$", re.IGNORECASE)
_TAG_VALUE: Final = re.compile(
    r"tags\s*\[\s*'((?:[^']|'')*)'\s*\]\s*(?:=|<>|!=|(?:NOT\s+)?(?:I?LIKE|IN\s*\((?:\s*'(?:[^']|'')*'\s*,)*))\s*'((?:[^']|'')*)$",
    re.IGNORECASE,
)
_COLUMN_VALUE: Final = re.compile(
    r"\b(\w+)\s*(?:=|<>|!=|(?:NOT\s+)?(?:I?LIKE|IN\s*\((?:\s*'(?:[^']|'')*'\s*,)*))\s*'((?:[^']|'')*)$",
    re.IGNORECASE,
)
_TABLE: Final = re.compile(r"\b(?:FROM|JOIN|DESCRIBE|SUMMARIZE)\s+(\w*)$", re.IGNORECASE)
_OF_TABLE: Final = re.compile(r"\b(\w+)\.(\w*)$")
_WORD: Final = re.compile(r"(\w*)$")


def place(before: str) -> Place:
    """What is wanted after the text before the cursor."""
    if match := _TAG.search(before):
        return Place("tag", match[1])
    if match := _TAG_VALUE.search(before):
        return Place("tag value", match[2], match[1].replace("''", "'"))
    if match := _COLUMN_VALUE.search(before):
        return Place("column value", match[2], match[1].lower())
    if before.count("'") % 2:
        return Place("nothing")
    if match := _TABLE.search(before):
        return Place("table", match[1])
    if match := _OF_TABLE.search(before):
        return Place("column", match[2])
    typed = _WORD.search(before)
    return Place("any", typed[1] if typed else "")


def words(at: Place, *, tags: Iterable[str] = (), values: Sequence[str] = ()) -> Iterator[Word]:
    """What fits, best first. ``tags`` and ``values`` are what the database told."""
    typed = at.typed.lower()
    length = len(at.typed)
    if at.wanted == "tag":
        yield from _fitting(typed, ((tag.replace("'", "''") + "']", "tag", "") for tag in tags), length)
    elif at.wanted in ("tag value", "column value"):
        known: Sequence[str] = values or _FIXED.get(at.name, ()) if at.wanted == "column value" else values
        yield from _fitting(typed, ((value.replace("'", "''") + "'", "value", "") for value in known), length)
    elif at.wanted == "table":
        yield from _fitting(typed, _tables(), length)
    elif at.wanted == "column":
        yield from _fitting(typed, _columns(), length)
    elif at.wanted == "any" and typed:
        yield from _fitting(typed, _columns(), length)
        yield from _fitting(typed, _tables(), length)
        keywords = (word.lower() if at.typed.islower() else word for word in KEYWORDS)
        yield from _fitting(typed, ((word, "keyword", "") for word in keywords), length)
        yield from _fitting(typed, ((f"{name}(", "function", "") for name in FUNCTIONS), length)


def _tables() -> Iterator[tuple[str, Kind, str]]:
    return ((name, "table", what) for name, what in TABLES.items())


def _columns() -> Iterator[tuple[str, Kind, str]]:
    return (
        ("tags['" if name == "tags" else name, "column", f"{kind.split('(')[0]}: {what}")
        for name, (kind, what) in COLUMNS.items()
    )


def _fitting(typed: str, known: Iterable[tuple[str, Kind, str]], length: int) -> Iterator[Word]:
    for text, kind, detail in known:
        if text.lower().startswith(typed):
            yield Word(text, kind, detail, length)
