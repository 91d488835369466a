"""The sink through the contract that every sink passes, against a real server for each place."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from support.forwarding import config
from support.ingest_server import IngestServer, served

from yaat_core.testing import check_sink, make_context
from yaat_plugin_cloud.sink import CloudSink


async def test_contract(tmp_path: Path) -> None:
    servers: dict[str, IngestServer] = {}
    with ExitStack() as running:

        def make(place: str) -> CloudSink:
            if place not in servers:
                servers[place] = running.enter_context(served())
                (tmp_path / place).mkdir()
            context = make_context(tmp_path / place, "sinks.check")
            return CloudSink(config(servers[place].url, ordered=True), context)

        def read_back(place: str) -> list[str]:
            return [event["event_id"] for event in servers[place].events]

        await check_sink(make, read_back)
