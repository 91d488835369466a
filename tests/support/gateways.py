"""A gateway as users run it: an agent process with a `gateway` source and a database, keys made in its state."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx

from support.agents import AgentProcess, wait_until
from yaat_plugin_gateway.access.caller import Right
from yaat_plugin_gateway.state.location import located
from yaat_plugin_gateway.state.records import Wanted
from yaat_plugin_gateway.state.store import FIRST, State, open_state

CONFIG = """
version: 1
state_dir: {state}
health: {{listen: "127.0.0.1:0"}}
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
    state: State
    """The one that the gateway has open as well."""

    def key(
        self,
        *rights: Right,
        services: Iterable[str] = (),
        environments: Iterable[str] = (),
        organization: str = FIRST,
    ) -> str:
        """A new key."""
        wanted = Wanted(
            name="made",
            rights=frozenset(rights),
            services=frozenset(services),
            environments=frozenset(environments),
        )
        self.state.organizations.ensure(organization, _now_us())
        _, fresh = self.state.keys.create(organization, wanted, _now_us())
        return fresh.token

    def client(self, key: str | None = None, **headers: str) -> httpx.Client:
        """Asks with this key."""
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE)

    def ingest(self, events: Sequence[Mapping[str, Any]], *, organization: str = FIRST) -> None:
        """Send events, and wait until they can be asked for."""
        with self.client(self.key("ingest", "read", organization=organization)) as client:
            before = _count(client)
            answer = client.post("/v1/ingest", json={"events": list(events)})
            assert answer.is_success, answer.text
            wait_until(lambda: _count(client) >= before + len(events), what="events can be asked for")


def _count(client: httpx.Client) -> int:
    answer = client.get("/v1/query", params={"sql": "SELECT count(*) AS n FROM events"})
    return int(answer.json()["rows"][0]["n"]) if answer.is_success else 0


def _now_us() -> int:
    return time.time_ns() // 1_000


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
        state = open_state(located("gateway.db", folder / "state"), _now_us())
        try:
            yield GatewayProcess(agent, f"http://127.0.0.1:{found[0]}", state)
        finally:
            state.close()
