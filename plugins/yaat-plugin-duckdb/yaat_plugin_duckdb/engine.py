"""How DuckDB is opened: bounded in memory, closed to everything but its own files, its settings locked.

The order of the settings matters: nothing can be set after the lock, and the folder for temporary files has to be
known, and the database attached, before access to files is closed. DuckDB adds its own files and that folder to what
may be accessed; nothing else may be, so that even SQL that slipped through the sandbox reads no file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import attrs
import duckdb

from yaat_core.errors import StoreUnavailable
from yaat_plugin_duckdb.config import DuckDBConfig

#: Name of the database within its instance.
DATABASE: Final = "yaat"

#: Rows of a row group, a quarter of DuckDB's default. A transaction of exactly so many rows is written to the file at
#: once, compressed, and needs no log (half of the CPU time; DuckDB 2.0.1); any other goes through the log, and a
#: CHECKPOINT writes it again. Smaller groups need less memory and give the space of old rows back sooner.
ROW_GROUP: Final = 30_720

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
    """What an instance may use, going by the options of the sink."""
    return Limits(memory=config.memory_limit, threads=config.threads, spill=config.spill_bytes)


def spill_folder(path: Path) -> Path:
    """Where an instance keeps temporary files: inside the folder of the database."""
    return path.with_name(path.name + ".tmp")


def wal_path(path: Path) -> Path:
    """DuckDB's write-ahead log."""
    return path.with_name(path.name + ".wal")


def connect(path: Path, limits: Limits, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """Open a database; CHECKPOINTs happen only when asked for.

    It is attached to an instance in memory, since the size of row groups is an option of ATTACH alone.

    Raises:
        duckdb.Error: as DuckDB says.
        StoreUnavailable: it is open already.
    """
    options: dict[str, Any] = {
        **_OPTIONS,
        "memory_limit": f"{int(limits.memory)}B",
        "threads": limits.threads,
        "max_temp_directory_size": f"{int(limits.spill)}B",
    }
    connection = duckdb.connect(config=options)
    try:
        for statement in _statements(path, limits, read_only=read_only):
            connection.execute(statement)
    except BaseException as error:
        connection.close()
        if isinstance(error, duckdb.Error) and _ATTACHED in str(error):
            raise _still_open(path) from error
        raise
    return connection


def cursor(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Another connection to the same database. Any thread."""
    another = connection.cursor()
    another.execute(f"USE {DATABASE}")
    return another


def _still_open(path: Path) -> StoreUnavailable:
    return StoreUnavailable(
        "the database is still open in this process",
        where=str(path),
        cause="a query that could not be stopped at once",
        effect="events wait in the queue",
        fix="it opens again when that query has ended",
    )


def _statements(path: Path, limits: Limits, *, read_only: bool) -> list[str]:
    folder = spill_folder(path) if limits.spill else ""
    how = "READ_ONLY" if read_only else f"ROW_GROUP_SIZE {ROW_GROUP}"
    return [
        "SET GLOBAL TimeZone = 'UTC'",
        "PRAGMA disable_checkpoint_on_shutdown",
        f"SET temp_directory = {quoted(str(folder))}",
        f"ATTACH {quoted(str(path))} AS {DATABASE} ({how})",
        f"USE {DATABASE}",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ]


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
