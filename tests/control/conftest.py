"""A small agent and its API."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import small_agent
from support.small_agent import SmallAgent


@pytest.fixture
def state_dir() -> Iterator[Path]:
    """A state directory with a path short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="yaat-"))
    yield folder / "state"
    shutil.rmtree(folder)


@pytest.fixture
def agent() -> SmallAgent:
    return SmallAgent()


@pytest.fixture
def serving(agent: SmallAgent, state_dir: Path) -> Iterator[SmallAgent]:
    """The agent with its API served from another thread."""
    with small_agent.serving(agent, state_dir):
        yield agent
