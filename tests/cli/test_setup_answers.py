"""`yaat setup` without a terminal: answers, a dry run, refusals, a gateway, more for a configuration that is there."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.agents import yaat
from support.first_start import FirstStart, first_start
from support.gateways import gateway_process

from yaat_core.cli.editing import Place
from yaat_core.cli.setting_up import asked
from yaat_core.errors import YaatError
from yaat_core.plugins import Plugins, load_plugins
from yaat_core.setting_up.answers import of
from yaat_core.setting_up.drafting import draft
from yaat_core.setting_up.finding import Candidate, Found


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return load_plugins(())


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[FirstStart]:
    with first_start(tmp_path / "m") as made:
        yield made


def set_up(machine: FirstStart, answers: dict[str, Any] | None, *options: str) -> tuple[int, Any, str]:
    """Exit code, document, stderr."""
    more = []
    if answers is not None:
        file = machine.folder / "host" / "answers.json"
        file.write_text(json.dumps(answers))
        more = ["--answers", str(file)]
    done = yaat("setup", "-c", str(machine.config), *more, *options, "--json", **machine.environ)
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


def test_answers_make_a_running_agent(machine: FirstStart) -> None:
    answers = {"sources": ["logs"], "redact": ["secrets", "pii"], "service_name": "shop", "run": "here"}
    code, told, said = set_up(machine, answers, "--yes")
    assert code == 0, said
    assert told["written"]
    assert told["agent"]["delivered"] > 0
    assert {one["name"]: one["chosen"] for one in told["found"]}["logs"]
    text = machine.config.read_text()
    assert "service_name: shop" in text
    assert "hostmetrics" not in text
    found = machine.count()
    assert len(found) == 40
    assert all("[password]" in str(one) and "[email]" in str(one) for one in found)
    again = set_up(machine, answers | {"service_name": ""}, "--yes")[1]
    assert not again["written"]
    assert again["diff"] == ""


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"source": ["logs"]}, "unknown field `source`"),
        ({"sources": ["ngnix"]}, "no source `ngnix` was found"),
        ({"keep_local": False}, "events would go nowhere"),
        ({"redact": ["sekrets"]}, "sekrets"),
        ({"run": "now"}, "now"),
        ({"more_sources": {"x": {"type": "file", "pth": "/x"}}}, "pth"),
        ({"backend": {"endpoint": "http://example.com", "api_key": "k" * 20}}, "must begin with https://"),
        ({"backend": {"endpoint": "http://127.0.0.1:1", "api_key": "k" * 20}}, "no gateway answers"),
        ({"backend": {"endpoint": "https://a.example", "api_key": "${env:NOT_SET_AT_ALL}"}}, "is not set"),
    ],
)  # fmt: skip
def test_wrong_answers_say_what_is_wrong(
    machine: FirstStart, plugins: Plugins, answers: dict[str, Any], says: str
) -> None:
    options = {"type": "file", "paths": ["/var/log/*.log"]}
    found = Found(candidates=[Candidate(name="logs", type="file", what="logs", options=options)])
    place = Place(machine.config, machine.state, plugins)

    def set_up_in_process() -> None:
        wanted = of(answers)
        asked(wanted, place)
        draft(wanted, found, place.path, plugins, place.state_dir)

    with pytest.raises(YaatError) as caught:
        set_up_in_process()
    assert says in caught.value.what + str(caught.value.to_json())
    assert machine.files() == set()


def test_a_dry_run_and_a_refusal_write_nothing(machine: FirstStart) -> None:
    code, told, _ = set_up(machine, None, "--dry-run")
    assert code == 0
    assert not told["written"]
    assert "+version: 1" in told["diff"]
    done = yaat("setup", "-c", str(machine.config), **machine.environ)
    assert done.returncode == 2
    assert "--answers FILE" in done.stderr
    answers = machine.folder / "host" / "empty.yaml"
    answers.write_text("")
    done = yaat("setup", "-c", str(machine.config), "--answers", str(answers), **machine.environ)
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert machine.files() == set()


def test_a_gateway_takes_or_refuses_the_key(machine: FirstStart, tmp_path: Path) -> None:
    (tmp_path / "gateway").mkdir()
    with gateway_process(tmp_path / "gateway") as gateway:
        good, bad = gateway.key("ingest"), "yaat_aaaaaaaaaa_" + "b" * 32
        backend = {"endpoint": gateway.url, "api_key": bad}
        code, told, _ = set_up(machine, {"sources": ["logs"], "backend": backend}, "--yes")
        assert (code, told["error"]["code"]) == (1, "YAAT-E130")
        assert machine.files() == set()
        answers = {"sources": ["logs"], "backend": backend | {"api_key": good}}
        code, told, said = set_up(machine, answers, "--yes")
        assert code == 0, said
        assert "ingest" in told["gateway"]["rights"]
        assert told["gateway"]["services"] is None
        assert good not in json.dumps(told) + said + machine.config.read_text()
        key = machine.config.parent / "api_key"
        assert key.read_text() == good + "\n"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        other = gateway.key("ingest")
        answers["backend"]["api_key"] = other  # type: ignore[index]
        code, told, _ = set_up(machine, answers, "--yes")
        assert code == 2
        assert "another key" in told["error"]["what"]
        assert key.read_text() == good + "\n"


def test_a_configuration_that_is_there_keeps_its_lines(machine: FirstStart) -> None:
    machine.config.parent.mkdir()
    text = """\
# mine
version: 1
sources:
  mine: {type: file, paths: [/nowhere/*.log]}   # and this
processors:
  - {type: scrub, detectors: [secrets, email]}
"""
    machine.config.write_text(text)
    code, told, said = set_up(machine, {"sources": ["logs"]}, "--yes")
    assert code == 0, said
    assert told["written"]
    after = machine.config.read_text()
    assert all(line in after.splitlines() for line in text.splitlines())
    assert "  logs:" in after
    assert "pii" not in after
    assert "  logs:" in after
