"""One agent for the tests that only look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.terminal import Terminal
from support.tui import HOSTILE, Site


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An agent with four events, three of which one destination refused."""
    site = Site.made(tmp_path_factory.mktemp("tui"))
    with site.agent.start():
        site.write(*HOSTILE)
        site.wait_account("picky", dead=3, delivered=1)
        yield site


@pytest.fixture(scope="session")
def looking(running: Site) -> Iterator[Terminal]:
    """One TUI on that agent for tests that leave it as they found it: no dialog, no filter; they begin with `shown`."""
    with running.tui() as terminal:
        terminal.wait_for("healthy", "picky")
        yield terminal


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """One of the test's own; its agent is not started."""
    made = Site.made(tmp_path / "site")
    with made.agent:
        yield made
