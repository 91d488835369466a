"""Parts of a query's WHERE that may be repeated below the barrier of `scope`, so that a scoped query reads less.

Below the barrier a condition is tried on hidden rows too, so it must tell nothing of them: it compares a column with
a value that is known before any row is read, by an operator that can't fail. The query keeps its own WHERE, so a part that is
not repeated costs time and nothing else; what is not understood is left out. Only a query that reads one view, once, has any.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import duckdb
import pyarrow as pa

from yaat_core.event import SCHEMA
from yaat_kit.sql_tree import nodes
from yaat_plugin_duckdb.engine import quoted

_TEXTS: Final = frozenset(field.name for field in SCHEMA if pa.types.is_string(field.type))
_TIMES: Final = frozenset(field.name for field in SCHEMA if pa.types.is_timestamp(field.type))
_NUMBERS: Final = frozenset(field.name for field in SCHEMA if pa.types.is_integer(field.type))
#: By the operator's name in the tree: as SQL writes it, and with the sides exchanged.
_OPERATORS: Final[Mapping[str, tuple[str, str]]] = {
    "COMPARE_EQUAL": ("=", "="),
    "COMPARE_GREATERTHAN": (">", "<"),
    "COMPARE_GREATERTHANOREQUALTO": (">=", "<="),
    "COMPARE_LESSTHAN": ("<", ">"),
    "COMPARE_LESSTHANOREQUALTO": ("<=", ">="),
}
_POINTS: Final = frozenset(["DATE", "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE"])
_NOW: Final = frozenset(["now", "get_current_timestamp", "current_timestamp", "transaction_timestamp"])
_SPANS: Final = frozenset(
    [
        "-",
        "trunc",
        *(f"to_{unit}" for unit in ("seconds", "minutes", "hours", "days", "weeks", "months", "years")),
    ]
)


def hints(cursor: duckdb.DuckDBPyConnection, tree: Mapping[str, Any]) -> list[str]:
    """Conditions, to be joined by AND; ``tree``: the checked query as `json_serialize_sql` gives it."""
    select = tree["statements"][0]["node"]
    if not _reads_one_view(select):
        return []
    table = select["from_table"]
    reader = _Reader(cursor, {table.get("alias") or table["table_name"]})
    return [hint for part in _parts(select["where_clause"]) for hint in reader.hints(part)]


def _reads_one_view(select: Mapping[str, Any]) -> bool:
    if select.get("type") != "SELECT_NODE" or not select.get("where_clause"):
        return False
    tables = [one for one in nodes(select) if one.get("type") in ("BASE_TABLE", "TABLE_FUNCTION", "SHOW_REF")]
    below = any(one.get("class") == "SUBQUERY" or one.get("type") == "SUBQUERY" for one in nodes(select))
    table = select.get("from_table") or {}
    renamed = {one.get("alias", "").lower() for one in select["select_list"]} & set(SCHEMA.names)
    return (
        len(tables) == 1
        and table.get("type") == "BASE_TABLE"
        and not table.get("sample")
        and not select.get("sample")
        and not table.get("column_name_alias")
        and not below
        and not renamed
        and not (select.get("cte_map") or {}).get("map")
    )


def _parts(where: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What AND joins at the top."""
    if where.get("type") == "CONJUNCTION_AND":
        for child in where["children"]:
            yield from _parts(child)
    else:
        yield where


class _Reader:
    """Reads the parts of one query's WHERE."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, tables: set[str]) -> None:
        self._cursor = cursor
        self._tables = {name.lower() for name in tables}

    def hints(self, part: Mapping[str, Any]) -> Iterator[str]:
        kind = str(part.get("type"))
        if kind in _OPERATORS and part.get("class") == "COMPARISON":
            straight, turned = _OPERATORS[kind]
            yield from self._comparison(part["left"], straight, part["right"])
            yield from self._comparison(part["right"], turned, part["left"])
        elif kind == "COMPARE_BETWEEN":
            yield from self._comparison(part["input"], ">=", part["lower"])
            yield from self._comparison(part["input"], "<=", part["upper"])
        elif kind == "COMPARE_IN":
            yield from self._one_of(*part["children"])

    def _comparison(self, one: Mapping[str, Any], operator: str, other: Mapping[str, Any]) -> Iterator[str]:
        column = self._column(one)
        value = None if column is None else self._value(column, operator, other)
        if value is not None:
            yield f"{column} {operator} {value}"

    def _one_of(self, one: Mapping[str, Any], *others: Mapping[str, Any]) -> Iterator[str]:
        column = self._column(one)
        values = [self._value(column, "=", other) for other in others] if column else [None]
        if all(values):
            yield f"{column} IN ({', '.join(str(value) for value in values)})"

    def _column(self, node: Mapping[str, Any]) -> str | None:
        """The column's name, when it is one of the view's."""
        if node.get("class") != "COLUMN_REF":
            return None
        *table, name = (text.lower() for text in node["column_names"])
        own = not table or (len(table) == 1 and table[0] in self._tables)
        return name if own and name in _TEXTS | _TIMES | _NUMBERS else None

    def _value(self, column: str, operator: str, node: Mapping[str, Any]) -> str | None:
        """The value as a literal of the column's type."""
        literal = _literal(node)
        if column in _TIMES:
            return self._time(operator, node)
        if literal is None:
            return None
        kind, text = literal
        if column in _TEXTS and kind == "STRING" and "\0" not in text:
            return quoted(text)
        if column in _NUMBERS and kind == "INTEGER" and text.isdecimal() and len(text) < 9:
            return text
        return None

    def _time(self, operator: str, node: Mapping[str, Any]) -> str | None:
        """``now()`` is asked a little before the query, so it may only be what a time must be later than."""
        if not _is_point(node, now=operator in (">", ">=")):
            return None
        try:
            (text,) = self._cursor.execute("SELECT json_serialize_sql('SELECT 1')").fetchone()  # type: ignore[misc]
            asked = json.loads(text)
            asked["statements"][0]["node"]["select_list"] = [node]
            (sql,) = self._cursor.execute(
                "SELECT json_deserialize_sql(?::JSON)", [json.dumps(asked)]
            ).fetchone()  # type: ignore[misc]
            found = self._cursor.execute(
                f"SELECT typeof(t), CAST(CAST(t AS TIMESTAMPTZ) AS VARCHAR) FROM ({sql}) AS one(t)"
            ).fetchone()
        except duckdb.Error:
            return None  # the query itself will say what is wrong
        if found is None or found[1] is None or found[0] not in {*_POINTS, "VARCHAR"}:
            return None
        return f"TIMESTAMPTZ {quoted(found[1])}"


def _literal(node: Mapping[str, Any]) -> tuple[str, str] | None:
    found = node.get("literal") if node.get("class") == "CONSTANT" else None
    if not isinstance(found, dict) or not isinstance(found.get("text"), str):
        return None
    return str(found.get("kind")), found["text"]


def _is_point(node: Mapping[str, Any], *, now: bool) -> bool:
    """A time that is written down, or (``now``) one that is a fixed span away from the present."""
    if (literal := _literal(node)) is not None:
        return literal[0] == "STRING"
    kind = node.get("class")
    if kind == "CAST" and not node.get("try_cast"):
        return _type_of(node) in _POINTS and _is_point(node["child"], now=now)
    if kind == "COLUMN_REF":
        return now and [name.lower() for name in node["column_names"]] == ["current_timestamp"]
    if kind != "FUNCTION":
        return False
    given = [one["expression"] for one in node["arguments"]]
    if not given:
        return now and node["function_name"] in _NOW
    return (
        node["function_name"] in ("+", "-")
        and len(given) == 2
        and _is_point(given[0], now=now)
        and _is_span(given[1])
    )


def _is_span(node: Mapping[str, Any]) -> bool:
    """A fixed interval."""
    if node.get("class") == "CAST":
        return _type_of(node) == "INTERVAL" and _literal(node["child"]) is not None
    if node.get("class") != "FUNCTION" or not str(node["function_name"]).startswith("to_"):
        return False
    return all(
        one.get("class") in ("CONSTANT", "CAST", "TYPE", "FUNCTION")
        and (one["class"] != "FUNCTION" or one["function_name"] in _SPANS)
        for one in nodes(node)
        if "class" in one
    )


def _type_of(cast: Mapping[str, Any]) -> str:
    found = cast.get("type_expr") or {}
    return str(found.get("type_name", "")).upper()
