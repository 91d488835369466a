"""The agent itself, whole and up to its queue."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from contenders.base import BENCH, Contender, check_database
from measure import Run, run

_CONFIG = """\
version: 1
service_name: app
state_dir: state
health: {{listen: "off"}}
sources:
  app: {{type: file, paths: ["{source}"], start_at: beginning, format: json}}
processors:
  - {{type: scrub, detectors: [secrets, email]}}
queue: {{type: leveldb}}
sinks:
  local: {sink}
"""


class Agent(Contender):
    """`yaat run --once` as a user runs it: parse, redact, synced queue, database, exit."""

    name = "yaat"
    what = "file, json, scrub (secrets, email), synced LevelDB queue, DuckDB, checkpoint"

    def run(self, source: Path, folder: Path) -> Run:
        return _run(source, folder, "{type: duckdb, path: events.duckdb}")

    def check(self, folder: Path, lines: int) -> None:
        state = folder / "state"
        check_database([state / "events.duckdb", *sorted(state.glob("events.duckdb.d/*.duckdb"))], lines)
        logs = [wal for wal in state.rglob("*.duckdb.wal") if wal.stat().st_size]
        assert not logs, "the agent left a WAL: its checkpoint was not counted"


class AgentQueue(Contender):
    """The same without a database: what the queue gives out is counted and thrown away."""

    name = "yaat-queue"
    what = "the same up to the queue: file, json, scrub, synced LevelDB queue, a sink that throws away"

    def run(self, source: Path, folder: Path) -> Run:
        sink = f'{{type: "null", report: "{folder / "report.json"}"}}'
        return _run(source, folder, sink, {"YAAT_PLUGINS_DIR": str(BENCH / "plugins")})

    def check(self, folder: Path, lines: int) -> None:
        told = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        assert told == {"rows": lines, "secrets": 0, "first": 1, "last": lines, "counted": 0.0}, (
            f"came out of the queue: {told}"
        )


def forwarded(source: Path, folder: Path, url: str) -> Run:
    """The same to a backend at ``url``."""
    return _run(
        source,
        folder,
        f"{{type: cloud, endpoint: '{url}', api_key: '${{env:BENCH_KEY}}'}}",
        {"BENCH_KEY": "bench"},
    )


def _run(source: Path, folder: Path, sink: str, environ: Mapping[str, str] | None = None) -> Run:
    config = folder / "yaat.yaml"
    config.write_text(_CONFIG.format(source=source, sink=sink), encoding="utf-8")
    yaat = Path(sys.executable).with_name("yaat")
    return run([str(yaat), "run", "--once", "-c", str(config)], folder / "log", environ=environ)
