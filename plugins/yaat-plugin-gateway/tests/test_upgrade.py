"""A state of any version is brought to the newest with all that is in it; one of a later version is refused, untouched."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sql

from yaat_core.errors import StoreNewer
from yaat_plugin_gateway.access import token
from yaat_plugin_gateway.state import upgrade
from yaat_plugin_gateway.state.database import Database
from yaat_plugin_gateway.state.location import located
from yaat_plugin_gateway.state.records import Organization, Quota, Rates
from yaat_plugin_gateway.state.store import State, open_state
from yaat_plugin_gateway.state.tables import METADATA

MakeState = Callable[[], State]
FILES = Path(__file__).parent / "states"
VERSIONS = sorted(path.stem for path in FILES.glob("*.sql"))
KEY = "yaat_pj52x3kcww_Ff5iz0M4oJwlbEeZ6XhHqTnPGJ1aV9dKuRyC7sO8WQ20000000"


def filled(where: str, version: str) -> Database:
    """A database as that version left it: its tables, made by its own statements, and rows in them."""
    database = Database(located(where, Path()))
    database.prepare()
    text = (FILES / f"{version}.sql").read_text()
    with database.upgrading() as connection:
        for statement in filter(str.strip, text.split(";\n")):
            connection.exec_driver_sql(binary(statement, database.is_file))
    return database


def binary(statement: str, is_file: bool) -> str:
    """The one thing that the two databases write differently."""
    return statement if is_file else statement.replace(" BLOB", " BYTEA").replace("X'", "'\\x")


def test_there_is_a_file_of_each_version() -> None:
    assert upgrade._known() == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_version_left_is_there(where: str, version: str) -> None:
    filled(where, version).close()
    state = open_state(located(where, Path()), 5)
    assert not state.fresh
    assert state.organizations.all() == [
        Organization(id="acme", name="Acme Inc.", created_us=1_700_000_000_000_000)
    ]
    (key,) = state.keys.all("acme")
    assert key.id == "pj52x3kcww"
    assert key.hash == token.digest(KEY)
    assert key.wanted.services == {"shop"}
    assert key.wanted.rights == {"ingest", "read"}
    assert key.last_used_us == 1_700_000_001_000_000
    newer = version >= "0002"
    assert key.wanted.rates == Rates(events_per_second=100 if newer else None)
    assert state.usage.quotas("acme") == ([Quota(event_type="log", period="day", events=7)] if newer else [])
    assert state.usage.totals("acme", "2026-11") == ({("2026-11-30", "log"): (3, 30)} if newer else {})
    assert state.keys.changes(None).revision == 4
    state.keys.revoke(None, key.id, 6)
    assert state.keys.changes(4).revision == 5
    state.close()


def test_an_upgraded_database_is_as_a_new_one(where: str, tmp_path: Path, request: Any) -> None:
    """Also as `state.tables` describes it."""
    old = filled(where, VERSIONS[0])
    upgrade.upgrade(old)
    fresh = str(tmp_path / "fresh.db") if old.is_file else request.getfixturevalue("postgres").new_database()
    new = Database(located(fresh, Path()))
    new.prepare()
    upgrade.upgrade(new)
    assert shape(old) == shape(new)
    described = {
        table.name: {column.name: column.nullable for column in table.columns}
        for table in METADATA.sorted_tables
    }
    assert {name: columns for name, columns in shape(new).items() if name != "alembic_version"} == described
    old.close()
    new.close()


def shape(database: Database) -> dict[str, dict[str, bool]]:
    with database.reading() as connection:
        looking = sql.inspect(connection)
        return {
            name: {column["name"]: column["nullable"] for column in looking.get_columns(name)}
            for name in looking.get_table_names()
        }


def test_a_later_version_is_refused_untouched(where: str, open_again: MakeState) -> None:
    open_again().close()
    database = Database(located(where, Path()))
    with database.writing() as connection:
        connection.execute(sql.text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(sql.text("CREATE TABLE from_the_future (id INTEGER)"))
    before = shape(database)
    database.close()
    data = Path(where).read_bytes() if database.is_file else b""
    with pytest.raises(StoreNewer, match="version 9999; this gateway knows 0002"):
        open_again()
    assert shape(database) == before
    database.close()
    assert not database.is_file or Path(where).read_bytes() == data


def test_killed_in_the_middle_of_an_upgrade(where: str) -> None:
    """It happened whole or not at all; the next start brings it to its end."""
    filled(where, "0001").close()
    code = (
        "import os, sys, signal; from pathlib import Path\n"
        "import sqlalchemy as sql\n"
        "from yaat_plugin_gateway.state.location import located\n"
        "from yaat_plugin_gateway.state.store import open_state\n"
        "def seen(c, cursor, statement, *rest):\n"
        "    if 'CREATE TABLE usage' in statement: os.kill(os.getpid(), signal.SIGKILL)\n"
        "sql.event.listen(sql.Engine, 'after_cursor_execute', seen)\n"
        "open_state(located(sys.argv[1], Path()), 1)"
    )
    done = subprocess.run([sys.executable, "-c", code, where], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    database = Database(located(where, Path()))
    assert "quotas" not in shape(database)
    database.close()
    state = open_state(located(where, Path()), 5)
    assert [key.id for key in state.keys.all()] == ["pj52x3kcww"]
    state.close()
