"""What a file becomes: typed values, resolved and complete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from yaat_core import config
from yaat_core.components import ComponentId
from yaat_core.config.model import Configuration
from yaat_core.config.problems import ConfigError
from yaat_core.plugins import Plugins

Load = Callable[..., Configuration]
Refusal = Callable[..., ConfigError]

WHOLE = """\
version: 1
service_name: web
environment: staging
organization_id: acme
state_dir: ./state
tags: {team: payments, port: 8080, debug: yes, ratio: 1.50, on: true}
sources:
  app:
    type: file
    paths: app/*.log
    poll: 250ms
    line_limit: 64KiB
    start_at: beginning
    format: {type: regex, pattern: "^(?P<level>\\\\w+)", flags: {multi: true}}
    service_name: shop
    environment: production
    tags: {tier: front}
  raw: {type: file, paths: [raw.log], format: raw}
  plain: {type: file, paths: [plain.log]}
  short: {type: file, paths: [short.log], format: json}
processors:
  - {type: scrub, detectors: secrets}
  - {type: json, sources: [app]}
  - {type: scrub, name: mail, detectors: [email]}
  - {type: nginx, sources: short}
queue: {type: leveldb, path: q, max_bytes: 2GiB, retention: 12h}
sinks:
  local: {type: duckdb, retention: none}
  cloud:
    type: cloud
    endpoint: https://ingest.example.com
    api_key: key
    from: oldest
    queue: {max_bytes: 5GiB, retention: none}
dead_letter: {path: letters, retention: 1d}
plugins: {disable: [yaat-plugin-kafka]}
health: {listen: off}
shutdown_grace: 1m30s
"""


def test_a_whole_file(load: Load, tmp_path: Path) -> None:
    made = load(WHOLE)
    assert (made.service_name, made.environment, made.organization_id) == ("web", "staging", "acme")
    assert made.path == tmp_path / "yaat.yaml"
    assert made.state_dir == tmp_path / "state"
    assert made.tags == {"team": "payments", "port": "8080", "debug": "yes", "ratio": "1.50", "on": "true"}
    app = made.sources["app"]
    assert app.id == ComponentId("sources", "app")
    assert app.options.paths == ("app/*.log",)
    assert (app.options.poll, app.options.line_limit) == (0.25, 65536)
    assert (app.service_name, app.environment, app.tags) == ("shop", "production", {"tier": "front"})
    assert app.format is not None
    assert app.format.options.pattern == r"^(?P<level>\w+)"
    assert app.format.options.flags == {"multi": True}
    assert made.sources["raw"].format is made.sources["plain"].format is None
    assert made.sources["short"].format is not None
    assert str(made.sources["short"].format.id) == "processors.json"
    assert made.queue.options.path == "q"
    assert made.sinks["cloud"].start == "oldest"
    assert made.dead_letter.retention == 86400
    assert made.plugins.disable == ("yaat-plugin-kafka",)
    assert made.health.listen == "off"
    assert made.shutdown_grace == 90


def test_scrub_comes_last_and_the_rest_keeps_its_order(load: Load) -> None:
    entries = load(WHOLE).processors
    assert [entry.id.name for entry in entries] == ["json", "nginx", "scrub", "mail"]
    assert [entry.sources for entry in entries] == [("app",), ("short",), None, None]


def test_bounds_of_sinks_stand_on_those_of_the_queue(load: Load) -> None:
    made = load(WHOLE)
    local, cloud = made.sinks["local"].bounds, made.sinks["cloud"].bounds
    assert (local.max_bytes, local.retention, local.when_full) == (2 * 2**30, 12 * 3600, "block")
    assert (cloud.max_bytes, cloud.retention, cloud.when_full) == (5 * 2**30, None, "drop_oldest")
    assert made.sinks["local"].options.retention is None


def test_when_full_of_the_queue_holds_for_every_sink_that_has_none(load: Load) -> None:
    made = load(
        "queue: {when_full: drop_newest}\n"
        "sinks:\n  a: {type: duckdb}\n  b: {type: duckdb, queue: {when_full: block}}\n"
    )
    assert [sink.bounds.when_full for sink in made.sinks.values()] == ["drop_newest", "block"]


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "---\n", "{}", "\ufeff"])
def test_an_empty_file_is_a_configuration(text: str, load: Load) -> None:
    made = load(text)
    assert (made.service_name, made.environment, made.organization_id) == ("host", "production", "local")
    logs = made.sources["logs"]
    assert "/var/log/**/*.log" in logs.options.paths
    assert logs.format is not None
    assert logs.format.type.name == "auto"
    assert [(entry.type.name, entry.options.detectors) for entry in made.processors] == [
        ("scrub", ("secrets",))
    ]
    assert made.queue.type.name == "leveldb"
    assert {name: entry.type.name for name, entry in made.sinks.items()} == {"local": "duckdb"}
    assert made.sinks["local"].bounds.retention == 86400


def test_no_file_is_all_defaults(plugins: Plugins, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = config.load(None, plugins, environ={"HOME": "/home/x", "XDG_STATE_HOME": "/state"})
    assert made.path is None
    assert made.config_dir == tmp_path
    assert list(made.sinks) == ["local"]


def test_a_file_that_only_adds_a_sink_keeps_the_other_defaults(load: Load) -> None:
    made = load("sinks: {mine: {type: duckdb, path: mine.db}}\n")
    assert list(made.sources) == ["logs"]
    assert list(made.sinks) == ["mine"]


def test_no_source_and_no_processor_can_be_wanted(load: Load) -> None:
    made = load("sources: {}\nprocessors: []\n")
    assert made.sources == {}
    assert list(made.processors) == []
    assert [warning.code for warning in made.warnings] == ["YAAT-W102", "YAAT-W101"]


def test_warnings(load: Load) -> None:
    made = load("processors:\n  - {type: json}\nplugins: {disable: [yaat-plugin-kafk]}\n")
    assert [(one.code, one.level, one.line) for one in made.warnings] == [
        ("YAAT-W102", "warning", None),
        ("YAAT-W101", "warning", 1),
        ("YAAT-W104", "warning", 3),
    ]
    told = "\n".join(one.render() for one in made.warnings)
    assert "warning[YAAT-W101]: nothing scrubs" in told
    assert "did you mean yaat-plugin-kafka?" in told


def test_without_plugins_there_is_no_queue_and_no_sink(tmp_path: Path) -> None:
    from yaat_core.plugins import load_plugins

    nothing = load_plugins(environ={"YAAT_LOAD_PLUGINS": "none-of-them"})
    with pytest.raises(ConfigError) as caught:
        config.load(None, nothing, environ={})
    codes = {problem.code for problem in caught.value.problems}
    assert codes == {"YAAT-E103"}
    assert {problem.key for problem in caught.value.problems} == {"queue.type", "sinks.local.type"}


def test_state_dir_is_relative_to_the_file(load: Load, tmp_path: Path) -> None:
    (tmp_path / "up").mkdir()
    assert load("state_dir: up/../state").state_dir == (tmp_path / "state").resolve()
    assert load("state_dir: /srv/yaat").state_dir == Path("/srv/yaat")


def test_yaml_means_what_version_1_2_says(load: Load) -> None:
    made = load(
        "tags: {a: no, b: 0o17, c: 010, d: ~, e: 2020-01-01, f: 12:30, g: 1_000, h: 'x'}".replace(
            "d: ~, ", ""
        )
    )
    assert made.tags == {
        "a": "no",
        "b": "0o17",
        "c": "010",
        "e": "2020-01-01",
        "f": "12:30",
        "g": "1_000",
        "h": "x",
    }
    assert load("sources: {a: {type: file, paths: [a], threads: 0x10}}").sources["a"].options.threads == 16
    assert load("sources: {a: {type: file, paths: [a], share: 1}}").sources["a"].options.share == 1.0
    assert load("environment: no").environment == "no"


def test_windows_line_ends(load: Load) -> None:
    assert load("service_name: web\r\nenvironment: x\r\n").environment == "x"


def test_more_problems_than_a_person_reads(refusal: Refusal) -> None:
    error = refusal("".join(f"key{number}: 1\n" for number in range(30)))
    assert len(error.problems) == 30
    assert error.render().count("error[YAAT-E101]") == 20
    assert "... and 10 more" in error.render()
    assert len(error.to_json()["problems"]) == 30  # type: ignore[arg-type]
    assert error.exit_code == 2


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a" * (2**20 + 1), "is larger than 1 MiB"),
        (b"service_name: \xff\n", "is not UTF-8 text"),
        ("service_name: x".encode("utf-16"), "is UTF-16 text"),
    ],
)
def test_files_that_are_no_text(data: bytes, told: str, plugins: Plugins, tmp_path: Path) -> None:
    path = tmp_path / "yaat.yaml"
    path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        config.load(path, plugins)
    assert [problem.code for problem in caught.value.problems] == ["YAAT-E108"]
    assert told in caught.value.problems[0].what


def test_a_file_that_is_not_there(plugins: Plugins, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path / "none.yaml", plugins)
    assert "No such file" in caught.value.problems[0].what


def test_too_many_values(refusal: Refusal) -> None:
    error = refusal("tags: {" + ", ".join(f"k{number}: 1" for number in range(10_500)) + "}")
    assert [problem.code for problem in error.problems] == ["YAAT-E107"]
    assert "more than 20000 values" in error.problems[0].what


@pytest.mark.parametrize("format", ["scrub", "{type: scrub, detectors: [secrets]}"])
def test_a_processor_that_reads_no_lines_is_no_format(refusal: Refusal, format: str) -> None:
    [problem] = refusal(f"sources: {{a: {{type: file, paths: [a], format: {format}}}}}\n").problems
    assert (problem.code, problem.line, problem.what) == (
        "YAAT-E103",
        1,
        "the processor `scrub` reads no lines, so it can't be a `format`",
    )
    assert problem.fix == "write it under `processors:`; formats are auto, json, nginx, regex"


def test_every_format_without_options_serves_labels(load: Load) -> None:
    assert set(load("").formats) == {"auto", "json", "nginx"}


def test_whether_a_format_was_written_is_known(load: Load) -> None:
    sources = load(WHOLE).sources
    assert {name: source.format_given for name, source in sources.items()} == {
        "app": True,
        "raw": True,
        "plain": False,
        "short": True,
    }
