"""Brings a database to the newest version, in one transaction; one that a later version made is refused, untouched."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import sqlalchemy as sql
from sqlalchemy import Connection

from yaat_core.errors import StoreNewer
from yaat_plugin_gateway.state.database import Database

_FOLDER: Final = Path(__file__).parent / "migrations"
#: Alembic's own table.
_VERSION: Final = sql.text("SELECT version_num FROM alembic_version")


def upgrade(database: Database, to: str = "head") -> None:
    """Bring the tables to a version; does nothing when they have it.

    Raises:
        StoreNewer: a later version made them.
        YaatError: the database can't be used.
    """
    with database.untouched() as connection:
        version = _version(connection)
    if version == newest():
        return
    _refuse_newer(version, database)
    from alembic import command

    with database.upgrading() as connection:
        _refuse_newer(_version(connection), database)  # another process may have been quicker
        command.upgrade(_alembic(connection), to)


def newest() -> str:
    """The version that this code knows."""
    return _known()[-1]


def _known() -> list[str]:
    """Versions in order: each file begins with its own."""
    return sorted(path.name.partition("_")[0] for path in (_FOLDER / "versions").glob("[0-9]*.py"))


def _version(connection: Connection) -> str | None:
    """The version of the tables; None when there are none."""
    if not sql.inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(_VERSION).scalar()
    return None if found is None else str(found)


def _refuse_newer(version: str | None, database: Database) -> None:
    if version is not None and version not in _known():
        raise StoreNewer(
            f"the gateway's state has version {version}; this gateway knows {newest()}",
            where=database.name,
            effect="it was not touched",
            fix="install the later version again",
        )


def _alembic(connection: Connection) -> Any:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
