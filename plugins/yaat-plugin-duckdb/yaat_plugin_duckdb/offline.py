"""A query when no agent runs: on the file itself, opened read-only. DuckDB reads a pending log along and changes nothing."""

from __future__ import annotations

from pathlib import Path

import duckdb

from yaat_core.components import Context, QueryRequest
from yaat_core.errors import QueryFailed
from yaat_plugin_duckdb import ledger
from yaat_plugin_duckdb.answers import Answer
from yaat_plugin_duckdb.complaints import first_line
from yaat_plugin_duckdb.config import DuckDBConfig
from yaat_plugin_duckdb.engine import connect, limits_of
from yaat_plugin_duckdb.opening import diagnose, require_format


def ask_file(config: DuckDBConfig, context: Context, request: QueryRequest) -> Answer:
    """Answer from the file.

    Raises:
        QueryRefused, QueryFailed: the sandbox or the database says no, or there is none.
        StateInUse, StoreUnavailable, StoreNewer, StoreForeign: the file can't be opened.
    """
    answer = Answer(_opened(context.path(config.path), config), request, lambda _: None)
    answer.begin()
    return answer


def _opened(path: Path, config: DuckDBConfig) -> duckdb.DuckDBPyConnection:
    if not path.exists():
        raise QueryFailed("there is no database yet", where=str(path), fix="`yaat run` makes it")
    try:
        connection = connect(path, limits_of(config), read_only=True)
    except duckdb.Error as error:
        trouble = diagnose(error, path)
        raise QueryFailed(
            f"the database's {'log' if trouble == 'wal' else 'file'} is damaged",
            where=str(path),
            cause=first_line(error),
            fix="`yaat run` sets damaged files aside and goes on with what can be read",
        ) from error
    try:
        require_format(ledger.format_of(connection) or 0, path)
    except BaseException:
        connection.close()
        raise
    return connection
