"""What a reload would do, from two texts of a configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from yaat_core import config
from yaat_core.config.model import Configuration
from yaat_core.plugins import Plugins, load_plugins
from yaat_core.reloading.plan import plan

BASE = """
state_dir: state
service_name: web
sources:
  app: {type: file, paths: ["a.log"], format: json}
  other: {type: file, paths: ["b.log"]}
processors:
  - {type: dedupe, window: 10s}
  - {type: scrub, detectors: [secrets], sources: [app]}
queue: {type: leveldb, max_bytes: 1GiB}
sinks:
  local: {type: duckdb}
  out: {type: stdout}
"""


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return load_plugins()


class Texts:
    """Loads texts as the same file."""

    def __init__(self, folder: Path, plugins: Plugins) -> None:
        self.file, self.plugins = folder / "yaat.yaml", plugins

    def load(self, text: str) -> Configuration:
        self.file.write_text(text)
        return config.load(self.file, self.plugins)


@pytest.fixture
def texts(tmp_path: Path, plugins: Plugins) -> Texts:
    return Texts(tmp_path, plugins)


CASES = [
    ("", "", []),
    ("service_name: web", "service_name: shop", ["service_name changed"]),
    ("state_dir: state\n", "state_dir: state\ntags: {a: b}\n", ["tags changed"]),
    ("state_dir: state\n", "state_dir: state\nhealth: {listen: 'off'}\n", ["health.listen changed"]),
    ("state_dir: state\n", "state_dir: state\nshutdown_grace: 3s\n", ["shutdown_grace changed"]),
    ("state_dir: state\n", "state_dir: state\nreload: {watch: false}\n", ["reload.watch changed"]),
    (
        "state_dir: state\n",
        "state_dir: state\ndead_letter: {path: elsewhere, retention: 3d}\n",
        ["dead_letter.path changed", "dead_letter.retention changed"],
    ),
    ("a.log", "c.log", ["sources.app restarted"]),
    ("format: json", "format: logfmt", ["sources.app changed"]),
    ("format: json", "format: json, service_name: x", ["sources.app changed"]),
    ("format: json", "format: json, environment: x", ["sources.app changed"]),
    ("format: json", "format: json, tags: {a: b}", ["sources.app changed"]),
    ("  other:", "  third:", ["sources.other stopped", "sources.third started"]),
    ("window: 10s", "window: 20s", ["processors.dedupe restarted"]),
    ("window: 10s", "window: 10s, sources: [other]", ["processors.dedupe changed"]),
    ("window: 10s", "window: 10s, name: d", ["processors.dedupe stopped", "processors.d started"]),
    ("  local: {type: duckdb}", "  local: {type: duckdb, path: e.duckdb}", ["sinks.local restarted"]),
    ("out: {type: stdout}", "out: {type: duckdb}", ["sinks.out restarted"]),
    ("out: {type: stdout}", "out: {type: stdout, queue: {max_bytes: 1MiB}}", ["sinks.out changed"]),
    ("out: {type: stdout}", "out: {type: stdout, from: oldest}", []),
    ("max_bytes: 1GiB", "max_bytes: 2GiB", ["sinks.local changed", "sinks.out changed"]),
]


@pytest.mark.parametrize(("old", "new", "expected"), CASES)
def test_each_kind_of_change(texts: Texts, old: str, new: str, expected: list[str]) -> None:
    before = texts.load(BASE)
    assert old in BASE
    found = plan(before, texts.load(BASE.replace(old, new, 1)))
    assert sorted(f"{one.component} {one.what}" for one in found.changes) == sorted(expected)
    assert not found.restart_needed
    components = [one for one in found.changes if "." in one.component and one.what != "stopped"]
    touched = sum(one.component.split(".")[0] in ("sources", "processors", "sinks") for one in components)
    assert found.unchanged == 7 - touched


def test_the_order_of_processors(texts: Texts) -> None:
    text = BASE.replace("  - {type: scrub", "  - {type: dedupe, name: second}\n  - {type: scrub")
    turned = BASE.replace("  - {type: dedupe", "  - {type: dedupe, name: second}\n  - {type: dedupe")
    found = plan(texts.load(text), texts.load(turned))
    assert [f"{one.component} {one.what}" for one in found.changes] == ["processors changed"]


def test_what_takes_a_restart_stays_as_it_was(texts: Texts) -> None:
    before = texts.load(BASE)
    text = (
        BASE.replace("state_dir: state", "state_dir: elsewhere\nplugins: {disable: [yaat-plugin-statsd]}")
        .replace("type: leveldb,", "type: leveldb, path: q2,")
        .replace("service_name: web", "service_name: shop")
    )
    found = plan(before, texts.load(text))
    assert [f"{one.component} {one.what}" for one in found.changes] == ["service_name changed"]
    assert sorted(found.restart_needed) == ["plugins.disable", "queue", "state_dir"]
    runs = found.configuration
    assert (runs.state_dir, runs.queue.options, runs.plugins) == (
        before.state_dir,
        before.queue.options,
        before.plugins,
    )
    again = plan(runs, texts.load(text))
    assert not again.changes
    assert again.restart_needed == found.restart_needed


def test_a_configuration_that_moved_to_another_folder_restarts_its_sources(
    texts: Texts, tmp_path: Path, plugins: Plugins
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    text = BASE.replace("state_dir: state", f"state_dir: {tmp_path / 'state'}")
    found = plan(texts.load(text), Texts(folder, plugins).load(text))
    assert sorted(f"{one.component} {one.what}" for one in found.changes) == [
        "sources.app restarted",
        "sources.other restarted",
    ]


def test_every_type_with_its_defaults_is_the_same_when_it_is_read_again(
    texts: Texts, plugins: Plugins
) -> None:
    """Options that are not equal to themselves would restart their component at each reload."""
    from yaat_core.config.fields import keys_of

    unequal = []
    for (kind, name), type in plugins.registry.types.items():
        if any(key.required for key in keys_of(type.config)):
            continue
        try:
            one, other = type.config(), type.config()
        except ValueError:
            continue
        if one != other:
            unequal.append((kind, name))
    assert not unequal
