"""Signals: stopped for a while, told to end twice, told to end while a sink hangs, a second agent on the same state."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from support.agents import wait_until, yaat
from support.scenario import DUCKDB, NEVER, Scenario

pytestmark = pytest.mark.faults

#: Takes a thread and never comes back.
HUNG = '''
"""A sink that hangs."""
import time
import trio
from yaat_core import Register, Sink, configuration, hookimpl


@configuration
class HungConfig:
    """Hangs."""


class Hung(Sink):
    def __init__(self, config, context):
        pass

    async def deliver(self, batch, position):
        await trio.to_thread.run_sync(time.sleep, 3600)


@hookimpl
def register_components(register: Register) -> None:
    register.sink("hung", HungConfig, Hung)
'''


def test_stopped_for_a_while(tmp_path: Path) -> None:
    """SIGSTOP: meanwhile lines are written and the file is rotated."""
    run = Scenario(tmp_path)
    run.write(300)
    with run.agent().start() as agent:
        agent.wait_for(300)
        assert agent.process is not None
        agent.process.send_signal(signal.SIGSTOP)
        run.write(200)
        os.rename(run.log, run.log.with_name("app.1.log"))
        run.write(200)
        time.sleep(2)
        agent.process.send_signal(signal.SIGCONT)
        run.write(100)
        agent.wait_for(800)
        run.wait_until_well(agent)
        assert agent.terminate() == 0
    run.check()


def test_told_to_end_twice(tmp_path: Path) -> None:
    """The second SIGTERM ends it at once, whatever waits; what waited is there after the next start."""
    run = Scenario(tmp_path, "type: never")
    run.plugin("never", NEVER)
    run.write(500)
    with run.agent().start() as agent:
        wait_until(lambda: run.accepted() >= 500, what=agent.log())
        assert agent.process is not None
        for _ in range(2):
            agent.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
        agent.process.wait(60)
    assert "Traceback" not in agent.log()
    run.use(f"{DUCKDB}, from: oldest")
    run.settle()


def test_told_to_end_while_a_sink_hangs(tmp_path: Path) -> None:
    """It waits for `shutdown_grace` and a little, leaves the sink behind, and the queue keeps what waited."""
    run = Scenario(tmp_path)
    run.plugin("hung", HUNG)
    run.use("type: hung", more="shutdown_grace: 1s\n")
    run.write(500)
    with run.agent().start() as agent:
        wait_until(lambda: run.accepted() >= 500, what=agent.log())
        assert agent.terminate(seconds=120) == 1
    assert "leaving it behind" in agent.log()
    run.use(f"{DUCKDB}, from: oldest")
    run.settle()


def test_a_second_agent(tmp_path: Path) -> None:
    """Refused by name, also through another path to the same folder; the first one goes on; after its death the
    place is free."""
    run = Scenario(tmp_path)
    other = run.twin(tmp_path / "other")
    other.state.symlink_to(run.state)
    run.write(100)
    with run.agent().start() as agent:
        agent.wait_for(100)
        for config in (run.config, other.config):
            for arguments in ((), ("--once",)):
                second = yaat("run", *arguments, "-c", str(config))
                assert second.returncode == 1
                assert "YAAT-E501" in second.stderr
                assert str(agent.process.pid) in second.stderr  # type: ignore[union-attr]
        run.write(100)
        agent.wait_for(200)
        agent.kill()
    other.settle()
    run.check()
