from __future__ import annotations

from pathlib import Path

import pytest
from support.host_root import HostRoot

from yaat_plugin_detect.config import Place
from yaat_plugin_detect.machine import ThisMachine


@pytest.fixture
def root(tmp_path: Path) -> HostRoot:
    """An empty machine."""
    return HostRoot.make(tmp_path)


@pytest.fixture
def machine(root: HostRoot) -> ThisMachine:
    """It, as detectors see it."""
    return ThisMachine(Place.of(root.environ))
