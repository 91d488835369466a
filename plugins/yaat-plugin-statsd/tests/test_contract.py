"""The contract of sources, over a real UDP socket."""

from __future__ import annotations

import socket

import trio

from yaat_core.config.options import Duration
from yaat_core.event import Event
from yaat_core.testing import check_source, make_context
from yaat_plugin_statsd.config import StatsdConfig
from yaat_plugin_statsd.source import StatsdSource

NAMES = [f"gauge.number{number}" for number in range(200)]


def name_of(event: Event) -> str:
    return event.metric_name or ""


async def test_source_contract(tmp_path):
    context = make_context(tmp_path, "sources.metrics")
    config = StatsdConfig(listen=("udp://127.0.0.1:0",), window=Duration(0.2))
    made: list[StatsdSource] = []

    def make() -> StatsdSource:
        made.append(StatsdSource(config, context))
        return made[-1]

    async def feed() -> None:
        while not made[-1].listening:
            await trio.sleep(0.01)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for name in NAMES:
                sender.sendto(f"{name}:1|g".encode(), ("127.0.0.1", made[-1].listening[0].port))

    await check_source(make, feed, NAMES, rereadable=False, item=name_of, seconds=60)
