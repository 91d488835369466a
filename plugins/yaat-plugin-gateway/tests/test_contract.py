"""The contract of sources, over a real socket."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack

import trio
from support.ingesting import KEY, CountingLimits, event, make_source

from yaat_core.stats import Stats
from yaat_core.testing import check_source
from yaat_plugin_gateway.source import GatewaySource

MESSAGES = [f"message {number}" for number in range(200)]


def request(messages: list[str]) -> bytes:
    body = json.dumps({"events": [event(message) for message in messages]})
    head = (
        f"POST /v1/ingest HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\ncontent-length: {len(body)}"
    )
    return f"{head}\r\n\r\n{body}".encode()


async def test_source_contract(tmp_path):
    made: list[GatewaySource] = []

    def make() -> GatewaySource:
        made.append(make_source(tmp_path, CountingLimits(), Stats()))
        return made[-1]

    with ExitStack() as sockets:

        async def feed() -> None:
            """Every request on a connection of its own, and nobody waits for the answer."""
            while made[-1].listening is None:
                await trio.sleep(0.01)
            for start in range(0, len(MESSAGES), 20):
                one = socket.create_connection(("127.0.0.1", made[-1].listening.port))
                sockets.enter_context(one)
                one.sendall(request(MESSAGES[start : start + 20]))

        await check_source(make, feed, MESSAGES, rereadable=False, seconds=60)
