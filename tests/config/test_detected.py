"""What plugins detect joins the default sources, and no plugin keeps an empty configuration from being one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from yaat_core import config
from yaat_core.components import Finding
from yaat_core.config.model import Configuration
from yaat_core.detection import DefaultSources, Detector
from yaat_core.hookspecs import hookimpl
from yaat_core.plugins import load_plugins, register
from yaat_core.registry import Registry

TWO = {"web": {"type": "file", "paths": ["/var/log/web/a.log", "/x/ä[[]1].log"], "format": "raw"}}


class Answers:
    """A plugin with one answer."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    @hookimpl
    def default_sources(self) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def load(*answers: Any, path: Path | None = None, environ: Mapping[str, str] | None = None) -> Configuration:
    plugins = load_plugins(["yaat-plugin-detect"])
    for number, answer in enumerate(answers):
        register(Answers(answer), f"answers-{number}", plugins)
    return config.load(path, plugins, environ=environ or {})


def codes(loaded: Configuration) -> list[str]:
    return [warning.code for warning in loaded.warnings]


def test_detected_sources_join_the_default() -> None:
    loaded = load(TWO)
    assert loaded.sources["web"].options.paths == ("/var/log/web/a.log", "/x/ä[[]1].log")
    assert "/var/log/**/*.log" in loaded.sources["logs"].options.paths
    assert "sources" in loaded.default_sections
    assert not codes(loaded)


def test_the_default_leaves_detected_files_alone_and_archives_too() -> None:
    excluded = load(TWO).sources["logs"].options.exclude
    assert {"/var/log/web/a.log", "/x/ä[[]1].log", "*.gz"} <= set(excluded)


def test_written_sources_are_all_there_is(tmp_path: Path) -> None:
    path = tmp_path / "yaat.yaml"
    path.write_text("sources: {app: {type: file, paths: [a.log]}}\n")
    loaded = load(TWO, RuntimeError("not asked"), path=path)
    assert list(loaded.sources) == ["app"]
    assert "sources" not in loaded.default_sections


def test_a_name_that_is_taken_gets_a_number() -> None:
    one = {"logs": {"type": "file", "paths": ["/a.log"]}}
    loaded = load(one, one)
    assert loaded.sources["logs-2"].options.paths == loaded.sources["logs-3"].options.paths == ("/a.log",)


@pytest.mark.parametrize(
    "answer",
    [
        RuntimeError("no\x1b[2J"),
        5,
        {"a": 5},
        {"a": {"type": "file", "paths": [object()]}},
        {"a": {"type": "file"}},
        {"a": {"type": "file", "paths": ["/a"], "colour": "red"}},
        {"a": {"paths": ["/a"]}},
        {"../a": {"type": "file", "paths": ["/a"]}},
    ],
)
def test_a_bad_answer_is_a_warning_and_the_others_hold(answer: Any) -> None:
    loaded = load(answer, TWO)
    assert codes(loaded) == ["YAAT-W106"]
    assert "\x1b" not in loaded.warnings[0].render()
    assert set(loaded.sources) - {"host"} == {"logs", "web"}


def test_what_is_not_installed_is_left_out_in_silence() -> None:
    loaded = load({"a": {"type": "nowhere"}, **TWO})
    assert not codes(loaded)
    assert set(loaded.sources) - {"host"} == {"logs", "web"}


def test_the_defaults_lie_below_the_root_of_the_host() -> None:
    loaded = load(environ={"YAAT_HOST_ROOT": "/host/"})
    assert all(path.startswith("/host/var/log/") for path in loaded.sources["logs"].options.paths)


def test_detectors_of_other_plugins_are_handed_over() -> None:
    class Detects:
        @hookimpl
        def detectors(self) -> list[Detector]:
            return [Detector(name="shop", detect=lambda machine: ())]

    class Wants:
        @hookimpl
        def default_sources(self, registry: Registry, detectors: list[Detector]) -> dict[str, Any]:
            return {one.name: {"type": "file", "paths": ["/a"]} for one in detectors}

    plugins = load_plugins(["yaat-plugin-detect"])
    register(Detects(), "detects", plugins)
    register(Wants(), "wants", plugins)
    assert "shop" in config.load(None, plugins, environ={}).sources


def test_what_could_not_be_looked_at_is_a_warning() -> None:
    note = Finding(problem="can't read '/etc/web.conf\x1b[2J'", advice="usermod", level="warn")
    loaded = load(DefaultSources(TWO, [note]))
    assert "web" in loaded.sources
    (warning,) = loaded.warnings
    assert (warning.code, warning.fix) == ("YAAT-W106", "usermod")
    assert warning.what == "can't read '/etc/web.conf\\x1b[2J'"
