"""A state in each of the databases: what is tested of one is tested of the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
from support.postgres import Postgres, postgres_server

from yaat_plugin_gateway.state.location import located
from yaat_plugin_gateway.state.store import State, open_state

#: How a state is written in a configuration.
MakeState = Callable[[], State]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests of this process."""
    with postgres_server() as found:
        yield found


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a state may be, as a user writes it: nothing is there yet."""
    if request.param == "sqlite":
        return str(tmp_path / "state" / "gateway.sqlite")
    server: Postgres = request.getfixturevalue("postgres")
    return server.emptied()


@pytest.fixture
def open_again(where: str) -> Iterator[MakeState]:
    """Opens the state, as each process that uses it does."""
    opened: list[State] = []

    def make() -> State:
        opened.append(open_state(located(where, Path()), time.time_ns() // 1_000))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def state(open_again: MakeState) -> State:
    """An open one."""
    return open_again()


@pytest.fixture
def local(tmp_path: Path) -> Iterator[State]:
    """An open one in SQLite, for what is the same on any database."""
    made = open_state(located("gateway.db", tmp_path), time.time_ns() // 1_000)
    yield made
    made.close()


@attrs.define
class Wall:
    """The time of day, set by hand."""

    now: float = 1_764_590_400.0  # 2025-12-01, noon

    def __call__(self) -> float:
        return self.now

    @property
    def us(self) -> int:
        """The same in microseconds."""
        return int(self.now * 1e6)


@pytest.fixture
def wall() -> Wall:
    """A clock for what goes by the day."""
    return Wall()
