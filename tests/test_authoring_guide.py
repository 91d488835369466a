"""docs/plugin-authoring.md, typed as it stands; the example in a file of its own is the same as on the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.documents import Terminal, blocks, environment_on_top

import yaat_core

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs" / "plugin-authoring.md"


def test_the_guide_works_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_BUILD_ISOLATION", "false")  # pip's spelling of: use the hatchling that is here
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("YAAT_PLUGINS_DIR", raising=False)
    folder = tmp_path / "work"
    folder.mkdir()
    assert Terminal(folder, environment_on_top(tmp_path / "venv")).follow(GUIDE) >= 7


def test_the_example_is_the_one_on_the_page() -> None:
    shown = {block.file: block.body for block in blocks(GUIDE) if block.file}
    for file in (ROOT / "examples" / "plugins").glob("*.py"):
        assert shown[f"plugins/{file.name}"] == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", yaat_core.__all__)
def test_every_public_name_is_in_the_guide(name: str) -> None:
    assert f"`{name}`" in GUIDE.read_text(encoding="utf-8")
