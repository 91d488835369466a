"""An agent that sends to a gateway, both killed at random, and an oracle that wrote the lines."""

from __future__ import annotations

import random
import socket
import threading
import time
from pathlib import Path

from support.agents import AgentProcess, wait_until, yaat_json

GATEWAY = """
version: 1
state_dir: state
health: {{listen: "off"}}
sources:
  ingest: {{type: gateway, listen: "tcp://{place}"}}
sinks:
  local: {{type: duckdb}}
"""
AGENT = """
version: 1
service_name: app
state_dir: state
health: {{listen: "off"}}
sources:
  app: {{type: file, paths: ["app.log"], start_at: beginning, format: raw}}
sinks:
  cloud:
    type: cloud
    endpoint: "http://{place}"
    api_key: "${{file:key}}"
    max_batch_rows: 50
    retry: {{initial: 50ms, max_delay: 500ms}}
    circuit_breaker: {{failure_threshold: none}}
    queue: {{when_full: block}}
"""
#: Seconds that anything may take on a busy machine.
PATIENCE = 180


class BothEnds:
    """Two processes in two folders. ``lines`` are those that were written to the agent's file, in order."""

    def __init__(self, folder: Path) -> None:
        self.gateway = AgentProcess(_configured(folder / "gateway", GATEWAY, place := free_place()))
        self.agent = AgentProcess(_configured(folder / "agent", AGENT, place))
        made = yaat_json(
            "gateway", "keys", "create", "agent", "--right", "ingest", "-c", str(self.gateway.config)
        )
        (folder / "agent" / "key").write_text(made["key"])
        self.lines: list[str] = []
        self._stop = threading.Event()
        self._writer = threading.Thread(target=self._write, args=(folder / "agent" / "app.log",), daemon=True)

    def __enter__(self) -> BothEnds:
        self.gateway.start()
        self.agent.start()
        self._writer.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._writer.join(PATIENCE)
        self.agent.__exit__(*error)
        self.gateway.__exit__(*error)

    def kill_one(self) -> None:
        """Kill the agent, the gateway or both, and start them again."""
        killed = random.choice([[self.agent], [self.gateway], [self.agent, self.gateway]])
        for one in killed:
            one.kill()
        for one in killed:
            one.start()

    def finish(self) -> None:
        """No more lines; returns when the gateway has as many as were written."""
        self._stop.set()
        self._writer.join(PATIENCE)
        self.gateway.wait_for(len(self.lines), seconds=PATIENCE)

    def progress(self, more: int) -> None:
        """Wait until the gateway has more events than now."""
        before = max(self.gateway.try_count(), 0)
        wait_until(
            lambda: self.gateway.try_count() >= before + more,
            seconds=PATIENCE,
            what=f"events arrive\n{self.agent.log()[-1500:]}\n{self.gateway.log()[-1500:]}",
        )

    def _write(self, path: Path) -> None:
        with path.open("a", encoding="utf-8") as file:
            while not self._stop.is_set():
                for _ in range(random.randint(1, 40)):
                    line = f"line {len(self.lines)}"
                    file.write(line + "\n")
                    self.lines.append(line)
                file.flush()
                time.sleep(random.uniform(0, 0.1))


def _configured(folder: Path, text: str, place: str) -> Path:
    folder.mkdir(parents=True)
    config = folder / "yaat.yaml"
    config.write_text(text.format(place=place))
    return config


def free_place() -> str:
    """A HOST:PORT on a loopback address of its own, so that nobody else gets it while its server is down."""
    host = f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(1, 254)}"
    with socket.socket() as probe:
        probe.bind((host, 0))
        return f"{host}:{probe.getsockname()[1]}"
