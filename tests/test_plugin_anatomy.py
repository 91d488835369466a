"""Every plugin has the same anatomy: who knows one knows them all."""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path
from typing import Any

import click
import pytest

from yaat_core import hookspecs
from yaat_core.components import KINDS
from yaat_core.registry import Register, Registry

ROOT = Path(__file__).resolve().parent.parent
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/yaat-plugin-*/pyproject.toml"))
DISTRIBUTIONS = [ROOT / "yaat_core", ROOT / "plugins" / "yaat-kit", *PLUGINS]

HOOKS = {name for name, value in vars(hookspecs).items() if hasattr(value, "yaat_spec")}

each_plugin = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
each_distribution = pytest.mark.parametrize("folder", DISTRIBUTIONS, ids=lambda path: path.name)


def project(folder: Path) -> dict[str, Any]:
    """What stands under [project]."""
    table: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def module_name(plugin: Path) -> str:
    """The package, as doors.md fixes it: yaat-plugin-NAME has yaat_plugin_NAME."""
    return plugin.name.replace("-", "_")


def manifest(plugin: Path) -> dict[str, Any]:
    """The static declaration."""
    return tomllib.loads((plugin / module_name(plugin) / "manifest.toml").read_text(encoding="utf-8"))


def hooks_of(plugin: Path) -> Any:
    """The object that the entry point names."""
    (target,) = project(plugin)["entry-points"]["yaat"].values()
    module, _, attribute = target.partition(":")
    loaded = importlib.import_module(module)
    return getattr(loaded, attribute) if attribute else loaded


def test_there_are_plugins() -> None:
    names = {plugin.name.removeprefix("yaat-plugin-") for plugin in PLUGINS}
    assert names >= {"file", "parse", "scrub", "leveldb", "duckdb", "stdout"}


@each_distribution
def test_distribution_says_what_it_is(folder: Path) -> None:
    about = project(folder)
    assert about["name"] == folder.name.replace("_", "-")
    assert about["version"] == project(ROOT)["version"], "all distributions carry the same version"
    assert about["license"] == "MIT"
    assert about["requires-python"] == project(ROOT)["requires-python"]
    assert about["description"]
    assert (folder / about["readme"]).read_text(encoding="utf-8").startswith(f"# {about['name']}")


@each_distribution
def test_distribution_is_typed(folder: Path) -> None:
    package = folder if folder.name == "yaat_core" else folder / folder.name.replace("-", "_")
    assert (package / "py.typed").exists()


@each_plugin
def test_plugin_has_its_parts(plugin: Path) -> None:
    package = plugin / module_name(plugin)
    for part in ["__init__.py", "manifest.toml", "plugin.py", "config.py"]:
        assert (package / part).exists(), f"{plugin.name} has no {part}"
    assert (plugin / "tests" / "test_contract.py").exists(), f"{plugin.name} runs no contract test"


@each_plugin
def test_contract_test_calls_the_public_suite(plugin: Path) -> None:
    text = (plugin / "tests" / "test_contract.py").read_text(encoding="utf-8")
    assert re.search(r"from yaat_core\.testing import", text)
    for kind in manifest(plugin).keys() & set(KINDS):
        assert f"check_{kind.removesuffix('s')}(" in text, f"{plugin.name}: no contract test of its {kind}"


@each_plugin
def test_entry_point(plugin: Path) -> None:
    name = plugin.name.removeprefix("yaat-plugin-")
    assert project(plugin)["entry-points"] == {"yaat": {name: f"{module_name(plugin)}.plugin"}}


@each_plugin
def test_manifest_lists_what_is_registered(plugin: Path) -> None:
    registry = Registry()
    hooks_of(plugin).register_components(Register(registry, plugin.name))
    registered = {kind: registry.names(kind) for kind in KINDS if registry.names(kind)}
    declared = {kind: sorted(manifest(plugin)[kind]) for kind in KINDS if kind in manifest(plugin)}
    assert declared == registered


@each_plugin
def test_manifest_names_the_hooks_and_the_api(plugin: Path) -> None:
    declared = set(manifest(plugin).get("hooks", {}).get("names", []))
    module = hooks_of(plugin)
    found = {name for name, value in vars(module).items() if hasattr(value, "yaat_impl")}
    assert found <= HOOKS
    assert declared == found - {"register_components"}
    assert manifest(plugin)["api"] == hookspecs.API_VERSION


@each_plugin
def test_everything_declared_has_a_summary(plugin: Path) -> None:
    assert manifest(plugin)["summary"]
    for kind in (*KINDS, "commands"):
        for name, entry in manifest(plugin).get(kind, {}).items():
            assert entry["summary"].endswith("."), f"{plugin.name}: {kind}.{name}"


@each_plugin
def test_commands_are_there(plugin: Path) -> None:
    for entry in manifest(plugin).get("commands", {}).values():
        module, _, attribute = entry["target"].partition(":")
        assert isinstance(getattr(importlib.import_module(module), attribute), click.Command)


@each_plugin
def test_readme_has_the_options_of_each_component(plugin: Path) -> None:
    text = (plugin / "README.md").read_text(encoding="utf-8")
    for kind in manifest(plugin).keys() & set(KINDS):
        for name in manifest(plugin)[kind]:
            marker = f"<!-- options:{kind}.{name} -->"
            assert marker in text, f"{plugin.name}/README.md: no table {marker}"


def test_meta_package_pulls_in_every_plugin() -> None:
    wanted = {f"{plugin.name}=={project(plugin)['version']}" for plugin in PLUGINS}
    assert {name for name in project(ROOT)["dependencies"] if "plugin" in name} == wanted
