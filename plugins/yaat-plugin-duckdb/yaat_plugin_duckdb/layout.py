"""How events lie in the database: tables, views, and how a batch is inserted. All that changes when the layout does.

`yaat_events` has the columns of `SCHEMA` and the event's sequence, which tells its age (see `retention`) and what to
cut when a piece is delivered twice. It has no key and no index: they cost more than half of the speed, and the
position in the same transaction gives exactly once. Users see the views over all files; names that begin with `yaat_`
are internal. Each file has the same views over its own rows, for whoever opens it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa

from yaat_core.event import EVENT_TYPES, SCHEMA, EventBatch
from yaat_plugin_duckdb.maps import carry

#: Version of everything in this module and in `ledger`; a file with a higher one is refused. 1: one file, no `yaat_place`.
FORMAT: Final = 2

TABLE: Final = "yaat_events"
#: What users can ask for.
VIEWS: Final = ("events", *(f"{kind}s" for kind in EVENT_TYPES))

_TYPES: Final = {
    pa.string(): "VARCHAR",
    pa.binary(16): "UUID",
    pa.timestamp("us", "UTC"): "TIMESTAMPTZ",
    pa.float64(): "DOUBLE",
    pa.uint16(): "USMALLINT",
    pa.map_(pa.string(), pa.string()): "MAP(VARCHAR, VARCHAR)",
}
_INCOMING: Final = "yaat_incoming"


def statements() -> list[str]:
    """What makes an empty file of this layout."""
    columns = ", ".join(f"{field.name} {_TYPES[field.type]}" for field in SCHEMA)
    return [f"CREATE TABLE {TABLE} (sequence BIGINT, {columns})", *views([TABLE])]


def views(tables: Sequence[str]) -> list[str]:
    """What makes, or replaces, the views over these tables, one for each file."""
    names = ", ".join(SCHEMA.names)

    def view(name: str, where: str) -> str:
        parts = " UNION ALL ".join(f"SELECT {names} FROM {table}{where}" for table in tables)
        return f"CREATE OR REPLACE VIEW {name} AS {parts}"

    return [
        view("events", ""),
        *(view(f"{kind}s", f" WHERE event_type = '{kind}'") for kind in EVENT_TYPES),
    ]


def insert(connection: Any, batch: EventBatch, sequences: Any) -> None:
    """Insert a batch, with the sequence of each row. Within the caller's transaction."""
    columns: dict[str, Any] = {"sequence": pa.array(sequences)}
    columns |= {name: batch.column(name) for name in SCHEMA.names if name != "tags"}
    columns["event_id"] = pa.ExtensionArray.from_storage(pa.uuid(), batch.column("event_id"))
    tags = carry(batch.column("tags"))
    listed = ", ".join(tags.expression if name == "tags" else name for name in ["sequence", *SCHEMA.names])
    connection.register(_INCOMING, pa.table(columns | tags.columns))
    # An error leaves the table registered: whoever called abandons the connection.
    connection.execute(f"INSERT INTO {TABLE} SELECT {listed} FROM {_INCOMING}")
    connection.unregister(_INCOMING)
