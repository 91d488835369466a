"""Formats as the core makes them: by name, from the registry."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from yaat_core.components import Processor
from yaat_core.registry import Register, Registry
from yaat_core.testing import make_context
from yaat_plugin_parse import plugin


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Processor]:
    """``make("regex", pattern=...)``: a new processor of a type."""
    registry = Registry()
    plugin.register_components(Register(registry, "yaat-plugin-parse"))
    folder: Path = tmp_path_factory.mktemp("parse")

    def made(name: str, **options: Any) -> Processor:
        found = registry.find("processors", name)
        assert found is not None
        processor: Processor = found.factory(
            found.config(**options), make_context(folder, f"processors.{name}")
        )
        return processor

    return made
