"""What a file knows of the queue: whose rows it holds, up to which sequence, with which checkpoints, how old.

Each file knows all of it by itself: a new one begins with the position and the checkpoints of the one before, so that
the file with the highest position says where to go on. Every function runs on the connection that it is given, within
the caller's transaction. Nothing is ever UPDATEd: as long as a query is open that began before an UPDATE, DuckDB refuses
every CHECKPOINT but one; rows that are deleted and inserted are no hindrance (DuckDB 2.0.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs
import pyarrow as pa

from yaat_core.components import Checkpoints, StoredCheckpoint

STATEMENTS: Final = (
    "CREATE TABLE yaat_meta (format INTEGER, agent_id BLOB, sink VARCHAR, queue_id BLOB)",
    "CREATE TABLE yaat_position (sequence BIGINT)",
    "CREATE TABLE yaat_checkpoints (component VARCHAR, key BLOB, value BLOB, sequence BIGINT)",
    "CREATE TABLE yaat_ages (sequence BIGINT, stored_us BIGINT)",
)
#: New in format 2: earlier databases are one file.
_PLACE: Final = "CREATE TABLE yaat_place (number BIGINT, oldest BIGINT, base BIGINT)"

#: Made by the first dead letter that is delivered again.
_REPLAYS: Final = "CREATE TABLE IF NOT EXISTS yaat_replays (id VARCHAR, events BIGINT, total BIGINT)"

#: Made by the first rows that are refused. One row each, so that there is none when nothing is.
_REFUSED: Final = (
    "CREATE TABLE IF NOT EXISTS yaat_refused (first BIGINT, last BIGINT, sequence BIGINT, reason VARCHAR)"
)

_INSERT_META: Final = "INSERT INTO yaat_meta VALUES (?, ?, ?, ?)"
_INCOMING: Final = "yaat_incoming_notes"
_CHECKPOINTS: Final = pa.schema(
    [("component", pa.string()), ("key", pa.binary()), ("value", pa.binary()), ("sequence", pa.int64())]
)
_REFUSALS: Final = pa.schema(
    [("first", pa.int64()), ("last", pa.int64()), ("sequence", pa.int64()), ("reason", pa.string())]
)


@attrs.frozen(kw_only=True)
class Owner:
    """Whose rows a database holds. ``queue_id`` None: nobody's yet."""

    agent_id: bytes
    sink: str
    queue_id: bytes | None


@attrs.frozen(kw_only=True)
class Place:
    """Where a file stands among the files of its database."""

    number: int
    oldest: int
    """The lowest number that there was when this was written: what is missing above it was not removed by us."""
    base: int
    """The position at which it began: where the file before it ends."""


@attrs.frozen
class Replays:
    """Dead letters that were delivered again: the last one, how many of its events are stored, and of all there were."""

    id: str = ""
    events: int = 0
    total: int = 0


@attrs.frozen
class Refused:
    """The last piece of which rows were refused, ``first`` to ``last``, until a later one is stored; all 0 for none."""

    first: int = 0
    last: int = 0
    rows: tuple[tuple[int, str], ...] = ()
    """Sequence and reason of each."""

    @property
    def piece(self) -> tuple[int, int] | None:
        """As `SinkPosition.refused`."""
        return (self.first, self.last) if self.rows else None

    def within(self, first: int, last: int) -> dict[int, str]:
        """Reasons of those of a piece, by row."""
        return {at - first: reason for at, reason in self.rows if first <= at <= last}


#: Of a database that is one file.
FIRST: Final = Place(number=1, oldest=1, base=0)


def format_of(connection: Any) -> int | None:
    """Format of the file; None when it has no tables at all; 0 when its tables are not ours."""
    names = {
        name
        for (name,) in connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND NOT internal"
        ).fetchall()
    }
    if not names:
        return None
    if "yaat_meta" not in names:
        return 0
    return int(connection.execute("SELECT format FROM yaat_meta").fetchall()[0][0])


def owner(connection: Any) -> Owner:
    """Whose rows these are."""
    ((agent_id, sink, queue_id),) = connection.execute(
        "SELECT agent_id, sink, queue_id FROM yaat_meta"
    ).fetchall()
    return Owner(agent_id=agent_id, sink=sink, queue_id=queue_id)


def create(connection: Any, format: int, new: Owner, place: Place) -> None:
    """The tables of a new file."""
    for statement in STATEMENTS:
        connection.execute(statement)
    connection.execute("INSERT INTO yaat_position VALUES (?)", [place.base])
    connection.execute(_INSERT_META, [format, new.agent_id, new.sink, new.queue_id])
    connection.execute(_PLACE)
    set_place(connection, place)


def upgrade(connection: Any, format: int) -> None:
    """Make a file of format 1 one of this format: the first of its database, and so far the only one."""
    set_owner(connection, format, owner(connection))
    connection.execute(_PLACE)
    set_place(connection, FIRST)


def place(connection: Any, format: int) -> Place:
    """Where this file, which has that format, stands."""
    if format == 1:
        return FIRST
    ((number, oldest, base),) = connection.execute("SELECT number, oldest, base FROM yaat_place").fetchall()
    return Place(number=number, oldest=oldest, base=base)


def set_place(connection: Any, new: Place) -> None:
    """It stands there."""
    connection.execute("DELETE FROM yaat_place")
    connection.execute("INSERT INTO yaat_place VALUES (?, ?, ?)", [new.number, new.oldest, new.base])


def set_owner(connection: Any, format: int, new: Owner) -> None:
    """The rows are theirs."""
    connection.execute("DELETE FROM yaat_meta")
    connection.execute(_INSERT_META, [format, new.agent_id, new.sink, new.queue_id])


def sequence(connection: Any) -> int:
    """The last sequence that is stored."""
    return int(connection.execute("SELECT sequence FROM yaat_position").fetchall()[0][0])


def advance(connection: Any, sequence: int) -> None:
    """Everything up to here is stored."""
    connection.execute("DELETE FROM yaat_position")
    connection.execute("INSERT INTO yaat_position VALUES (?)", [sequence])


def checkpoints(connection: Any) -> dict[str, dict[bytes, StoredCheckpoint]]:
    """Checkpoints by component and key."""
    found: dict[str, dict[bytes, StoredCheckpoint]] = {}
    rows = connection.execute("SELECT component, key, value, sequence FROM yaat_checkpoints").fetchall()
    for component, key, value, at in rows:
        found.setdefault(component, {})[key] = StoredCheckpoint(value, at)
    return found


def put_checkpoints(connection: Any, written: Mapping[str, Checkpoints], sequence: int) -> None:
    """Replace or delete checkpoints; ``sequence`` is that of the last event stored with them."""
    rows = [
        (component, key, value, sequence)
        for component, entries in written.items()
        for key, value in entries.items()
    ]
    if not rows:
        return
    connection.register(_INCOMING, _table(rows, _CHECKPOINTS))
    connection.execute(
        f"DELETE FROM yaat_checkpoints WHERE (component, key) IN (SELECT (component, key) FROM {_INCOMING})"
    )
    connection.execute(f"INSERT INTO yaat_checkpoints SELECT * FROM {_INCOMING} WHERE value IS NOT NULL")
    connection.unregister(_INCOMING)


def adopt_checkpoints(connection: Any, known: Mapping[str, Mapping[bytes, StoredCheckpoint]]) -> None:
    """Begin with the checkpoints of the file before, each with its own sequence."""
    rows = [
        (component, key, stored.value, stored.sequence)
        for component, entries in known.items()
        for key, stored in entries.items()
    ]
    if rows:
        connection.register(_INCOMING, _table(rows, _CHECKPOINTS))
        connection.execute(f"INSERT INTO yaat_checkpoints SELECT * FROM {_INCOMING}")
        connection.unregister(_INCOMING)


def replays(connection: Any) -> Replays:
    """What is stored of dead letters that were delivered again."""
    rows = _all(connection, "yaat_replays", "id, events, total")
    return Replays(*rows[0]) if rows else Replays()


def note_replays(connection: Any, now: Replays) -> None:
    """That is stored of them by now."""
    connection.execute(_REPLAYS)
    connection.execute("DELETE FROM yaat_replays")
    connection.execute("INSERT INTO yaat_replays VALUES (?, ?, ?)", [now.id, now.events, now.total])


def refused(connection: Any) -> Refused:
    """What is known of rows that were refused."""
    rows = _all(connection, "yaat_refused", "first, last, sequence, reason")
    if not rows:
        return Refused()
    return Refused(rows[0][0], rows[0][1], tuple(sorted((at, reason) for _, _, at, reason in rows)))


def note_refused(connection: Any, now: Refused) -> None:
    """These are the ones to remember."""
    connection.execute(_REFUSED)
    connection.execute("DELETE FROM yaat_refused")
    if now.rows:
        rows = [(now.first, now.last, at, reason) for at, reason in now.rows]
        connection.register(_INCOMING, _table(rows, _REFUSALS))
        connection.execute(f"INSERT INTO yaat_refused SELECT * FROM {_INCOMING}")
        connection.unregister(_INCOMING)


def note_age(connection: Any, sequence: int, accepted_us: int) -> None:
    """Everything up to ``sequence`` was accepted by then."""
    connection.execute("INSERT INTO yaat_ages VALUES (?, ?)", [sequence, accepted_us])


def ages_us(connection: Any) -> tuple[int, int]:
    """The first and the last accept time that was noted; zeros for never."""
    rows = connection.execute(
        "SELECT coalesce(min(stored_us), 0), coalesce(max(stored_us), 0) FROM yaat_ages"
    ).fetchall()
    return int(rows[0][0]), int(rows[0][1])


def _all(connection: Any, table: str, columns: str) -> list[Any]:
    """The rows of a table that there may not be."""
    known = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE database_name = current_database() AND table_name = ?",
        [table],
    ).fetchall()[0][0]
    return connection.execute(f"SELECT {columns} FROM {table}").fetchall() if known else []


def _table(rows: Sequence[tuple[Any, ...]], schema: Any) -> Any:
    arrays = [
        pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), schema.types, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
