"""Changes of the configuration of a running agent, by the commands, judged by the files and the database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.agents import AgentProcess, wait_until, yaat, yaat_json

CONFIG = """\
# kept
version: 1
state_dir: state
health: {listen: off}
reload: {watch: false}
sources:
  app: {type: file, paths: [app.log], start_at: beginning}   # first
processors:
  - type: scrub
    detectors: [secrets]
sinks:
  local: {type: duckdb, path: e.duckdb}
"""


def names(config: Path) -> set[str]:
    found = yaat_json("sources", "list", "-c", str(config))
    assert found["running"]
    return {one["name"] for one in found["components"] if one["status"]}


def test_a_running_agent_takes_up_what_is_added_changed_and_taken_back(tmp_path: Path) -> None:
    config = tmp_path / "yaat.yaml"
    config.write_text(CONFIG)
    (tmp_path / "app.log").write_text("one\n")
    (tmp_path / "new.log").write_text("two\n")
    with AgentProcess(config) as agent:
        agent.start()
        agent.wait_for(1)
        done = yaat_json(
            "sources", "add", "new", "--type", "file", "--set", "paths=[new.log]", "--set",
            "start_at=beginning", "--yes", "-c", str(config),
        )  # fmt: skip
        assert done["reloaded"]
        agent.wait_for(2)
        assert names(config) == {"app", "new"}
        refused = yaat("config", "set", "sources.app.start_at=never", "--yes", "-c", str(config))
        assert refused.returncode == 2
        assert "YAAT-E102" in refused.stderr
        after = config.read_bytes()
        assert yaat_json("config", "undo", "--yes", "-c", str(config))["reloaded"]
        assert config.read_text() == CONFIG
        assert names(config) == {"app"}
        yaat_json("config", "undo", "--redo", "--yes", "-c", str(config))
        assert config.read_bytes() == after
        assert names(config) == {"app", "new"}
        history = yaat_json("config", "history", "-c", str(config))
        assert [one["version"]["summary"] for one in history["versions"]] == ["add sources.new"]
        assert agent.terminate() == 0
    assert {row["message"] for row in agent.query("SELECT message FROM events")} == {"one", "two"}


@pytest.mark.faults
def test_a_change_that_nobody_confirms_is_taken_back(tmp_path: Path) -> None:
    config = tmp_path / "yaat.yaml"
    config.write_text(CONFIG)
    with AgentProcess(config) as agent:
        agent.start()
        wait_until(lambda: bool(agent.try_diagnose()), what="the agent answers")
        yaat_json("config", "set", "service_name=kept", "--confirm-within", "1h", "--yes", "-c", str(config))
        assert yaat("config", "confirm", "-c", str(config)).returncode == 0
        kept = config.read_text()
        assert "service_name: kept" in kept
        yaat_json("config", "set", "service_name=gone", "--confirm-within", "1s", "--yes", "-c", str(config))
        wait_until(lambda: config.read_text() == kept, what="taken back")
        assert agent.terminate() == 0
    document = json.loads(yaat("config", "history", "--json", "-c", str(config)).stdout)
    assert [one["version"]["undone"] for one in document["versions"]] == [True, False]


def test_without_an_agent_this_process_writes_and_a_wrong_file_can_be_mended(tmp_path: Path) -> None:
    config = tmp_path / "yaat.yaml"
    config.write_text(CONFIG.replace("start_at: beginning", "start_at: never"))
    assert yaat("sources", "list", "-c", str(config)).returncode == 0
    assert yaat("config", "set", "service_name=x", "--yes", "-c", str(config)).returncode == 2
    asked = yaat("config", "set", "sources.app.start_at=beginning", "-c", str(config))
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    done = yaat_json("config", "set", "sources.app.start_at=beginning", "--yes", "-c", str(config))
    assert done["version"] == 1
    assert not done["reloaded"]
    assert config.read_text() == CONFIG
    script = tmp_path / "editor"
    script.write_text('#!/bin/sh\nprintf "# and more\\n" >> "$1"\n')
    script.chmod(0o755)
    edited = yaat("config", "edit", "--yes", "-c", str(config), EDITOR=str(script))
    assert edited.returncode == 0, edited.stderr
    assert config.read_text() == CONFIG + "# and more\n"
