"""Files in, SQL out, through real processes and the public doors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.agents import AgentProcess, check_accounting, check_once_each, wait_until, yaat, yaat_json

CONFIG = """
version: 1
state_dir: state
service_name: shop
environment: test
tags: {team: payments}
sources:
  app: {type: file, paths: [logs/*.log], start_at: beginning, format: auto}
processors:
  - type: scrub
    detectors: [secrets, email]
    rules:
      - {name: health, pattern: "GET /healthz", drop: true}
sinks:
  local: {type: duckdb}
health: {listen: "off"}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    path = tmp_path / "yaat.yaml"
    path.write_text(CONFIG)
    return path


def test_once_reads_scrubs_and_answers(config: Path) -> None:
    lines = [json.dumps({"level": "info", "msg": f"order {n}", "user": {"id": n}}) for n in range(1_000)]
    lines += [
        '{"level":"error","msg":"login of jane@example.com with password=hunter2","n":1}',
        "GET /healthz",
        "plain words",
    ]
    (config.parent / "logs" / "app.log").write_text("\n".join(lines) + "\n")
    agent = AgentProcess(config)
    assert agent.start("--once").process.wait(60) == 0, agent.log()  # type: ignore[union-attr]
    assert agent.query("SELECT count(*) AS n FROM logs") == [{"n": 1_002}]
    [row] = agent.query(
        "SELECT message, level, service_name, tags['team'] AS team FROM events WHERE level = 'error'"
    )
    assert row == {
        "message": "login of [email] with password=[password]",
        "level": "error",
        "service_name": "shop",
        "team": "payments",
    }
    assert agent.query("SELECT tags['user.id'] AS id FROM events WHERE message = 'order 7'") == [{"id": "7"}]
    accounting = agent.diagnose()["accounting"]
    assert accounting["balanced"]
    assert (accounting["read"], accounting["accepted"]) == (1_003, 1_002)
    assert accounting["dropped_before_queue"] == {"scrub/health": 1}
    assert accounting["by_sink"]["local"]["delivered"] == 1_002
    for path in (config.parent / "state").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"hunter2" not in content, path
            assert b"jane@example.com" not in content, path
    assert b"hunter2" not in agent.log().encode()


def test_a_second_once_reads_only_what_is_new(config: Path) -> None:
    log = config.parent / "logs" / "app.log"
    log.write_text("one\ntwo\n")
    assert yaat("run", "--once", "-c", str(config)).returncode == 0
    with log.open("a") as file:
        file.write("three\n")
    assert yaat("run", "--once", "-c", str(config)).returncode == 0
    check_once_each(AgentProcess(config), ["one", "two", "three"])


def test_live_tail_status_query_and_stop(config: Path) -> None:
    log = config.parent / "logs" / "app.log"
    log.write_text("")
    with AgentProcess(config) as agent:
        agent.start()
        wait_until(lambda: yaat("status", "-c", str(config)).returncode == 0, what=agent.log())
        with log.open("a") as file:
            for number in range(200):
                file.write(f"line {number}\n")
        agent.wait_for(200)
        status = yaat_json("status", "-c", str(config))
        assert status["state"] == "running"
        assert {part["id"] for part in status["components"]} == {"sources.app", "sinks.local"}
        second = yaat("run", "-c", str(config))
        assert second.returncode == 1
        assert "YAAT-E501" in second.stderr
        assert agent.running()
        assert agent.terminate() == 0
        check_once_each(agent, [f"line {number}" for number in range(200)])
        check_accounting(agent, 200)
    assert yaat("status", "-c", str(config)).returncode == 3


def test_a_sink_added_and_removed(config: Path) -> None:
    log = config.parent / "logs" / "app.log"
    log.write_text("one\n")
    assert yaat("run", "--once", "-c", str(config)).returncode == 0
    both = CONFIG.replace(
        "local: {type: duckdb}", "local: {type: duckdb}\n  out: {type: stdout, format: json}"
    )
    config.write_text(both)
    with log.open("a") as file:
        file.write("two\n")
    done = yaat("run", "--once", "-c", str(config))
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["message"] for line in done.stdout.splitlines()] == ["two"]
    config.write_text(CONFIG)
    with log.open("a") as file:
        file.write("three\n")
    assert yaat("run", "--once", "-c", str(config)).returncode == 0
    accounting = yaat_json("diagnose", "-c", str(config))["accounting"]
    assert accounting["balanced"]
    assert accounting["by_sink"]["out"]["queued"] == 1
    assert accounting["by_sink"]["out"]["detached_at"]
    config.write_text(both)
    done = yaat("run", "--once", "-c", str(config))
    assert [json.loads(line)["message"] for line in done.stdout.splitlines()] == ["three"]
    check_once_each(AgentProcess(config), ["one", "two", "three"])


def test_a_batch_filtered_to_nothing_moves_the_checkpoint(config: Path) -> None:
    log = config.parent / "logs" / "app.log"
    log.write_text("GET /healthz\n" * 50)
    for _ in range(2):
        assert yaat("run", "--once", "-c", str(config)).returncode == 0
    accounting = yaat_json("diagnose", "-c", str(config))["accounting"]
    assert accounting["read"] == 50
    assert accounting["dropped_before_queue"] == {"scrub/health": 50}
    assert accounting["balanced"]
