"""What users are told: beside a source, in health, in the log, by `yaat validate`."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from support.agents import AgentProcess, wait_until, yaat, yaat_json

from yaat_core.components import Processor
from yaat_core.event import Event, EventBatch, Labels

Make = Callable[..., Processor]
ACCESS = '1.2.3.4 - - [05/Jan/2026:10:00:00 +0000] "GET /a HTTP/1.1" 200 12 "-" "-"'
JSON = '{"level":"info","msg":"a"}'


def run(step: Processor, lines: list[str], stream: str = "access.log") -> None:
    step.process(EventBatch.from_events([Event(message=line) for line in lines], Labels(stream=stream)))


def test_how_many_lines_do_not_fit(make: Make) -> None:
    step = make("nginx")
    assert step.detail() == ""
    run(step, [ACCESS, "words"])
    assert step.detail() == "1 of 2 lines do not fit"
    assert not step.problems()


def test_when_nothing_fits_health_says_so_until_it_does(make: Make) -> None:
    step = make("nginx")
    run(step, ["words"] * 999)
    assert not step.problems(), "too few lines to say so"
    run(step, ["words"])
    [problem] = step.problems()
    assert problem.level == "warn"
    assert "100% of the last lines, of 'access.log', do not fit" in problem.problem
    run(step, [ACCESS] * 1000)
    assert not step.problems()


def test_auto_says_what_it_chose_and_when_it_changes(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    step = make("auto")
    with caplog.at_level(logging.INFO):
        run(step, [JSON] * 63 + ["words"], stream="a\x1b[2J")
        run(step, [ACCESS] * 64, stream="a\x1b[2J")
        run(step, [ACCESS] * 64, stream="a\x1b[2J")
    told = [record.getMessage() for record in caplog.records if record.name.startswith("yaat.processors")]
    assert told == [
        "'a\\x1b[2J' is json: it fits 63 of 64 lines",
        "'a\\x1b[2J' has no format that is known any more: its lines stay as they are",
        "'a\\x1b[2J' is nginx: it fits 64 of 64 lines",
    ]
    assert step.detail() == "nginx 1; 1 of 192 lines do not fit"


CONFIG = """\
version: 1
state_dir: ./state
health: {listen: "off"}
sources:
  web: {type: file, paths: [access.log], format: nginx}
  plain: {type: file, paths: [plain.log]}
  meant: {type: file, paths: [plain.log], format: raw}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "access.log").write_text(f"{ACCESS}\nwords\n")
    (tmp_path / "plain.log").write_text("words\n")
    path = tmp_path / "yaat.yaml"
    path.write_text(CONFIG)
    return path


def test_validate_hints_at_a_source_whose_lines_nobody_reads(config: Path) -> None:
    document = yaat_json("validate", "-c", str(config))
    hints = {one["component"]: one["hint"] for one in document["components"] if one["hint"]}
    assert document["ok"]
    assert hints.keys() == {"sources.plain"}
    assert "`format: auto`" in hints["sources.plain"]


def test_a_processor_that_reads_no_lines_is_refused_as_a_format(config: Path) -> None:
    config.write_text(CONFIG.replace("format: nginx", "format: scrub"))
    done = yaat("validate", "-c", str(config))
    assert done.returncode == 2
    assert "`scrub` reads no lines" in done.stderr


def test_status_shows_it_beside_the_source(config: Path) -> None:
    agent = AgentProcess(config).start()
    try:
        # fmt: off
        wait_until(lambda: "do not fit" in yaat("status", "-c", str(config), "--json").stdout, seconds=60, what="status tells")
        # fmt: on
        status = json.loads(yaat("status", "-c", str(config), "--json", "--fail-on", "never").stdout)
    finally:
        agent.kill()
    details = {one["id"]: one["detail"] for one in status["components"]}
    assert details["sources.web"] == "1 of 2 lines do not fit"
    assert details["sources.plain"] == ""
