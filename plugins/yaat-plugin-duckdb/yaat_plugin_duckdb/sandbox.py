"""Which SQL runs: one statement that only reads, judged by DuckDB's own parser.

`extract_statements` counts the statements and says what kind they are, `json_serialize_sql` gives the parse tree. In the
tree every node must be of a known kind, every function in `functions`, every table one of the views or a CTE of the
query itself. What is not known is refused: a later DuckDB may bring syntax that nobody here has looked at.

Around it stand: a transaction that is read-only, an instance that may open no file but its own (see `engine`), bounds on
what a query makes (`growth`), and limits of rows, seconds, memory and disk.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import attrs
import duckdb

from yaat_core.errors import QueryRefused
from yaat_core.sql_functions import FUNCTIONS, TABLE_FUNCTIONS
from yaat_kit.sql_tree import PLAIN, nodes
from yaat_plugin_duckdb.growth import check_growth
from yaat_plugin_duckdb.layout import VIEWS

_LONGEST: Final = 100_000
_EXPLAIN: Final = re.compile(r"\s*EXPLAIN\s+(ANALYZE\s+)?(?=\S)", re.IGNORECASE)
_NAME: Final = re.compile(r"[^\W\d]\w*")
_RESERVED: Final = ("yaat_", "duckdb_", "sqlite_", "pg_", "pragma_", "information_schema")

_EXPRESSIONS: Final = PLAIN | {"LAMBDA", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "WINDOW"}
_NODES: Final = frozenset(
    [
        "SELECT_NODE",
        "SET_OPERATION_NODE",
        "RECURSIVE_CTE_NODE",
        "CTE_NODE",
        "BASE_TABLE",
        "EMPTY",
        "EXPRESSION_LIST",
        "JOIN",
        "PIVOT",
        "SHOW_REF",
        "SUBQUERY",
        "TABLE_FUNCTION",
        "DISTINCT_MODIFIER",
        "LIMIT_MODIFIER",
        "LIMIT_PERCENT_MODIFIER",
        "ORDER_MODIFIER",
        "ASCENDING",
        "DESCENDING",
        "ORDER_DEFAULT",
    ]
)
_SHOWN: Final = ("DESCRIBE", "SUMMARY", "SHOW")
_SHOW_TABLES: Final = "SELECT name FROM (VALUES {}) AS tables(name) ORDER BY name".format(
    ", ".join(f"('{view}')" for view in VIEWS)
)


@attrs.frozen
class Checked:
    """What may run: what was asked, or the same in a safe form."""

    sql: str
    tree: Mapping[str, Any] | None = None
    """Its parse tree, for a plain SELECT."""


def checked(connection: duckdb.DuckDBPyConnection, sql: str, *, scoped: bool = False) -> Checked:
    """Judge it. ``scoped``: for one who may not see all events.

    Raises:
        QueryRefused: it is not one statement that reads events.
        duckdb.Error: it can't be parsed.
    """
    if len(sql) > _LONGEST:
        raise QueryRefused(
            f"the query is longer than {_LONGEST:,} characters", fix="put less data into the query itself"
        )
    if "\0" in sql:
        raise QueryRefused("the query has a NUL character", fix="take it out")
    statement = _one(connection, sql)
    if statement.type == duckdb.StatementType.EXPLAIN:
        if scoped:
            raise QueryRefused(
                "EXPLAIN does not run with a key",
                cause="it shows the sizes of tables, which hold events of others too",
                fix="run the query itself",
            )
        return Checked(_explain(connection, statement.query))
    if statement.type != duckdb.StatementType.SELECT:
        raise _not_reading(statement.type.name)
    tree = _tree(connection, statement.query)
    if _shows_tables(tree):
        return Checked(_SHOW_TABLES)
    _check(tree)
    return Checked(str(statement.query), tree)


def _one(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    statements = connection.extract_statements(sql)
    if not statements:
        raise QueryRefused("the query is empty", fix="try: SELECT count(*) FROM events")
    if len(statements) > 1:
        raise QueryRefused(f"{len(statements)} statements at once", fix="send them one by one")
    return statements[0]


def _explain(connection: duckdb.DuckDBPyConnection, text: str) -> str:
    match = _EXPLAIN.match(text)
    inner = text[match.end() :] if match else ""
    statement = _one(connection, inner)
    if match is None or statement.type != duckdb.StatementType.SELECT:
        raise QueryRefused("this form of EXPLAIN does not run here", fix="write EXPLAIN SELECT …")
    _check(_tree(connection, statement.query))
    return f"EXPLAIN {match[1] or ''}{statement.query}"


def _not_reading(kind: str) -> QueryRefused:
    fix = "write a SELECT over events, logs, spans or metrics"
    if kind == "MULTI":
        fix = "name the values of PIVOT: PIVOT events ON level IN ('error', 'info') USING count(*)"
    return QueryRefused(f"only statements that read run here, not {kind.replace('_', ' ')}", fix=fix)


def _tree(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    ((text,),) = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
    try:
        tree: dict[str, Any] = json.loads(text)
    except RecursionError:
        raise _too_deep() from None
    if tree.get("error") or len(tree.get("statements", ())) != 1:
        raise QueryRefused(
            "this statement can't be checked, so it does not run",
            cause=str(tree.get("error_message", "")),
            fix="write a plain SELECT",
        )
    return tree


def _too_deep() -> QueryRefused:
    return QueryRefused("the query is nested too deeply", fix="use CTEs: WITH name AS (SELECT …)")


def _shows_tables(tree: dict[str, Any]) -> bool:
    ref = tree["statements"][0]["node"].get("from_table") or {}
    return ref.get("type") == "SHOW_REF" and ref.get("table_name") == '"tables"'


def _check(tree: dict[str, Any]) -> None:
    found = list(nodes(tree["statements"]))
    known = {name.lower() for node in found for name in _cte_names(node)}
    for name in known:
        _require_name(name)
    tables = known.union(VIEWS)
    in_from = {id(node["function"]) for node in found if node.get("type") == "TABLE_FUNCTION"}
    for node in found:
        if "class" in node:
            _check_expression(node, TABLE_FUNCTIONS if id(node) in in_from else FUNCTIONS)
        elif isinstance(node.get("type"), str):
            _check_node(node, tables)
    try:
        check_growth(tree["statements"])
    except RecursionError:
        raise _too_deep() from None


def _cte_names(node: dict[str, Any]) -> list[str]:
    own = node.get("cte_map")
    names = [entry["key"] for entry in own.get("map", ())] if isinstance(own, dict) else []
    return [*names, *([node["cte_name"]] if node.get("cte_name") else [])]


def _require_name(name: str) -> None:
    """A CTE must not be named like something that is there without it: then a table of that name could be meant."""
    if not _NAME.fullmatch(name) or name.startswith(_RESERVED):
        raise QueryRefused(f"{name!r} is no name for a CTE here", fix="use letters, digits and _")


def _check_expression(node: dict[str, Any], allowed: frozenset[str]) -> None:
    kind = node["class"]
    if kind not in _EXPRESSIONS:
        raise QueryRefused(
            f"{kind.replace('_', ' ').lower()} does not run here", fix="write values into the query"
        )
    if kind == "FUNCTION" or (kind == "WINDOW" and node.get("function_name")):
        name = str(node["function_name"])
        if name.lower() not in allowed:
            raise _no_function(name, allowed)


def _no_function(name: str, allowed: frozenset[str]) -> QueryRefused:
    near = difflib.get_close_matches(name.lower(), sorted(allowed), 1)
    where = "in FROM" if allowed is TABLE_FUNCTIONS else "in a query"
    return QueryRefused(
        f"the function `{name}` can't be used {where}",
        cause="queries may use functions that compute, none that read files, settings or the system",
        fix=f"did you mean `{near[0]}`?" if near else "",
    )


def _check_node(node: dict[str, Any], tables: set[str]) -> None:
    kind = node["type"]
    if kind not in _NODES:
        raise QueryRefused(f"{kind.replace('_', ' ').lower()} does not run here", fix="write a SELECT")
    if kind == "BASE_TABLE":
        _check_table(node, tables)
    if kind == "SHOW_REF":
        if node.get("show_type") not in _SHOWN:
            raise QueryRefused(
                "this form of SHOW does not run here", fix="write SHOW TABLES or DESCRIBE events"
            )
        if not node.get("query"):
            _check_table(node, tables)


def _check_table(node: dict[str, Any], tables: set[str]) -> None:
    name = str(node.get("table_name", ""))
    schema = str(node.get("schema_name", ""))
    if node.get("at_clause") or node.get("catalog_name") or schema.lower() not in ("", "main"):
        raise QueryRefused(f"`{name}` can only be asked by its plain name", fix=_known_tables())
    if name.lower() not in tables:
        near = difflib.get_close_matches(name.lower(), sorted(tables), 1)
        raise QueryRefused(
            f"no table `{name[:100]}`", fix=f"did you mean `{near[0]}`?" if near else _known_tables()
        )


def _known_tables() -> str:
    return f"tables: {', '.join(VIEWS)}"
