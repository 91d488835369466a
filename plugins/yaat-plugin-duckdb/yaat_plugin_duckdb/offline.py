"""A query when no agent runs: on the files themselves, opened read-only.

DuckDB reads a pending log along and changes nothing. An agent that starts at this moment waits until the query ends.
"""

from __future__ import annotations

import attrs
import duckdb

from yaat_core.components import Context, QueryRequest
from yaat_core.errors import QueryFailed, YaatError
from yaat_plugin_duckdb import ledger
from yaat_plugin_duckdb.answers import Answer
from yaat_plugin_duckdb.complaints import first_line
from yaat_plugin_duckdb.config import DuckDBConfig
from yaat_plugin_duckdb.diagnosis import diagnose, require_format
from yaat_plugin_duckdb.engine import attach, connect, cursor, limits_of
from yaat_plugin_duckdb.extent import shortened
from yaat_plugin_duckdb.places import Partition, Places
from yaat_plugin_duckdb.store import show


def ask_file(config: DuckDBConfig, context: Context, request: QueryRequest) -> Answer:
    """Answer from the files.

    Raises:
        QueryRefused, QueryFailed: the sandbox or the database says no, or there is none.
        StateInUse, StoreUnavailable, StoreNewer, StoreForeign: a file can't be opened.
    """
    places = Places(context.path(config.path))
    present = places.present()
    limits = limits_of(config)
    root = connect(places, attrs.evolve(limits, memory=limits.memory + config.query_memory))
    try:
        opened = [partition for partition in present if _opened(root, partition, present[-1])]
        if not opened:
            raise QueryFailed("there is no database yet", where=str(places.path), fix="`yaat run` makes it")
        show(root, opened)
    except BaseException:
        root.close()
        raise
    answer = Answer(root, request, lambda _: None)
    answer.begin()
    return answer


def _opened(root: duckdb.DuckDBPyConnection, partition: Partition, newest: Partition) -> bool:
    """Attach a file; False for the newest one when it has no tables yet."""
    if not partition.bytes() and partition == newest:
        return False
    try:
        if reason := shortened(root, partition):
            raise _damaged(partition, "file", reason)
        attach(root, partition, writable=False)
        with cursor(root, partition) as reading:
            format = ledger.format_of(reading)
    except duckdb.Error as error:
        trouble = diagnose(error, partition.path)
        raise _damaged(partition, "log" if trouble == "wal" else "file", first_line(error)) from error
    if format is None and partition == newest:
        return False
    require_format(format or 0, partition.path)
    return True


def _damaged(partition: Partition, which: str, reason: str) -> YaatError:
    return QueryFailed(
        f"the database's {which} is damaged",
        where=str(partition.path),
        cause=reason,
        fix="`yaat run` sets damaged files aside and goes on with what can be read",
    )
