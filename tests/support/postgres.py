"""A PostgreSQL server of one's own: on a socket in its folder, and nowhere else."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
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

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"yaat_{os.getpid()}_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return f"postgresql://{_USER}@/{name}?host={self.folder}"

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

    @contextmanager
    def running(self) -> Iterator[None]:
        """Runs while the block lasts; its data stays for the next."""
        postgres = program("postgres", _PLACE)
        (self.folder / "log").unlink(missing_ok=True)
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "lc_messages": "C",
        }
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        # SIGINT: PostgreSQL's fast shutdown, which does not wait for its clients
        with server([postgres, "-D", "data", *arguments], self.folder, output="log", stop=signal.SIGINT):
            lines_of(self.folder / "log", lambda lines: any("ready to accept" in line for line in lines))
            yield


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """A new one, not yet running."""
    initdb, psql = program("initdb", _PLACE), program("psql", _PLACE)
    with server_folder("pg") as folder:
        run(
            [
                initdb,
                "-D",
                "data",
                "-U",
                _USER,
                "-A",
                "trust",
                "--no-sync",
                "--no-instructions",
                "-E",
                "UTF8",
            ],
            folder,
        )
        yield Postgres(folder, psql)
