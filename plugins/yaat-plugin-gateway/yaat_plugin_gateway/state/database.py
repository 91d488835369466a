"""The only place that knows which database it is: connections, transactions, and what their failures mean."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sql
from sqlalchemy import URL, Connection, Engine, Table, event, exc
from sqlalchemy.dialects import postgresql, sqlite

from yaat_core import durable
from yaat_core.errors import NotAllowed, PluginError, StoreDamaged, StoreUnavailable, YaatError
from yaat_plugin_gateway.state import location

#: Seconds that one waits for another's transaction, for an answer, for a connection.
_PATIENCE: Final = 10
_CONNECT: Final = 5
#: Of pg_advisory_xact_lock: one upgrade at a time. Any number will do that nobody else takes.
_UPGRADE_LOCK: Final = 0x79616174_67777931
_WRITES: Final = "yaat_writes"


class Database:
    """Transactions on one database. Blocking: any thread, never the event loop's."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.name = location.shown(url)
        self._engine = _engine(url)

    @property
    def is_file(self) -> bool:
        """A file of SQLite; else PostgreSQL."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def path(self) -> Path:
        """The file of SQLite."""
        return Path(self.url.database or "")

    def prepare(self) -> None:
        """Make the file of SQLite when there is none: for this user alone, its name durable.

        Raises:
            NotAllowed: this user may not make it, or not write it.
            YaatError: it can't be made.
        """
        if not self.is_file:
            return
        try:
            if self.path.exists():
                if not os.access(self.path, os.R_OK | os.W_OK, effective_ids=True):
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
                return
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(durable.private(str(self.path), os.O_CREAT | os.O_RDWR))
            durable.sync_folder(self.path.parent)
        except OSError as error:
            raise _by_os(error, self.name) from None

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """One transaction that reads."""
        with self._told(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that writes: durable when the block has ended, undone when it raised."""
        with self._told(), self._engine.connect() as plain:
            connection = plain.execution_options(**{_WRITES: True})
            with connection.begin():
                yield connection

    @contextlib.contextmanager
    def upgrading(self) -> Iterator[Connection]:
        """As `writing`; no other process is in such a block."""
        with self.writing() as connection:
            if not self.is_file:
                connection.execute(sql.select(sql.func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
            yield connection

    @contextlib.contextmanager
    def untouched(self) -> Iterator[Connection]:
        """For a look that changes nothing, not even a log of SQLite's that waits for its file."""
        if not self.is_file:
            with self.reading() as connection:
                yield connection
            return
        query = {"mode": "ro", "uri": "true"}
        engine = sql.create_engine(self.url.set(database=f"file:{_quoted(self.path)}", query=query))
        try:
            with self._told(), engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def insert(self, table: Table) -> Any:
        """An INSERT with `on_conflict_do_update` and `on_conflict_do_nothing`: both databases have them."""
        return sqlite.insert(table) if self.is_file else postgresql.insert(table)

    def close(self) -> None:
        """End all connections. Safe twice."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Failures of the database as errors of the house. What breaks a rule of a table is the caller's to tell."""
        try:
            yield
        except exc.IntegrityError:
            raise
        except exc.DBAPIError as error:
            raise _meaning(error, self.name) from error
        except exc.TimeoutError as error:
            raise _unavailable(self.name, "every connection is in use") from error


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _of_sqlite(url)
    options = f"-c statement_timeout={_PATIENCE}s -c lock_timeout={_PATIENCE}s -c timezone=UTC"
    arguments = {"connect_timeout": _CONNECT, "application_name": "yaat-gateway", "options": options}
    try:
        return sql.create_engine(url, connect_args=arguments, pool_pre_ping=True, pool_timeout=_PATIENCE)
    except ImportError:
        raise PluginError(
            "the gateway's state is in PostgreSQL, and its driver is not installed",
            fix="pip install 'yaat-plugin-gateway[postgresql]'",
        ) from None


def _of_sqlite(url: URL) -> Engine:
    """https://docs.sqlalchemy.org/en/20/dialects/sqlite.html: transactions are begun here, not by Python's driver."""
    engine = sql.create_engine(url, connect_args={"timeout": _PATIENCE}, pool_timeout=_PATIENCE)

    def connected(raw: Any, _record: Any) -> None:
        raw.isolation_level = None
        cursor = raw.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)
    return engine


def _meaning(error: exc.DBAPIError, name: str) -> YaatError:
    said = (
        str(error.orig).strip().splitlines()[0]
        if error.orig and str(error.orig).strip()
        else "no reason was given"
    )
    if any(sign in said for sign in ("not a database", "malformed")):
        return StoreDamaged(
            f"the gateway's state can't be read: {said}",
            where=name,
            fix="restore it from a backup, or move it away",
        )
    return _unavailable(name, said)


def _unavailable(name: str, why: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"the gateway's state can't be used now: {why}",
        where=name,
        fix="is the disk full, is the database running, may this user open it?",
    )


def _by_os(error: OSError, name: str) -> YaatError:
    if isinstance(error, PermissionError):
        return NotAllowed(
            f"the gateway's state can't be opened: {error.strerror}",
            where=name,
            fix="run the command as the gateway's user (sudo -u)",
        )
    return _unavailable(name, error.strerror or str(error))


def _quoted(path: Path) -> str:
    """For SQLite's file: URIs."""
    from urllib.parse import quote

    return quote(str(path))
