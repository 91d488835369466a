"""Has a file lost its end? DuckDB opens one that did, and notices only when it reads there.

The number of blocks in a header is only an upper bound: a CHECKPOINT writes the header first and cuts off the free blocks
at the end of the file afterwards, so that a healthy file may be shorter than its header says until the next one
(DuckDB 2.0.1, `SingleFileBlockManager::Truncate`). Such a file is asked which of its blocks are in use.
"""

from __future__ import annotations

from typing import Any, Final

import duckdb

from yaat_core.config.options import Size
from yaat_plugin_duckdb.diagnosis import Extent, extent
from yaat_plugin_duckdb.engine import attach, cursor, detach, quoted
from yaat_plugin_duckdb.places import Partition

_TABLES: Final = (
    "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = current_database()"
)
_SEGMENTS: Final = (
    "SELECT greatest(max(block_id), max(list_max(additional_block_ids))) "
    "FROM pragma_storage_info({}) WHERE persistent"
)
_METADATA: Final = "SELECT max(block_id) FROM pragma_metadata_info({}) WHERE free_blocks < total_blocks"


def shortened(root: duckdb.DuckDBPyConnection, partition: Partition) -> str:
    """What to say of a file that is not attached and has lost its end; "" if it has not.

    Raises:
        StoreForeign: DuckDB never wrote this file.
        StoreUnavailable: it can't be read.
        duckdb.Error: its tables can't be read.
    """
    found = extent(partition.path)
    if found is None or found.is_whole(found.blocks):
        return ""
    try:
        # Nothing may be written yet: it would go where the end is missing.
        attach(root, partition, writable=False)
    except duckdb.Error:
        # Whoever asks attaches it next, and hears the same.
        return ""
    try:
        blocks = _blocks_in_use(root, partition)
    finally:
        detach(root, partition)
    return "" if found.is_whole(blocks) else _said(found, blocks)


def _blocks_in_use(root: duckdb.DuckDBPyConnection, partition: Partition) -> int:
    """How many blocks the file must have at least."""
    with cursor(root, partition) as reading:
        asked = [_METADATA.format(quoted(partition.alias))]
        for schema, table in reading.execute(_TABLES).fetchall():
            name = ".".join(_identifier(part) for part in (partition.alias, schema, table))
            asked.append(_SEGMENTS.format(quoted(name)))
        return 1 + max(_number(reading, sql) for sql in asked)


def _number(connection: Any, sql: str) -> int:
    ((number,),) = connection.execute(sql).fetchall()
    return -1 if number is None else int(number)


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _said(found: Extent, blocks: int) -> str:
    return f"{Size(found.end(blocks) - found.bytes)} of the file are missing at its end"
