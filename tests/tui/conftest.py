"""One agent for the tests that only look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.tui import HOSTILE, Site


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An agent with four events, three of which one destination refused."""
    site = Site.made(tmp_path_factory.mktemp("tui"))
    with site.agent.start():
        site.write(*HOSTILE)
        site.wait_account("picky", dead=3, delivered=1)
        yield site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """One of the test's own; its agent is not started."""
    made = Site.made(tmp_path / "site")
    with made.agent:
        yield made
