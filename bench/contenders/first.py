"""The first agent, in Go, built by bench/peers/build first-agent from a folder that the user has."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from ceiling import REDACTIONS
from contenders.base import PEERS, Contender, ItemCounter, check_database
from measure import Run, Server

_FLUSHED = re.compile(rb"\[Flusher\] Flushing (\d+) events")


class FirstAgent(Contender):
    """It reads only what is appended while it runs, keeps it in memory, and inserts row by row into a table with a key."""

    name = "first-agent"
    what = "tail, json, five redactions, memory, DuckDB row by row; no queue on disk, no position"
    on_request = True
    _program = PEERS / "first-agent" / "sidecar"

    def missing(self) -> str | None:
        built = (PEERS / "first-agent" / ".built").exists()
        return (
            None
            if built
            else "FIRST_AGENT=folder/of/its/sources bench/peers/build first-agent (needs go and g++)"
        )

    def run(self, source: Path, folder: Path) -> Run:
        log, lines = folder / "app.log", folder / "log"
        log.touch()
        (folder / "yaat.yaml").write_text(_config(log, folder), encoding="utf-8")
        expected = ItemCounter(source).count()
        environ = {"HOME": str(folder), "YAAT_QUEUE_DIR": str(folder / "queue")}
        server = Server([str(self._program), "--config", str(folder / "yaat.yaml")], lines, environ)
        server.wait_for(lambda: b"Sidecar running" in lines.read_bytes(), seconds=30, what="it did not start")
        with source.open("rb") as before, log.open("ab") as after:
            shutil.copyfileobj(before, after)
        server.wait_for(
            lambda: sum(map(int, _FLUSHED.findall(lines.read_bytes()))) >= expected,
            seconds=600,
            what="it did not take every line",
        )
        return server.stop()

    def check(self, folder: Path, lines: int) -> None:
        check_database([folder / "out.duckdb"], lines)


def _config(log: Path, folder: Path) -> str:
    """As JSON, which is YAML. It flushes every second, so that what it waits for counts little."""
    rules = [
        {
            "name": str(number),
            "pattern": pattern,
            "replacement": re.sub(r"\\(\d)", r"${\1}", text),
            "fields": ["message"],
        }
        for number, (pattern, text) in enumerate(REDACTIONS)
    ]
    return json.dumps(
        {
            "service_name": "app",
            "logs": [{"path": str(log), "format": "json"}],
            "flush_interval": "1s",
            "scrubbing": {"enabled": True, "rules": rules},
            "analytics": {"enabled": True, "database_path": str(folder / "out.duckdb")},
        }
    )
