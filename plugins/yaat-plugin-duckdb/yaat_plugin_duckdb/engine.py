"""How DuckDB is opened: bounded in memory, closed to everything but its own files, its settings locked.

An instance lives in memory and attaches the files of the database. The order of the settings matters: nothing but the
memory can be set after the lock. What may be accessed are the files of the database and the folder for temporary
files; nothing else may be, so that even SQL that slipped through the sandbox reads no other file.
"""

from __future__ import annotations

from typing import Any, Final

import attrs
import duckdb

from yaat_core.errors import StoreUnavailable
from yaat_plugin_duckdb.config import DuckDBConfig
from yaat_plugin_duckdb.places import Partition, Places

#: Rows of a row group, a quarter of DuckDB's default. A transaction of exactly so many rows is written to the file at
#: once, compressed, and needs no log (half of the CPU time; DuckDB 2.0.1); any other goes through the log, and a
#: CHECKPOINT writes it again. Smaller groups need less memory.
ROW_GROUP: Final = 30_720

#: An empty database, for cursors whose plain names must find nothing but what they made themselves.
NOTHING: Final = "yaat_nothing"

_ATTACHED: Final = "already attached"
_OPTIONS: Final = {
    "preserve_insertion_order": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    # A table name in a query must never find a Python variable of the agent.
    "python_enable_replacements": "false",
    "checkpoint_threshold": "1TB",
}


@attrs.frozen(kw_only=True)
class Limits:
    """What one instance may use: bytes of memory, threads, bytes of disk for temporary files."""

    memory: int
    threads: int
    spill: int


def limits_of(config: DuckDBConfig) -> Limits:
    """What an instance may use while nobody asks, going by the options of the sink."""
    return Limits(memory=config.memory_limit, threads=config.threads, spill=config.spill_bytes)


def connect(places: Places, limits: Limits) -> duckdb.DuckDBPyConnection:
    """An instance that has attached nothing yet; CHECKPOINTs happen only when asked for."""
    options: dict[str, Any] = {
        **_OPTIONS,
        "memory_limit": f"{int(limits.memory)}B",
        "threads": limits.threads,
        "max_temp_directory_size": f"{int(limits.spill)}B",
    }
    connection = duckdb.connect(config=options)
    try:
        for statement in _statements(places, limits):
            connection.execute(statement)
    except BaseException:
        connection.close()
        raise
    return connection


def attach(connection: duckdb.DuckDBPyConnection, partition: Partition, *, writable: bool) -> None:
    """Attach a file, or make it. Read-only, a pending log is read along and nothing is changed.

    Raises:
        duckdb.Error: as DuckDB says.
        StoreUnavailable: it is open already.
    """
    how = f"ROW_GROUP_SIZE {ROW_GROUP}" if writable else "READ_ONLY"
    try:
        connection.execute(f"ATTACH {quoted(str(partition.path))} AS {partition.alias} ({how})")
    except duckdb.Error as error:
        if _ATTACHED in str(error):
            raise _still_open(partition) from error
        raise


def detach(connection: duckdb.DuckDBPyConnection, partition: Partition) -> None:
    """Forget a file. A query that reads it goes on to its end."""
    connection.execute(f"DETACH {partition.alias}")


def cursor(connection: duckdb.DuckDBPyConnection, partition: Partition) -> duckdb.DuckDBPyConnection:
    """Another connection to the same instance, whose plain names mean this file. Any thread."""
    another = connection.cursor()
    another.execute(f"USE {partition.alias}")
    return another


def limit_memory(connection: duckdb.DuckDBPyConnection, limit: int) -> None:
    """How many bytes the whole instance may use from now on.

    Raises:
        duckdb.OutOfMemoryException: it uses more at this moment.
    """
    connection.execute(f"SET GLOBAL memory_limit = '{int(limit)}B'")


def _still_open(partition: Partition) -> StoreUnavailable:
    return StoreUnavailable(
        "the database is still open in this process",
        where=str(partition.path),
        cause="a query that could not be stopped at once",
        effect="events wait in the queue",
        fix="it opens again when that query has ended",
    )


def _statements(places: Places, limits: Limits) -> list[str]:
    folder = places.spill if limits.spill else ""
    first = places.at(1)
    files = ", ".join(quoted(str(file)) for file in (first.path, *first.sidecars))
    return [
        "SET GLOBAL TimeZone = 'UTC'",
        "PRAGMA disable_checkpoint_on_shutdown",
        f"SET temp_directory = {quoted(str(folder))}",
        f"SET allowed_paths = [{files}]",
        f"SET allowed_directories = [{quoted(str(places.folder))}]",
        f"ATTACH ':memory:' AS {NOTHING}",
        "SET allowed_configs = ['memory_limit', 'disabled_optimizers']",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ]


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
