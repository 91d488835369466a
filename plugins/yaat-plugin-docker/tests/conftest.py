from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.dockerd import RealEngine, docker_engine, podman_engine

from yaat_core.testing import make_context
from yaat_plugin_docker.config import DockerConfig
from yaat_plugin_docker.source import DockerSource


@pytest.fixture(scope="session", params=["podman", "docker"])
def engine(request: pytest.FixtureRequest) -> Iterator[RealEngine]:
    """A real engine: podman's, then Docker's own where it is installed."""
    with tempfile.TemporaryDirectory(prefix="yaat-engine-", ignore_cleanup_errors=True) as name:
        start = podman_engine if request.param == "podman" else docker_engine
        with start(Path(name)) as one:
            yield one


MakeSource = Callable[..., DockerSource]


@pytest.fixture
def make_source(tmp_path: Path) -> MakeSource:
    def make(host: str, *, once: bool = False, **options: Any) -> DockerSource:
        context = make_context(tmp_path, "sources.containers", once=once)
        return DockerSource(DockerConfig(host=host, **options), context)

    return make
