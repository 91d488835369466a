"""EXPR: a DuckDB boolean expression over one event, evaluated on whole batches.

Columns are those of the event schema (`event_id` as a UUID); ``tags['name']`` is a text or NULL. What may stand in one is
decided from DuckDB's own parse tree: columns, constants, operators, CASE, CAST, and the functions in
`yaat_core.sql_functions.SCALARS`; no subquery, no aggregate, nothing that reads files or settings. NULL, and what can't be
computed for an event (a CAST of a text that is no number), count as false.
"""

from __future__ import annotations

import difflib
import functools
import json
import threading
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.event import SCHEMA, EventBatch
from yaat_core.sql_functions import SCALARS
from yaat_kit.sql_tree import PLAIN, nodes

#: Characters.
LONGEST: Final = 10_000
_OPTIONS: Final[dict[str, Any]] = {
    "threads": 1,
    "memory_limit": "64MB",
    "max_temp_directory_size": "0B",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
}
_VIEW: Final = "SELECT * REPLACE (CAST(hex(event_id) AS UUID) AS event_id) FROM batch"


class Expression:
    """One expression, ready to be evaluated. For one thread at a time.

    Raises:
        ValueError: it is not an expression over the columns of an event, with what is wrong and how to mend it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._lock = threading.Lock()
        self._connection = _instance().cursor()
        _check(self._connection, text)
        self._sql = f"SELECT ({text}\n) AS answer FROM ({_VIEW})"
        try:
            kind = self._answers(EventBatch.empty()).type
            self._sql = f"SELECT TRY({text}\n) AS answer FROM ({_VIEW})"
            self._answers(EventBatch.build(1, {}))
        except duckdb.Error as error:
            raise ValueError(_reason(error)) from None
        if not pa.types.is_boolean(kind):
            raise ValueError(f"its answer is not true or false but of type {kind}; compare it with something")

    def mask(self, batch: EventBatch) -> Any:
        """A boolean Arrow array without nulls: for which rows it is true."""
        return pc.fill_null(self._answers(batch), False)

    def close(self) -> None:
        """Give the memory back. Safe twice."""
        self._connection.close()

    def _answers(self, batch: EventBatch) -> Any:
        with self._lock:
            self._connection.register("batch", batch.columns)
            try:
                answer = self._connection.sql(self._sql).to_arrow_table()
            finally:
                self._connection.unregister("batch")
        column = answer.column(0)
        return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def expression(_instance: Any, attribute: Any, value: str | None) -> None:
    """Validator of an option that holds an expression (or None).

    Raises:
        ValueError: see `Expression`.
    """
    if value is not None:
        try:
            Expression(value).close()
        except ValueError as error:
            raise ValueError(f"{attribute.name} is not an expression over an event: {error}") from None


@functools.cache
def _instance() -> duckdb.DuckDBPyConnection:
    """One for all expressions of the process; each has a cursor of its own."""
    connection = duckdb.connect(config=dict(_OPTIONS))
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _check(connection: duckdb.DuckDBPyConnection, text: str) -> None:
    if not text.strip():
        raise ValueError("it is empty; write one like level = 'error'")
    if len(text) > LONGEST or "\0" in text:
        raise ValueError(f"it is longer than {LONGEST:,} characters, or has a NUL in it")
    for node in nodes(_parsed(connection, text)):
        if "class" in node:
            _check_node(node)


def _parsed(connection: duckdb.DuckDBPyConnection, text: str) -> Any:
    """The parse tree of the expression alone: nothing around it can be closed from within."""
    try:
        statements = connection.extract_statements(f"SELECT ({text}\n) FROM batch")
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise ValueError("it is more than one expression")
        sql = "SELECT json_serialize_sql(?::VARCHAR)"
        ((found,),) = connection.execute(sql, [statements[0].query]).fetchall()
        tree = json.loads(found)
    except duckdb.Error as error:
        raise ValueError(_reason(error)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if tree.get("error"):
        raise ValueError(str(tree.get("error_message", "it can't be parsed")))
    node = tree["statements"][0]["node"]
    plain = (
        node.get("type") == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and not node.get("where_clause")
        and not node.get("modifiers")
        and not node.get("group_expressions")
        and not node.get("having")
        and not node.get("qualify")
        and not node["cte_map"]["map"]
        and node["from_table"].get("type") == "BASE_TABLE"
        and node["from_table"].get("table_name") == "batch"
    )
    if not plain:
        raise ValueError("it is more than one expression")
    return node["select_list"][0]


def _check_node(node: dict[str, Any]) -> None:
    kind = node["class"]
    if kind == "COLUMN_REF":
        name = str(node["column_names"][0]).lower()
        if name not in SCHEMA.names:
            raise ValueError(f"there is no column `{name[:80]}`; {_near(name, SCHEMA.names)}")
    elif kind == "FUNCTION":
        name = str(node["function_name"]).lower()
        if name not in SCALARS:
            raise ValueError(f"the function `{name[:80]}` can't be used here; {_near(name, sorted(SCALARS))}")
    elif kind not in PLAIN:
        raise ValueError(f"{kind.replace('_', ' ').lower()} can't be used here: it looks at one event alone")


def _near(name: str, names: Any) -> str:
    near = difflib.get_close_matches(name, list(names), 1)
    if near:
        return f"did you mean `{near[0]}`?"
    return "columns: " + ", ".join(SCHEMA.names) + ", tags['NAME']"


def _reason(error: duckdb.Error) -> str:
    """DuckDB's own words, on one line, without the statement around the expression."""
    return " ".join(str(error).partition("\n\nLINE ")[0].split())[:400]
