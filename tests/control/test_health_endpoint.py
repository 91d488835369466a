from __future__ import annotations

import json
import socket
from functools import partial
from typing import Any

import attrs
import pytest
import trio

from yaat_core.control import health, probes
from yaat_core.health import HealthBoard
from yaat_core.status import Problem


async def get(address: str, path: str) -> tuple[int, Any]:
    host, port = health.parse(address)
    stream = await trio.open_tcp_stream(host, port)
    await stream.send_all(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    answer = b"".join([piece async for piece in stream])
    await stream.aclose()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body) if body.startswith(b"{") else body


async def test_health_and_readiness(agent: Any, nursery: trio.Nursery) -> None:
    address = await nursery.start(partial(health.serve, agent, "127.0.0.1:0", HealthBoard()))
    assert await get(address, "/healthz") == (200, {"ok": True, "problems": []})
    assert await get(address, "/readyz") == (200, {"ready": True, "state": "running"})
    agent.problems = (Problem(component="sinks.cloud", since="2026-01-01", what="refused", advice="key"),)
    code, document = await get(address, "/healthz")
    assert code == 503
    assert document["problems"][0] == {
        "component": "sinks.cloud",
        "since": "2026-01-01",
        "what": "refused",
        "advice": "key",
        "level": "error",
    }
    assert (await get(address, "/readyz"))[0] == 200
    assert (await get(address, "/v1/status"))[0] == 404


async def test_an_agent_that_starts_is_not_ready(agent: Any, nursery: trio.Nursery) -> None:
    now = await agent.status()

    async def starting() -> Any:
        return attrs.evolve(now, state="waiting_for_sinks")

    agent.status = starting
    address = await nursery.start(partial(health.serve, agent, "127.0.0.1:0", HealthBoard()))
    assert await get(address, "/readyz") == (503, {"ready": False, "state": "waiting_for_sinks"})


@pytest.mark.parametrize("state", ["starting", "storage_full", "draining", "stopped"])
async def test_an_agent_that_takes_no_events_is_not_ready(
    agent: Any, nursery: trio.Nursery, state: str
) -> None:
    now = await agent.status()

    async def other() -> Any:
        return attrs.evolve(now, state=state)

    agent.status = other
    address = await nursery.start(partial(health.serve, agent, "127.0.0.1:0", HealthBoard()))
    assert await get(address, "/readyz") == (503, {"ready": False, "state": state})
    assert (await get(address, "/healthz"))[0] == 200


async def test_an_agent_that_says_nothing_is_unhealthy(
    agent: Any, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "PATIENCE", 0.1)
    agent.status = trio.sleep_forever
    address = await nursery.start(partial(health.serve, agent, "127.0.0.1:0", HealthBoard()))
    code, document = await get(address, "/healthz")
    assert code == 503
    (problem,) = document["problems"]
    assert problem["component"] == "agent"
    assert "has not said" in problem["what"]
    assert (await get(address, "/readyz"))[0] == 503


async def test_an_agent_that_can_not_tell_is_unhealthy(agent: Any, nursery: trio.Nursery) -> None:
    async def broken() -> Any:
        raise RuntimeError("inside")

    agent.status = broken
    address = await nursery.start(partial(health.serve, agent, "127.0.0.1:0", HealthBoard()))
    code, document = await get(address, "/healthz")
    assert code == 503
    assert document["code"] == "YAAT-E000"
    assert "inside" not in str(document)


async def test_a_taken_port_is_a_warning_and_the_agent_goes_on(agent: Any) -> None:
    board = HealthBoard()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        await health.serve(agent, listen, board)
    (problem,) = board.now().problems
    assert listen in problem.what
    assert "in use" in problem.what
    assert problem.level == "warn"
    assert board.now().ok


@pytest.mark.parametrize("listen", ["nonsense", "127.0.0.1:99999", ":1", "127.0.0.1:", "256.1.1.1:80"])
async def test_a_wrong_address_is_a_warning(agent: Any, listen: str) -> None:
    board = HealthBoard()
    await health.serve(agent, listen, board)
    assert len(board.now().problems) == 1


async def test_off_listens_nowhere(agent: Any) -> None:
    board = HealthBoard()
    await health.serve(agent, "off", board)
    assert board.now().problems == ()


@pytest.mark.parametrize(("text", "parsed"), [("[::1]:9", ("::1", 9)), ("0.0.0.0:80", ("0.0.0.0", 80))])
def test_addresses(text: str, parsed: tuple[str, int]) -> None:
    assert health.parse(text) == parsed
