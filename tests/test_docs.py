"""Documents that are made from the code are up to date, and every code is explained."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.documents import blocks

from yaat_core import config, docgen, errors
from yaat_core.codes import EXPLANATIONS
from yaat_core.config.problems import ConfigError
from yaat_core.errors import PluginError, YaatError
from yaat_core.plugins import load_plugins

ROOT = Path(__file__).resolve().parent.parent
CODE = re.compile(r'"(YAAT-[EW]\d{3})"')


def subclasses(kind: type[YaatError]) -> Iterator[type[YaatError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from subclasses(below)


def test_generated_documents_are_up_to_date() -> None:
    stale = [str(path.relative_to(ROOT)) for path in docgen.stale(ROOT)]
    assert not stale, "run make fix"


def test_every_code_that_is_used_is_explained_and_every_explained_one_is_used() -> None:
    used = {
        code
        for path in [*ROOT.glob("yaat_core/**/*.py"), *ROOT.glob("plugins/*/yaat_*/**/*.py")]
        if path.name != "codes.py"
        for code in CODE.findall(path.read_text(encoding="utf-8"))
    }
    assert used == set(EXPLANATIONS)


def test_every_error_class_has_an_explained_code() -> None:
    public = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, YaatError)
    ]
    assert len(public) > 10
    for kind in {*public, *subclasses(YaatError), ConfigError}:
        if kind.__module__.startswith("yaat_"):
            assert kind.code in EXPLANATIONS, kind


@pytest.mark.parametrize("code", EXPLANATIONS)
def test_an_explanation_has_a_title_a_reason_and_advice(code: str) -> None:
    title, empty, body = EXPLANATIONS[code].partition("\n\n")
    assert empty
    assert "\n" not in title
    assert title.endswith(".")
    assert "To mend it: " in body
    assert max(map(len, EXPLANATIONS[code].splitlines())) <= 100


@pytest.mark.parametrize("name", ["configuration.md"])
def test_examples_of_the_configuration_load(name: str, tmp_path: Path) -> None:
    plugins = load_plugins()
    shown = [block.body for block in blocks(ROOT / "docs" / name) if block.language == "yaml"]
    assert shown
    for text in shown:
        path = tmp_path / "yaat.yaml"
        path.write_text(re.sub(r"  host:\n    type: hostmetrics\n", "", text))
        assert config.load(path, plugins, environ={}).sinks


def small_tree(folder: Path) -> Path:
    """A copy of what the documents are made for."""
    shutil.copytree(ROOT / "docs", folder / "docs")
    (folder / "yaat_core").mkdir()
    for path in ROOT.glob("plugins/yaat-plugin-*/pyproject.toml"):
        place = folder / "plugins" / path.parent.name
        place.mkdir(parents=True)
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(path.parent / name, place / name)
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from yaat_core.docgen.__main__ import main; "
    command = [sys.executable, "-c", f"{code}sys.exit(main({list(arguments)!r}))"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_check_finds_what_was_edited_and_writing_mends_it_but_keeps_what_is_by_hand(tmp_path: Path) -> None:
    tree = small_tree(tmp_path)
    docgen.write(tree)
    page = tree / "docs" / "configuration.md"
    good = page.read_text()
    page.write_text(
        good.replace("<!-- intro -->\n", "<!-- intro -->\nBy hand.\n").replace(
            "| `version` |", "| `vrsion` |"
        )
    )
    checked = run(tree, "--check")
    assert checked.returncode == 1
    assert checked.stdout == "docs/configuration.md is not up to date: run make fix\n"
    assert run(tree).returncode == 0
    assert page.read_text() == good.replace("<!-- intro -->\n", "<!-- intro -->\nBy hand.\n")
    assert run(tree, "--check").returncode == 0
    assert run(tree, "--chekc").returncode == 2


def test_a_marker_without_its_type_is_told(tmp_path: Path) -> None:
    tree = small_tree(tmp_path)
    readme = tree / "plugins" / "yaat-plugin-file" / "README.md"
    readme.write_text(readme.read_text().replace("options:sources.file", "options:sources.flie"))
    with pytest.raises(PluginError, match=r"no plugin provides `sources\.flie`"):
        docgen.stale(tree)


def test_a_plugin_that_is_not_installed_is_told(tmp_path: Path) -> None:
    tree = small_tree(tmp_path)
    (tree / "plugins" / "yaat-plugin-nowhere").mkdir()
    (tree / "plugins" / "yaat-plugin-nowhere" / "pyproject.toml").write_text("")
    with pytest.raises(PluginError, match="yaat-plugin-nowhere does not load"):
        docgen.stale(tree)
