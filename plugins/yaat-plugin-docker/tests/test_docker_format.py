"""What a container writes is taken apart unless the configuration says otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from yaat_core import config
from yaat_core.plugins import load_plugins


@pytest.mark.parametrize(
    ("written", "chosen"), [("", "auto"), (", format: json", "json"), (", format: raw", None)]
)
def test_the_format_of_a_source_that_is_given_none(tmp_path: Path, written: str, chosen: str | None) -> None:
    path = tmp_path / "yaat.yaml"
    path.write_text(f"version: 1\nsources:\n  containers: {{type: docker{written}}}\n")
    found = config.load(path, load_plugins()).sources["containers"].format
    assert (found.type.name if found is not None else None) == chosen


def test_without_the_parser_lines_stay_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "yaat.yaml"
    path.write_text("version: 1\nsources:\n  containers: {type: docker}\n")
    plugins = load_plugins(disable=["yaat-plugin-parse"])
    assert config.load(path, plugins).sources["containers"].format is None
