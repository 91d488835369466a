"""Where the state is: a file of SQLite, or a database of PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from yaat_core.errors import UsageError

_POSTGRESQL: Final = ("postgres", "postgresql", "postgresql+psycopg")


def located(text: str, folder: Path) -> URL:
    """The URL that ``text`` means: itself, or a file, relative to ``folder``.

    Raises:
        UsageError: a URL of another database, or none at all. It never holds the URL's password.
    """
    if "://" not in text:
        return URL.create("sqlite", database=str(folder / Path(text).expanduser()))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise UsageError("the gateway's state has a URL that can't be read", fix=_FIX) from None
    if url.drivername in _POSTGRESQL:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername != "sqlite":
        raise UsageError(f"the gateway's state can't be in {url.drivername!r}", fix=_FIX)
    if not url.database or url.database == ":memory:" or url.query:
        raise UsageError("the gateway's state has to be a file of SQLite", fix=_FIX)
    return url.set(database=str(folder / Path(url.database).expanduser()))


def shown(url: URL) -> str:
    """For people: a path, or the URL without its password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.render_as_string(hide_password=True)


_FIX: Final = "write a path (gateway.sqlite), sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE"
