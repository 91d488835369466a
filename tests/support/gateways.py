"""A gateway as users run it: an agent process with a `gateway` source and a database, keys made by the command."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
from support.agents import AgentProcess, wait_until, yaat_json

CONFIG = """
version: 1
state_dir: {state}
health: {{listen: null}}
sources:
  gateway: {{type: gateway, listen: "tcp://127.0.0.1:0"{options}}}
sinks:
  local: {{type: duckdb, path: events.duckdb{sink}}}
"""
_LISTENING = re.compile(r"listening on tcp://127\.0\.0\.1:(\d+)")
#: Seconds that anything may take on a busy machine.
PATIENCE = 60


@attrs.define(eq=False)
class GatewayProcess:
    """One that runs."""

    agent: AgentProcess
    url: str

    def key(self, name: str, *options: str) -> str:
        """A new key: ``key("reader", "--right", "read", "--service", "shop")``."""
        made = yaat_json("gateway", "keys", "create", name, *options, "-c", str(self.agent.config))
        key = made["key"]
        assert isinstance(key, str), made
        return key

    def client(self, key: str | None = None, **headers: str) -> httpx.Client:
        """Asks with this key."""
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE)

    def ingest(self, key: str, events: Sequence[Mapping[str, Any]]) -> None:
        """Send events, and wait until they can be asked for."""
        before = self.agent.try_count()
        with self.client(key) as client:
            answer = client.post("/v1/ingest", json={"events": list(events)})
        assert answer.is_success, answer.text
        self.agent.wait_for(max(before, 0) + len(events))


@contextmanager
def gateway_process(folder: Path, *, options: str = "", sink: str = "") -> Iterator[GatewayProcess]:
    """Runs while the block lasts. ``options`` and ``sink`` are more YAML for the source and the sink, with a leading comma."""
    config = folder / "yaat.yaml"
    config.write_text(CONFIG.format(state=folder / "state", options=options, sink=sink))
    with AgentProcess(config).start() as agent:
        found: list[str] = []

        def listens() -> bool:
            found[:] = _LISTENING.findall(agent.log())
            return bool(found) or not agent.running()

        wait_until(listens, seconds=PATIENCE, what="the gateway listens")
        assert found, agent.log()
        yield GatewayProcess(agent, f"http://127.0.0.1:{found[0]}")
