"""Queries that may see some of the events only: those of one organization, of some services and environments.

Nothing of the query's text is changed. Its cursor gets temporary views with the names that users know, over the events of
the scope, and a default database that is empty, so that a name which is no view of the cursor's own finds nothing.

A condition in a view alone hides nothing: the optimizer may move a query's own filter below it, and an error that is raised
on a hidden row tells the row's content. Three things stand against that; the tests compare with a twin of the database
that never had the hidden rows.

- A LIMIT that cuts nothing: DuckDB moves no filter, no join and no sample below one, and computes no column of the query
  there. (It does move filters into a materialized CTE, and drops a LIMIT without OFFSET that is larger than the table.)
- No optimizer that looks at the statistics of whole tables: a filter that no row can meet leaves a plan, and with it an
  error of the query's own rows, which tells the least and the greatest value of all rows.
- What of the query's own WHERE may stand below all the same is in `hints`.
- No EXPLAIN (see `sandbox`): it names the sizes of tables.

What is not hidden: how long a query takes.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import duckdb

from yaat_core.components import QueryScope
from yaat_core.errors import QueryRefused
from yaat_plugin_duckdb.engine import NOTHING, quoted
from yaat_plugin_duckdb.layout import VIEWS

_OPTIMIZERS: Final = "statistics_propagation,join_order,build_side_probe_side"
_BARRIER: Final = "LIMIT 1000000000000000 OFFSET 0"


def narrow(cursor: duckdb.DuckDBPyConnection, scope: QueryScope, hints: Sequence[str] = ()) -> None:
    """From now on the names of the views mean the events of the scope, on this cursor alone.

    ``hints``: conditions that the query makes besides, and that may be tried on hidden rows (see `hints`).

    Raises:
        QueryRefused: the scope has a name that can't be written in SQL.
    """
    # For the whole instance, since DuckDB knows no other way; other queries are as right, some a little slower.
    cursor.execute(f"SET GLOBAL disabled_optimizers = '{_OPTIMIZERS}'")
    allowed = " AND ".join([condition(scope), *hints])
    for view in VIEWS:
        cursor.execute(
            f"CREATE TEMPORARY VIEW {view} AS SELECT * FROM memory.main.{view} WHERE {allowed} {_BARRIER}"
        )
    cursor.execute(f"USE {NOTHING}")


def condition(scope: QueryScope) -> str:
    """The scope as an SQL condition.

    Raises:
        QueryRefused: as `narrow`.
    """
    parts = [f"organization_id = {_literal(scope.organization_id)}"]
    if scope.services:
        parts.append(_one_of("service_name", scope.services))
    if scope.environments:
        parts.append(_one_of("environment", scope.environments))
    return " AND ".join(parts)


def _one_of(column: str, names: Collection[str]) -> str:
    return f"{column} IN ({', '.join(_literal(name) for name in sorted(names))})"


def _literal(name: str) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise _unwritable(name) from None
    if "\0" in name:
        raise _unwritable(name)
    return quoted(name)


def _unwritable(name: str) -> QueryRefused:
    return QueryRefused(
        f"the scope has the name {name!a}, which can't be asked for", fix="make a key without it"
    )
