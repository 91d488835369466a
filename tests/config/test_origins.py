"""Where each value comes from: a line of a file, the environment, what was detected, a default."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest
from support.agents import yaat
from support.host_root import HostRoot

from yaat_core import config
from yaat_core.actions.base import Nothing
from yaat_core.actions.origins import CONFIG_ORIGINS
from yaat_core.cli.editing import Place, locally
from yaat_core.config.origins import Origin, origins
from yaat_core.plugins import Plugins, load_plugins

MAIN = """\
service_name: ${env:SHOP_NAME}
environment: ${env:SHOP_ENVIRONMENT:-staging}
organization_id: "a $${env:plain}"
include: [more/*.yaml]
tags:
  team: ${file:team.txt}
processors:
  - {type: filter, name: noise, drop: "level = 'debug'"}
  - type: scrub
    rules: [{name: order, pattern: "order-[0-9]+"}]
queue: {max_bytes: 2GiB}
sinks:
  local: {type: duckdb, queue: {retention: 3d}}
"""
INCLUDED = """\
sources:
  app:
    type: file
    paths: ["*.log"]
    format: json
"""


@functools.cache
def plugins() -> Plugins:
    return load_plugins()


@pytest.fixture
def main(tmp_path: Path) -> Path:
    (tmp_path / "team.txt").write_text("payments\n")
    (tmp_path / "more").mkdir()
    (tmp_path / "more/app.yaml").write_text(INCLUDED)
    path = tmp_path / "yaat.yaml"
    path.write_text(MAIN)
    return path


def found(path: Path | None, **environ: str) -> dict[str, Origin]:
    made = config.load(path, plugins(), environ=environ)
    return {one.key: one.origin for one in origins(made, plugins(), environ)}


def test_each_value_has_its_place(main: Path) -> None:
    there = found(main, SHOP_NAME="shop")
    more = main.parent / "more/app.yaml"

    def at(line: int, kind: str = "file", name: str = "", file: Path = main) -> Origin:
        return Origin(kind=kind, file=str(file), line=line, name=name)  # type: ignore[arg-type]

    expected = {
        "version": Origin(kind="default"),
        "service_name": at(1, "environment", "SHOP_NAME"),
        "environment": at(2),
        "organization_id": at(3),
        "tags.team": at(6, "reference", "team.txt"),
        "sources.app.type": at(3, file=more),
        "sources.app.paths": at(4, file=more),
        "sources.app.format.type": at(5, file=more),
        "sources.app.format.timezone": Origin(kind="default"),
        "processors.noise.drop": at(8),
        "processors.scrub.detectors": Origin(kind="default"),
        "processors.scrub.rules[0].pattern": at(10),
        "queue.max_bytes": at(11),
        "sinks.local.queue.max_bytes": at(11),
        "sinks.local.queue.retention": at(13),
        "sinks.local.retention": Origin(kind="default"),
    }
    assert {key: there[key] for key in expected} == expected


def test_a_variable_that_is_set_wins_over_what_stands_beside_it(main: Path) -> None:
    there = found(main, SHOP_NAME="shop", SHOP_ENVIRONMENT="live")
    assert there["environment"].kind == "environment"
    assert there["environment"].name == "SHOP_ENVIRONMENT"


def test_the_state_folder_of_a_service(main: Path, tmp_path: Path) -> None:
    there = found(main, SHOP_NAME="x", STATE_DIRECTORY=str(tmp_path / "given"))
    assert there["state_dir"] == Origin(kind="environment", name="STATE_DIRECTORY")
    assert found(main, SHOP_NAME="x")["state_dir"] == Origin(kind="default")


def test_every_value_that_is_shown_has_one(main: Path) -> None:
    made = config.load(main, plugins(), environ={"SHOP_NAME": "x"})
    keys = [one.key for one in origins(made, plugins(), {"SHOP_NAME": "x"})]
    assert len(keys) == len(set(keys))
    for top in config.show(made):
        assert any(key == top or key.startswith((f"{top}.", f"{top}[")) for key in keys), top


def test_what_was_detected_is_told_from_what_is_built_in(tmp_path: Path) -> None:
    root = HostRoot.make(tmp_path)
    root.write("/etc/nginx/nginx.conf", "http { access_log /var/log/nginx/access.log; }")
    root.write("/var/log/nginx/access.log")
    path = tmp_path / "yaat.yaml"
    path.write_text("state_dir: state\n")
    done = yaat("config", "show", "--effective", "--origin", "--json", "-c", str(path), **root.environ)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    kinds = {one["key"]: one["origin"]["kind"] for one in answer["values"]}
    assert kinds["sources.nginx.type"] == "detected"
    assert kinds["sources.logs.type"] == "default"
    assert (answer["file"], answer["file_chosen_by"]) == (str(path), "flag")


def test_the_command_shows_no_secret_and_says_what_won(tmp_path: Path) -> None:
    path = tmp_path / "yaat.yaml"
    (tmp_path / "key").write_text("kept-from-all-eyes")
    path.write_text(
        "sources: {}\n"
        'sinks: {cloud: {type: cloud, endpoint: "https://yaat.example", api_key: "${file:key}"}}\n'
    )
    done = yaat("config", "show", "--origin", YAAT_CONFIG=str(path))
    assert done.returncode == 0, done.stderr
    assert "named by YAAT_CONFIG" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("sinks.cloud.api_key")]
    assert "***" in line
    assert "file key, " in line
    assert line.endswith(":2")
    assert "kept-from-all-eyes" not in done.stdout
    assert "default" not in done.stdout
    refused = yaat("config", "show", "--origin", "--running", "-c", str(path))
    assert refused.returncode == 2


def test_screens_get_the_same_by_the_action(main: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_NAME", "shop")
    place = Place(main, main.parent / "state", plugins())
    got = locally(place, CONFIG_ORIGINS, Nothing())
    assert got.file == str(main)
    made = config.load(main, plugins())
    assert got.values == origins(made, plugins())
