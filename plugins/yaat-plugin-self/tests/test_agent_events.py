"""The agent's own events, from a real agent into its database; also when a sink fails over exactly these events."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

from support.agents import AgentProcess, wait_until

from yaat_core.actions.agent import STATUS, Query
from yaat_core.actions.base import Nothing
from yaat_core.control.client import Client
from yaat_core.errors import YaatError
from yaat_plugin_self.quiet import FREE

CONFIG = """
state_dir: state
health: {listen: "off"}
sources:
  self: {type: agent}
sinks:
  local: {type: duckdb}
"""

#: Fails over every event of the agent, and opens well again.
TOUCHY = '''
"""A sink that can't bear the agent's own events."""
from yaat_core import Done, Register, Sink, configuration, hookimpl


@configuration
class TouchyConfig:
    """Raises."""


class Touchy(Sink):
    stable_batches = False

    def __init__(self, config, context):
        pass

    async def deliver(self, batch, position):
        if "yaat-agent" in batch.column("service_name").to_pylist():
            raise ValueError("not these")
        return Done()


@hookimpl
def register_components(register: Register) -> None:
    register.sink("touchy", TouchyConfig, Touchy)
'''


def ask(folder: Path, sql: str) -> list[dict[str, Any]]:
    try:
        with Client(folder / "state") as agent, agent.query(Query(sql=sql)) as answer:
            return [row for batch in answer for row in batch.to_pylist()]
    except YaatError:
        return []


def own(folder: Path) -> list[dict[str, Any]]:
    return ask(
        folder,
        "SELECT message, level, tags['kind'] AS kind FROM logs WHERE service_name = 'yaat-agent' ORDER BY timestamp",
    )


def test_starts_reloads_and_stops_are_events(tmp_path: Path) -> None:
    config = tmp_path / "yaat.yaml"
    config.write_text(CONFIG)
    with AgentProcess(config).start() as agent:
        wait_until(lambda: any(row["kind"] == "start" for row in own(tmp_path)), what=agent.log())
        config.write_text(CONFIG + "service_name: shop\n")
        assert agent.process is not None
        agent.process.send_signal(signal.SIGHUP)
        wait_until(lambda: any(row["kind"] == "reload" for row in own(tmp_path)), what=agent.log())
        assert agent.terminate() == 0
    with AgentProcess(config).start() as agent:
        wait_until(lambda: sum(row["kind"] == "start" for row in own(tmp_path)) == 2, what=agent.log())
        kinds = [row["kind"] for row in own(tmp_path)]
        assert [kind for kind in kinds if kind in ("start", "reload", "stop")] == [
            "start",
            "reload",
            "stop",
            "start",
        ]
        assert agent.terminate() == 0


def test_a_sink_that_fails_over_own_events_does_not_make_more_and_more_of_them(tmp_path: Path) -> None:
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "touchy.py").write_text(TOUCHY)
    config = tmp_path / "yaat.yaml"
    config.write_text(CONFIG + "  touchy: {type: touchy}\n")
    with AgentProcess(config, {"YAAT_PLUGINS_DIR": str(tmp_path / "plugins")}).start() as agent:

        def restarts() -> int:
            with Client(tmp_path / "state") as client:
                status = client.call(STATUS, Nothing())
            return next(one.restarts for one in status.components if one.id == "sinks.touchy")

        wait_until(lambda: bool(own(tmp_path)), what=agent.log())
        wait_until(lambda: restarts() >= 4, what=agent.log())
        about = [row for row in own(tmp_path) if "sinks.touchy" in row["message"]]
        assert 0 < len(about) <= 2 * FREE, about
