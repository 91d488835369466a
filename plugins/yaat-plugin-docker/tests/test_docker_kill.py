"""The agent is killed again and again while containers write: each line is in the database once."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from support.agents import AgentProcess, check_accounting, check_once_each
from support.dockerd import RealEngine, fresh_name
from support.engine import docker_api, image, need_engine, stop

_CONFIG = """\
version: 1
state_dir: state
health: {{listen: "off"}}
sources:
  containers:
    type: docker
    host: {host}
    containers: {{include: ["{names}*"]}}
    poll: 200ms
sinks:
  local: {{type: duckdb, path: events.duckdb}}
"""


def _agent(folder: Path, engine: RealEngine, names: str) -> AgentProcess:
    config = folder / "yaat.yaml"
    config.write_text(_CONFIG.format(host=engine.host, names=names))
    return AgentProcess(config)


def _kill_while_it_reads(agent: AgentProcess, kills: int) -> None:
    for _ in range(kills):
        agent.start()
        time.sleep(random.uniform(0.5, 4))
        agent.kill()
    agent.start()


def _written(lines: int) -> list[str]:
    return [f"{stream} {number}" for number in range(1, lines + 1) for stream in ("out", "err")]


def _script(lines: int) -> str:
    """Both streams, so fast that many lines share a time, with pauses so that it lasts."""
    return (
        f"i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo out $i; echo err $i >&2; "
        f"[ $((i % 5000)) -ne 0 ] || sleep 1; done; sleep 1000"
    )


@pytest.mark.faults
def test_killed_again_and_again_while_a_container_writes(engine: RealEngine, tmp_path: Path) -> None:
    """100,000 lines."""
    names = fresh_name("kill")
    engine.run(names, _script(50_000))
    with _agent(tmp_path, engine, names) as agent:
        _kill_while_it_reads(agent, 4)
        agent.wait_for(100_000, seconds=180)
        check_once_each(agent, _written(50_000))
        check_accounting(agent, 100_000)


@pytest.mark.faults
def test_the_engine_is_killed_as_well(tmp_path: Path) -> None:
    need_engine()
    names = fresh_name("engine")
    engine = RealEngine(tmp_path / "podman.sock", image(), docker=False)
    try:
        with _agent(tmp_path, engine, names) as agent:
            agent.start()
            engine.run(names, _script(15_000))
            for _ in range(3):
                with docker_api(engine.socket) as process:
                    time.sleep(random.uniform(0.5, 3))
                    stop(process)
            agent.kill()
            agent.start()
            with docker_api(engine.socket):
                agent.wait_for(30_000, seconds=120)
            check_once_each(agent, _written(15_000))
    finally:
        engine.close()
