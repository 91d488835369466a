"""`yaat run --once` ends when what it waits for can't come, says why, and the next run goes on from there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from support.agents import AgentProcess, check_accounting, check_once_each, yaat
from support.scenario import NEVER

CONFIG = """
version: 1
state_dir: state
shutdown_grace: 1s
sources:
  app: {type: file, paths: ["logs/*.log"], start_at: beginning}
sinks:
  SINK
health: {listen: "off"}
"""


@pytest.fixture
def lines(tmp_path: Path) -> list[str]:
    """What the one log file holds."""
    written = [f"line {number} {'x' * 300}" for number in range(2000)]
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.log").write_text("".join(line + "\n" for line in written))
    return written


def once(folder: Path, sink: str, **environ: str) -> Any:
    config = folder / "yaat.yaml"
    config.write_text(CONFIG.replace("SINK", sink))
    return yaat("run", "--once", "-c", str(config), "--json", timeout=120, **environ)


def then_all_is_delivered(folder: Path, lines: list[str]) -> None:
    done = once(folder, "local: {type: duckdb, from: oldest}")
    assert done.returncode == 0, done.stderr
    agent = AgentProcess(folder / "yaat.yaml")
    check_once_each(agent, lines)


def test_a_database_that_cannot_be_opened(tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "state" / "events.duckdb").mkdir(parents=True)
    done = once(tmp_path, "local: {type: duckdb, path: events.duckdb}")
    assert done.returncode == 1, done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "YAAT-E506"
    assert "sinks.local can't be opened" in error["what"]
    assert "error[YAAT-E506]" in done.stderr
    shutil.rmtree(tmp_path / "state" / "events.duckdb")
    then_all_is_delivered(tmp_path, lines)
    check_accounting(AgentProcess(tmp_path / "yaat.yaml"), len(lines))


def test_a_disk_without_room(tmp_path: Path, lines: list[str]) -> None:
    """No file may become as large as the queue's reserve: what it sees is a full disk."""
    if shutil.which("prlimit") is None:
        pytest.skip("prlimit (util-linux) is not installed")
    config = tmp_path / "yaat.yaml"
    config.write_text(CONFIG.replace("SINK", "out: {type: stdout}"))
    agent = AgentProcess(config, prefix=("prlimit", "--fsize=8000000")).start("--once", "--json")
    assert agent.process is not None
    assert agent.process.wait(120) == 1, agent.log()
    assert "error[YAAT-E506]: nothing was delivered: the disk of" in agent.log()
    assert "fix: free space on that disk" in agent.log()
    then_all_is_delivered(tmp_path, lines)


#: Fails in the way that its configuration names.
FAILING = '''
"""A source that never works."""
import os

from yaat_core import Register, Source, configuration, hookimpl, option


@configuration
class FailingConfig:
    """How it fails."""

    how: str = option("made", help="How.")


class Failing(Source):
    def __init__(self, config, context):
        self.how = config.how
        if self.how == "made":
            raise RuntimeError("no")

    async def run(self, out):
        if self.how == "os":
            os.open("/nowhere/at/all", os.O_RDONLY)
        if self.how == "exit":
            raise SystemExit(0)
        raise ExceptionGroup("no", [ValueError("no")])


@hookimpl
def register_components(register: Register) -> None:
    register.source("failing", FailingConfig, Failing)
'''


@pytest.mark.parametrize("how", ["made", "exit"])
def test_a_source_that_only_ever_fails(tmp_path: Path, how: str) -> None:
    """By itself, and beside one that works."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "failing.py").write_text(FAILING)
    (tmp_path / "logs").mkdir()
    environ = {"YAAT_PLUGINS_DIR": str(tmp_path / "plugins")}
    config = tmp_path / "yaat.yaml"
    text = CONFIG.replace("SINK", "local: {type: duckdb}").replace(
        "sources:\n", f"sources:\n  bad: {{type: failing, how: {how}}}\n"
    )
    config.write_text(text)
    for line, code, told in (("", 1, "nothing"), ("a line\n", 5, "only part")):
        (tmp_path / "logs" / "a.log").write_text(line)
        done = yaat("run", "--once", "-c", str(config), "--json", timeout=120, **environ)
        assert done.returncode == code, done.stderr
        error = json.loads(done.stdout)["error"]
        assert error["what"].startswith(f"{told} was delivered: sources.bad failed: "), error
        assert "Traceback" not in error["what"]


@pytest.mark.faults
def test_a_full_queue_whose_sink_fails(tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "never.py").write_text(NEVER)
    sink = "stuck: {type: never, queue: {max_bytes: 1KiB, when_full: block}}"
    with open(tmp_path / "logs" / "a.log", "a") as log:
        for number in range(len(lines), 40_000):
            lines.append(f"line {number} {number:0300}")
            log.write(lines[-1] + "\n")
    done = once(tmp_path, sink, YAAT_PLUGINS_DIR=str(tmp_path / "plugins"))
    assert done.returncode == 1, done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "YAAT-E506"
    assert "always busy" in error["what"]
    then_all_is_delivered(tmp_path, lines)


def test_a_state_directory_that_is_a_file(tmp_path: Path, lines: list[str]) -> None:
    (tmp_path / "state").write_text("")
    done = once(tmp_path, "local: {type: duckdb}")
    assert done.returncode == 1
    assert json.loads(done.stdout)["error"]["code"] == "YAAT-E505"
