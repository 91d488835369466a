"""Wheels of every distribution; a few of them alone in a clean environment do their work."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest
from support.wheels import ROOT, CleanEnvironment, build, closure, folders

SOME = ["yaat-core", "yaat-kit", "yaat-plugin-file", "yaat-plugin-leveldb", "yaat-plugin-stdout"]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheels")
    build(folder)
    return folder


@pytest.fixture(scope="module")
def some(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> CleanEnvironment:
    """An environment with file, leveldb and stdout; without duckdb, parse and scrub."""
    return CleanEnvironment(tmp_path_factory.mktemp("clean") / "venv", wheels, SOME)


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_every_distribution_builds(wheels: Path) -> None:
    assert len(list(wheels.glob("*.whl"))) == len(folders())


def test_wheels_hold_the_package_and_nothing_else(wheels: Path) -> None:
    for wheel in wheels.glob("yaat_*.whl"):
        package = wheel.name.partition("-")[0]
        tops = {name.partition("/")[0] for name in names_in(wheel)}
        assert tops == {package, re.sub(r"-py3.*", ".dist-info", wheel.name)}
        assert f"{package}/py.typed" in names_in(wheel)
        assert not [name for name in names_in(wheel) if "/tests/" in name]
        if package.startswith("yaat_plugin_"):
            assert f"{package}/manifest.toml" in names_in(wheel)


def test_some_plugins_alone_list_themselves(some: CleanEnvironment) -> None:
    listed = some.yaat("plugins", "list", "--json")
    assert listed.returncode == 0, listed.stderr
    text = listed.stdout
    json.loads(text)
    for name in SOME[2:]:
        assert name in text
    assert "yaat-plugin-duckdb" not in text


def test_some_plugins_alone_deliver(some: CleanEnvironment, tmp_path: Path) -> None:
    lines = [f"line {number}" for number in range(50)]
    (tmp_path / "app.log").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    config = tmp_path / "yaat.yaml"
    config.write_text(
        """\
version: 1
state_dir: state
health: {listen: "off"}
sources:
  app: {type: file, paths: [app.log], start_at: beginning}
sinks:
  out: {type: stdout}
""",
        encoding="utf-8",
    )
    ran = some.yaat("run", "--once", "-c", str(config))
    assert ran.returncode == 0, ran.stderr
    assert [json.loads(line)["message"] for line in ran.stdout.splitlines()] == lines


def test_a_missing_plugin_is_a_clear_mistake(some: CleanEnvironment, tmp_path: Path) -> None:
    config = tmp_path / "yaat.yaml"
    config.write_text(
        "version: 1\nstate_dir: state\nsinks:\n  local: {type: duckdb, path: x.duckdb}\n", encoding="utf-8"
    )
    ran = some.yaat("validate", "--offline", "-c", str(config))
    assert ran.returncode == 2
    assert "duckdb" in ran.stderr
    assert not (tmp_path / "state").exists()


def test_the_clean_environment_is_clean(some: CleanEnvironment) -> None:
    for module in ("duckdb", "yaat_plugin_duckdb", "yaat_plugin_parse", "yaat_plugin_scrub", "pytest"):
        assert some.python("-c", f"import {module}").returncode != 0, f"{module} leaks in"


def test_constraints_pin_everything_that_is_installed() -> None:
    pinned = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            match = re.fullmatch(r"([\w.-]+)==([\w.]+)( ; .+)?", line)
            assert match, f"constraints.txt: not an exact pin: {line}"
            pinned[re.sub(r"[-_.]+", "-", match[1]).lower()] = match[2]
    ours = {name for name in closure(["yaat[dev]"]) if name.startswith("yaat")}
    assert closure(["yaat[dev]"]) - ours - set(pinned) == set()
