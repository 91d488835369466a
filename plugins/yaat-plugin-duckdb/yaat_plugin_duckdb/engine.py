"""How DuckDB is opened: bounded in memory, closed to everything but its own files, its settings locked.

The order of the settings matters: nothing can be set after the lock, and the folder for temporary files has to be
known before access to files is closed. DuckDB adds its own files and that folder to what may be accessed; nothing else
may be, so that even SQL that slipped through the sandbox reads no file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import attrs
import duckdb

from yaat_core.errors import StoreUnavailable
from yaat_plugin_duckdb.config import DuckDBConfig

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
    connection = duckdb.connect(str(path), read_only=read_only, config=options)
    try:
        _require_new(connection, path)
        for setting in _settings(path, limits):
            connection.execute(setting)
    except BaseException:
        connection.close()
        raise
    return connection


def _require_new(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Was the database opened indeed? Within one process DuckDB gives out an instance that is still open again."""
    ((locked,),) = connection.execute("SELECT current_setting('lock_configuration')").fetchall()
    if locked:
        raise StoreUnavailable(
            "the database is still open in this process",
            where=str(path),
            cause="a query that could not be stopped at once",
            effect="events wait in the queue",
            fix="it opens again when that query has ended",
        )


def _settings(path: Path, limits: Limits) -> list[str]:
    folder = spill_folder(path) if limits.spill else ""
    return [
        "SET GLOBAL TimeZone = 'UTC'",
        "PRAGMA disable_checkpoint_on_shutdown",
        f"SET temp_directory = {quoted(str(folder))}",
        "SET enable_external_access = false",
        "SET lock_configuration = true",
    ]


def quoted(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
