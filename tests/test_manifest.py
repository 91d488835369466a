"""What is installed is known without importing it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from yaat_core.manifest import MAX_BYTES, Command, Manifest, discover, normalized

BOMB = "raise SystemExit('imported')\n"
GOOD = """\
api = "1"
summary = "Paper."

[sinks.paper]
summary = "Sheets of paper."

[commands.fold]
summary = "Fold it."
target = "yaat_plugin_paper.cli:fold"

[hooks]
names = ["query"]
"""

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a distribution on the path, as pip does: metadata with an entry point, and the package."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(name: str, manifest: str | None = GOOD, *, target: str = "", code: str = BOMB) -> None:
        package = f"yaat_plugin_{name}"
        info = tmp_path / f"{package}-0.3.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: yaat-plugin-{name}\nVersion: 0.3.0\n")
        (info / "entry_points.txt").write_text(f"[yaat]\n{name} = {target or package + '.plugin'}\n")
        folder = tmp_path / package
        folder.mkdir()
        (folder / "__init__.py").write_text(code)
        (folder / "plugin.py").write_text(code)
        if manifest is not None:
            (folder / "manifest.toml").write_text(manifest)

    return make


def one(name: str, environ: Mapping[str, str] | None = None) -> Manifest:
    return next(found for found in discover(environ=environ or {}) if found.name == name)


def test_a_distribution(install: Install, tmp_path: Path) -> None:
    install("paper")
    found = one("paper")
    assert found == Manifest(
        name="paper",
        distribution="yaat-plugin-paper",
        version="0.3.0",
        api="1",
        summary="Paper.",
        components={"sinks": {"paper": "Sheets of paper."}},
        commands={"fold": Command("Fold it.", "yaat_plugin_paper.cli:fold")},
        hooks=("query",),
        target="yaat_plugin_paper.plugin",
        origin=tmp_path / "yaat_plugin_paper",
    )
    assert found.label == "yaat-plugin-paper 0.3.0"


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        (None, "has no manifest.toml"),
        ("api = ", "manifest.toml is broken"),
        ('summary = "x"', "api must be a text"),
        ('api = 1\nsummary = "x"', "api must be a text"),
        (GOOD + "[sourcs.x]\nsummary = 'x'\n", "unknown key `sourcs`"),
        (GOOD + "[sources.'../x']\nsummary = 'x'\n", "not a table with a lower-case name"),
        (GOOD + "[sources.x]\n", "sources.x.summary must be a text"),
        (GOOD + "[commands.x]\nsummary = 'x'\ntarget = 'os; rm'\n", "must be module:attribute"),
        (GOOD.replace('["query"]', '"query"'), "hooks.names must be a list"),
        ("sources = 3\n" + GOOD, "sources must be tables"),
        ("#" * MAX_BYTES + GOOD, "larger than 64 KiB"),
        (GOOD.replace("Paper.", "Pap\udcffer.").encode("utf-8", "surrogateescape"), "broken"),
    ],
)
def test_a_broken_manifest_is_an_error_of_that_one(
    manifest: str | bytes | None, told: str, install: Install, tmp_path: Path
) -> None:
    install("paper", None if isinstance(manifest, bytes) else manifest)
    if isinstance(manifest, bytes):
        (tmp_path / "yaat_plugin_paper" / "manifest.toml").write_bytes(manifest)
    install("good")
    assert told in one("paper").error
    assert one("good").error == ""


def test_a_package_that_is_gone(install: Install) -> None:
    install("paper", target="yaat_plugin_gone.plugin")
    assert "`yaat_plugin_gone` is not installed" in one("paper").error


def test_names_that_are_no_names(install: Install, tmp_path: Path) -> None:
    install("paper", target="os; rm -rf")
    assert "not of the form module:attribute" in one("paper").error
    points = tmp_path / "yaat_plugin_paper-0.3.0.dist-info" / "entry_points.txt"
    points.write_text("[yaat]\n../../x = yaat_plugin_paper.plugin\n")
    assert "the entry point's name" in one("../../x").error


def test_loose_files(tmp_path: Path) -> None:
    folder = tmp_path / "loose"
    folder.mkdir()
    (folder / "bare.py").write_text(BOMB)
    (folder / "listed.py").write_text(BOMB)
    (folder / "listed.toml").write_text(GOOD)
    (folder / "Wrong Name.py").write_text(BOMB)
    (folder / "_hidden.py").write_text(BOMB)
    found = {plugin.name: plugin for plugin in discover(environ={"YAAT_PLUGINS_DIR": str(folder)})}
    assert (found["bare"].distribution, found["bare"].listed, found["bare"].error) == ("bare.py", False, "")
    assert found["bare"].origin == folder / "bare.py"
    assert found["listed"].components == {"sinks": {"paper": "Sheets of paper."}}
    assert "lower-case" in found["Wrong Name"].error
    assert "_hidden" not in found


def test_a_folder_of_loose_files_that_is_not_there(tmp_path: Path) -> None:
    found = one("YAAT_PLUGINS_DIR", {"YAAT_PLUGINS_DIR": str(tmp_path / "none")})
    assert found.error == "is not a folder"


def test_choosing(install: Install) -> None:
    for name in ("a", "b", "c"):
        install(name)
    environ = {"YAAT_LOAD_PLUGINS": "YAAT_Plugin.a, b"}
    found = {plugin.name: plugin.selection for plugin in discover(["yaat-plugin-b"], environ=environ)}
    assert (found["a"], found["b"], found["c"]) == ("selected", "disabled", "not_selected")


def test_the_order_is_that_of_the_names(install: Install) -> None:
    for name in ("zebra", "ant"):
        install(name)
    names = [normalized(plugin.distribution) for plugin in discover(environ={})]
    assert names == sorted(names)


def test_discovery_loads_no_plugin_and_nothing_dear() -> None:
    code = (
        "import sys; from yaat_core.manifest import discover; discover()\n"
        "print([n for n in sys.modules if n.startswith(('yaat_plugin', 'pyarrow', 'ruamel', 'cattrs', 'pluggy'))])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
