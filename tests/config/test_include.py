"""`include`: several files are one configuration, and each mistake is told where it was written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from yaat_core import config
from yaat_core.config.model import Configuration
from yaat_core.config.problems import ConfigError, ConfigProblem
from yaat_core.plugins import Plugins

Load = Callable[..., Configuration]
Write = Callable[[str, str], Path]

MAIN = "include: conf.d/*.yaml\nservice_name: web\nsources:\n  app: {type: file, paths: [app.log]}\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file below the folder of the main one."""

    def put(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return put


def places(error: ConfigError) -> list[tuple[str, int | None, str]]:
    return [(one.file, one.line, one.code) for one in error.problems]


def only(error: ConfigError) -> ConfigProblem:
    [problem] = error.problems
    return problem


def test_components_and_tags_are_joined(load: Load, write: Write, tmp_path: Path) -> None:
    write("conf.d/10-db.yaml", "version: 1\nsources:\n  db: {type: file, paths: [db.log]}\ntags: {team: a}\n")
    write(
        "conf.d/20-cloud.yaml",
        "sinks:\n  mine: {type: duckdb}\nprocessors: [{type: json}]\nenvironment: staging\ntags: {tier: b}\n",
    )
    made = load("version: 1\n" + MAIN + "tags: {main: c}\nprocessors: [{type: nginx}, {type: scrub}]\n")
    assert list(made.sources) == ["app", "db"]
    assert list(made.sinks) == ["mine"]
    assert [one.id.name for one in made.processors] == ["nginx", "json", "scrub"]
    assert made.tags == {"main": "c", "team": "a", "tier": "b"}
    assert (made.service_name, made.environment) == ("web", "staging")
    assert [path.name for path in made.included] == ["10-db.yaml", "20-cloud.yaml"]
    assert made.config_dir == tmp_path
    assert made.warnings == () or all(one.code != "YAAT-W105" for one in made.warnings)


def test_files_come_in_the_order_of_their_names(load: Load, write: Write) -> None:
    for number in (10, 2, 1):
        write(f"conf.d/{number:02}.yaml", f"processors: [{{type: json, name: p{number}}}]\n")
    made = load("include: [conf.d/*.yaml]\n")
    assert [one.id.name for one in made.processors] == ["p1", "p2", "p10"]


def test_a_list_of_paths_and_patterns_reads_each_file_once(load: Load, write: Write, tmp_path: Path) -> None:
    write("more.yaml", "sources: {a: {type: file, paths: [a]}}\n")
    write("deep/er/b.yaml", "sources: {b: {type: file, paths: [b]}}\n")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "more.yaml")
    made = load("include: [more.yaml, '*.yaml', 'deep/**/*.yaml', ./more.yaml]\n")
    assert list(made.sources) == ["a", "b"]
    assert len(made.included) == 2


def test_an_absolute_path_and_a_file_without_content(load: Load, write: Write) -> None:
    path = write("elsewhere/empty.yaml", "# nothing\n")
    made = load(f"include: {path}\nservice_name: web\n")
    assert made.included == (path,)
    assert made.service_name == "web"


def test_references_and_secrets_of_an_included_file(load: Load, write: Write, tmp_path: Path) -> None:
    write("key", "file-canary-77")
    write("conf.d/a.yaml", "processors:\n  - {type: regex, name: one, pattern: '${env:P}'}\n")
    write("conf.d/b.yaml", "processors:\n  - {type: regex, name: two, pattern: '${file:key}'}\n")
    made = load(MAIN, P="env-canary-77")
    assert [one.options.pattern for one in made.processors] == ["env-canary-77", "file-canary-77"]
    shown = config.show(made)
    assert [one["pattern"] for one in shown["processors"]] == ["${env:P}", "***"]


def test_a_mistake_is_told_with_its_own_file_and_line(load: Load, write: Write) -> None:
    write("conf.d/a.yaml", "# first\nsources:\n  db:\n    type: file\n    pths: [x]\n")
    write("conf.d/b.yaml", "processors:\n  - {type: jsn}\nsinks:\n\tx: y\n")
    write("conf.d/c.yaml", "servic_name: x\n")
    write("conf.d/d.yaml", "- one\n")
    with pytest.raises(ConfigError) as caught:
        load(MAIN.replace("type: file", "type: fil"))
    assert places(caught.value) == [
        ("conf.d/a.yaml", 5, "YAAT-E101"),
        ("conf.d/b.yaml", 4, "YAAT-E100"),
        ("conf.d/c.yaml", 1, "YAAT-E101"),
        ("conf.d/d.yaml", 1, "YAAT-E102"),
        ("yaat.yaml", 4, "YAAT-E103"),
    ]
    told = caught.value.render()
    assert "5 |     pths: [x]" in told
    assert "5 problems in 5 files" in told


def test_the_same_name_in_two_files_is_told_with_both_places(load: Load, write: Write) -> None:
    write("conf.d/a.yaml", "sources:\n  app: {type: file, paths: [b]}\n  x: {type: file, paths: [b]}\n")
    write("conf.d/b.yaml", "service_name: shop\nsources:\n  x: {type: file, paths: [c]}\ntags: {t: 1}\n")
    write("conf.d/c.yaml", "processors: [{type: json}]\ntags:\n  t: 2\n")
    write("conf.d/d.yaml", "queue: {type: leveldb}\n")
    write("conf.d/e.yaml", "processors:\n  - {type: json}\nqueue: {type: leveldb}\n")
    with pytest.raises(ConfigError) as caught:
        load(MAIN)
    assert [(one.file, one.line, one.cause) for one in caught.value.problems] == [
        ("conf.d/a.yaml", 2, "the first is in yaat.yaml:4"),
        ("conf.d/b.yaml", 1, "the first is in yaat.yaml:2"),
        ("conf.d/b.yaml", 3, "the first is in conf.d/a.yaml:3"),
        ("conf.d/c.yaml", 3, "the first is in conf.d/b.yaml:4"),
        ("conf.d/e.yaml", 2, "the other one is in conf.d/c.yaml:1"),
        ("conf.d/e.yaml", 3, "the first is in conf.d/d.yaml:1"),
    ]
    assert {one.code for one in caught.value.problems} == {"YAAT-E106"}


def test_a_path_that_is_not_there(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load("include: [conf.d/none.yaml]\n")
    problem = only(caught.value)
    assert (problem.code, problem.file, problem.line) == ("YAAT-E108", "yaat.yaml", 1)
    assert "none.yaml: No such file" in problem.what


def test_a_pattern_that_finds_nothing_is_a_warning(load: Load) -> None:
    made = load("include: conf.d/*.yaml\n")
    [warning] = [one for one in made.warnings if one.code == "YAAT-W105"]
    assert (warning.line, warning.level) == (1, "warning")


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("include: sub", "YAAT-E108", "is no file"),
        ("include: 5", "YAAT-E102", "must be"),
        ("include: [[a]]", "YAAT-E102", "must be"),
        ("include: '${env:X}'", "YAAT-E102", "before references"),
        ("include: latin.yaml", "YAAT-E108", "not UTF-8"),
        ("include: nested.yaml", "YAAT-E102", "main file only"),
        ("sources: {}\ninclude: wrong.yaml", "YAAT-E102", "`sources` must be a mapping"),
        ("processors: []\ninclude: wrong.yaml", "YAAT-E102", "`processors` must be a list"),
        ("version: 1\ninclude: version.yaml", "YAAT-E106", "`version` is written twice"),
        ("include: version.yaml", "YAAT-E102", "`version` is 2"),
    ],
)
def test_what_cannot_be_included(
    load: Load, write: Write, tmp_path: Path, text: str, code: str, told: str
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "latin.yaml").write_bytes(b"service_name: \xff\n")
    write("nested.yaml", "include: other.yaml\n")
    write("wrong.yaml", "sources: [a]\nprocessors: {a: b}\n")
    write("version.yaml", "version: 2\n")
    with pytest.raises(ConfigError) as caught:
        load(text, X="x")
    [problem] = [one for one in caught.value.problems if told in one.what]
    assert problem.code == code
    assert problem.line


def test_plugins_that_an_included_file_disables(write: Write, tmp_path: Path) -> None:
    main = write("yaat.yaml", "include: more/*.yaml\n")
    write("more/a.yaml", "plugins: {disable: [yaat-plugin-x]}\n")
    assert config.disabled_in(main) == ("yaat-plugin-x",)


def test_a_folder_that_cannot_be_looked_into(
    load: Load, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("conf.d/a.yaml", "service_name: x\n")
    plain = os.listdir

    def denied(path: Any = ".") -> list[str]:
        if str(path).endswith("conf.d"):
            raise PermissionError(13, "Permission denied")
        return plain(path)

    monkeypatch.setattr(os, "listdir", denied)
    with pytest.raises(ConfigError) as caught:
        load("include: conf.d/*.yaml\n")
    assert "Permission denied" in only(caught.value).what


def test_more_files_than_anybody_needs(load: Load, write: Write) -> None:
    for number in range(502):
        write(f"conf.d/{number}.yaml", "")
    with pytest.raises(ConfigError) as caught:
        load("include: conf.d/*.yaml\n")
    assert "more than 500 files" in only(caught.value).what


def test_the_schema_knows_it(plugins: Plugins) -> None:
    shape = config.schema(plugins)["properties"]["include"]
    assert shape["examples"] == [["conf.d/*.yaml"]]
