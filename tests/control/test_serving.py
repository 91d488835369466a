"""The server under clients that behave badly, inside one trio run."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from yaat_core.control import server
from yaat_core.control.listen import Limits

ASK = b"POST /v1/query HTTP/1.1\r\nhost: yaat\r\ncontent-length: %d\r\n\r\n%s"


def request(sql: str, limit: int = 10_000_000) -> bytes:
    body = json.dumps({"sql": sql, "limit": limit}).encode()
    return ASK % (len(body), body)


async def until(condition: Any) -> None:
    with trio.fail_after(10):
        while not condition():
            await trio.sleep(0.01)


@pytest.fixture
def folder(state_dir: Path) -> Path:
    state_dir.mkdir(mode=0o700)
    return state_dir


async def test_a_client_that_goes_away_stops_its_query(
    agent: Any, folder: Path, nursery: trio.Nursery
) -> None:
    await nursery.start(partial(server.serve, agent, folder))
    stream = await trio.open_unix_socket(str(folder / "read.sock"))
    await stream.send_all(request("numbers 9000000"))
    await stream.receive_some(1000)
    await stream.aclose()
    await until(lambda: agent.answers and agent.answers[0].closed.is_set())
    assert agent.answers[0].given < 9_000_000


async def test_a_query_within_a_batch_is_interrupted_when_its_client_goes(
    agent: Any, folder: Path, nursery: trio.Nursery
) -> None:
    await nursery.start(partial(server.serve, agent, folder))
    stream = await trio.open_unix_socket(str(folder / "read.sock"))
    await stream.send_all(request("hang 0"))
    await until(lambda: agent.answers and agent.answers[0].entered.is_set())
    await stream.aclose()
    await until(agent.answers[0].closed.is_set)
    assert agent.answers[0].interrupted.is_set()


async def test_a_query_that_hangs_does_not_keep_the_agent_from_stopping(agent: Any, folder: Path) -> None:
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            await nursery.start(partial(server.serve, agent, folder))
            stream = await trio.open_unix_socket(str(folder / "read.sock"))
            await stream.send_all(request("hang 0"))
            await until(lambda: agent.answers and agent.answers[0].entered.is_set())
            nursery.cancel_scope.cancel()
    assert agent.answers[0].closed.is_set()
    await stream.aclose()


async def test_more_queries_than_slots_are_refused_and_threads_are_left_to_others(
    agent: Any, folder: Path, nursery: trio.Nursery
) -> None:
    await nursery.start(partial(server.serve, agent, folder))
    streams = []
    for number in range(server.MAX_QUERIES):
        streams.append(await trio.open_unix_socket(str(folder / "read.sock")))
        await streams[-1].send_all(request("hang 0"))
        await until(
            lambda number=number: len(agent.answers) > number and agent.answers[number].entered.is_set()
        )
    assert trio.to_thread.current_default_thread_limiter().borrowed_tokens == 0
    one_more = await trio.open_unix_socket(str(folder / "control.sock"))
    await one_more.send_all(request("numbers 1"))
    answer = b""
    with trio.fail_after(5):
        while b"YAAT-E706" not in answer:
            answer += await one_more.receive_some(10_000)
    assert answer.startswith(b"HTTP/1.1 503")
    for stream in (*streams, one_more):
        await stream.aclose()
    await until(lambda: all(one.closed.is_set() for one in agent.answers))
    again = await trio.open_unix_socket(str(folder / "control.sock"))
    await again.send_all(request("numbers 1"))
    assert (await again.receive_some(10_000)).startswith(b"HTTP/1.1 200")
    await again.aclose()


async def test_a_client_that_does_not_read_holds_the_query_back(
    agent: Any, folder: Path, nursery: trio.Nursery
) -> None:
    await nursery.start(partial(server.serve, agent, folder))
    stream = await trio.open_unix_socket(str(folder / "read.sock"))
    await stream.send_all(request("numbers 9000000"))
    await stream.receive_some(1000)
    given = -1
    with trio.fail_after(10):
        while given != agent.answers[0].given:
            given = agent.answers[0].given
            await trio.sleep(0.3)
    assert given < 100_000
    assert not agent.answers[0].closed.is_set()
    await stream.aclose()


async def test_a_client_that_never_reads_is_cut_off(agent: Any, folder: Path, nursery: trio.Nursery) -> None:
    await nursery.start(partial(server.serve, agent, folder, limits=Limits(write_timeout=0.3)))
    stream = await trio.open_unix_socket(str(folder / "read.sock"))
    await stream.send_all(request("numbers 9000000"))
    await until(lambda: agent.answers and agent.answers[0].closed.is_set())
    await stream.aclose()


async def test_a_stalled_client_does_not_keep_the_agent_from_stopping(agent: Any, folder: Path) -> None:
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            await nursery.start(partial(server.serve, agent, folder))
            stalled = await trio.open_unix_socket(str(folder / "read.sock"))
            await stalled.send_all(request("numbers 9000000"))
            await until(lambda: agent.answers)
            idle = await trio.open_unix_socket(str(folder / "control.sock"))
            watching = await trio.open_unix_socket(str(folder / "control.sock"))
            await watching.send_all(b"GET /v1/watch HTTP/1.1\r\nhost: yaat\r\n\r\n")
            await watching.receive_some(1000)
            await trio.sleep(0.2)
            nursery.cancel_scope.cancel()
    assert agent.answers[0].closed.is_set()
    assert os.listdir(folder) == []
    for stream in (stalled, idle, watching):
        await stream.aclose()


async def test_one_connection_too_many_is_closed_and_the_others_live(
    agent: Any, folder: Path, nursery: trio.Nursery
) -> None:
    await nursery.start(partial(server.serve, agent, folder, limits=Limits(connections=2)))
    path = str(folder / "control.sock")
    kept = [await trio.open_unix_socket(path) for _ in range(2)]
    await trio.sleep(0.05)
    third = await trio.open_unix_socket(path)
    with trio.fail_after(5):
        assert await third.receive_some(10) == b""
    await kept[0].send_all(b"GET /v1/status HTTP/1.1\r\nhost: yaat\r\n\r\n")
    assert (await kept[0].receive_some(1000)).startswith(b"HTTP/1.1 200")
    for stream in (*kept, third):
        await stream.aclose()


@pytest.mark.parametrize(
    "garbage",
    [b"\x00\x01\x02\xff\r\n\r\n", b"GET " + b"x" * 100_000, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b""],
)
async def test_what_is_no_http_harms_nobody(
    agent: Any, folder: Path, nursery: trio.Nursery, garbage: bytes
) -> None:
    await nursery.start(partial(server.serve, agent, folder))
    path = str(folder / "control.sock")
    bad = await trio.open_unix_socket(path)
    await bad.send_all(garbage)
    await bad.aclose()
    good = await trio.open_unix_socket(path)
    await good.send_all(b"GET /v1/status HTTP/1.1\r\nhost: yaat\r\n\r\n")
    with trio.fail_after(5):
        assert (await good.receive_some(1000)).startswith(b"HTTP/1.1 200")
    await good.aclose()


async def test_a_restart_replaces_the_sockets(agent: Any, folder: Path) -> None:
    for _ in range(2):
        async with trio.open_nursery() as nursery:
            await nursery.start(partial(server.serve, agent, folder))
            stream = await trio.open_unix_socket(str(folder / "control.sock"))
            await stream.aclose()
            nursery.cancel_scope.cancel()
