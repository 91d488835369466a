"""A PostgreSQL server of one's own: on a socket in its folder, and nowhere else."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs

from support.servers import lines_of, program, run, server, server_folder

_PLACE = "/usr/lib/postgresql/*/bin"
_USER = "app"


@attrs.define
class Postgres:
    """A running server."""

    folder: Path
    psql: str
    _numbers: Iterator[int] = attrs.field(factory=itertools.count)
    _shared: str = ""
    _running: ExitStack = attrs.field(factory=ExitStack)

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"yaat_{os.getpid()}_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return f"postgresql://{_USER}@/{name}?host={self.folder}"

    def emptied(self) -> str:
        """The URL of a database that is empty again: quicker than a new one each time. Whoever used it is cut off."""
        if not self._shared:
            self._shared = self.new_database()
        name = self._shared.partition("@/")[2].partition("?")[0]
        self.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
        self.sql("SET client_min_messages = error; DROP SCHEMA public CASCADE; CREATE SCHEMA public", name)
        return self._shared

    def sql(self, text: str, database: str = "postgres") -> str:
        """Run it, as the server's owner; the rows, one a line."""
        command = [
            self.psql,
            "-h",
            str(self.folder),
            "-U",
            _USER,
            "-d",
            database,
            "-qAt",
            "-v",
            "ON_ERROR_STOP=1",
        ]
        return run(command, self.folder, text=text)

    def start(self) -> None:
        """Start it, on the data that is there."""
        postgres = program("postgres", _PLACE)
        (self.folder / "log").unlink(missing_ok=True)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "lc_messages": "C",
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        # SIGQUIT: PostgreSQL's immediate shutdown, which waits for nobody; it recovers at the next start
        self._running.enter_context(
            server([postgres, "-D", "data", *arguments], self.folder, output="log", stop=signal.SIGQUIT)
        )
        lines_of(self.folder / "log", lambda lines: any("ready to accept" in line for line in lines))

    def stop(self) -> None:
        """Stop it; its data stays."""
        self._running.close()


def make_cluster(folder: Path, user: str) -> None:
    """The files of a new server in the folder ``data``; this user needs no password."""
    initdb = program("initdb", _PLACE)
    wishes = ["-A", "trust", "--no-sync", "--no-instructions", "-E", "UTF8"]
    run([initdb, "-D", "data", "-U", user, *wishes], folder)


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """A new one, running while the block lasts."""
    psql = program("psql", _PLACE)
    with server_folder("pg") as folder:
        make_cluster(folder, _USER)
        made = Postgres(folder, psql)
        made.start()
        try:
            yield made
        finally:
            made.stop()
