"""The client for programs in trio, against the real sockets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
import trio.lowlevel
from support.small_agent import SmallAgent

from yaat_core.actions.agent import ACCEPT_LOSS, STATUS, Query
from yaat_core.actions.base import Nothing
from yaat_core.actions.live import WATCH
from yaat_core.actions.queue import QUEUE_PURGE, QueuePurge
from yaat_core.control.async_client import AsyncClient
from yaat_core.control.client import NoAnswerInTime
from yaat_core.errors import AgentNotRunning, QueryFailed, QueryRefused, StoreUnavailable, UsageError


async def test_calls_reach_both_sockets(serving: SmallAgent, state_dir: Path) -> None:
    async with AsyncClient(state_dir) as agent:
        assert (await agent.call(STATUS, Nothing())).state == "running"
        await agent.call(ACCEPT_LOSS, Nothing())
        with pytest.raises(UsageError, match="no sink `sinks.nobody`"):
            await agent.call(QUEUE_PURGE, QueuePurge(sink="nobody"))
    assert serving.loss_accepted


async def test_a_live_action_is_followed(serving: SmallAgent, state_dir: Path) -> None:
    async with AsyncClient(state_dir) as agent:
        async with agent.follow(WATCH, Nothing()) as stream:
            seen = [await anext(stream) for _ in range(2)]
        assert [one.state for one in seen] == ["running", "running"]
        serving.broken = True
        with pytest.raises(StoreUnavailable, match="the disk went away"):
            await _followed_to_its_end(agent)


async def test_a_query_streams_while_the_event_loop_lives(serving: SmallAgent, state_dir: Path) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with AsyncClient(state_dir) as agent, trio.open_nursery() as nursery:
        nursery.start_soon(count)
        rows: list[int] = []
        turns_between = []
        async with agent.query(Query(sql="numbers 25000")) as answer:
            assert answer.schema.names == ["n", "text"]
            async for batch in answer:
                rows += batch.column("n").to_pylist()
                turns_between.append(turns)
            assert not answer.truncated
        nursery.cancel_scope.cancel()
    assert rows == list(range(25_000))
    assert turns_between == sorted(set(turns_between)), "others had turns between any two batches"


async def test_queries_that_fail_raise_what_the_agent_says(serving: SmallAgent, state_dir: Path) -> None:
    async with AsyncClient(state_dir) as agent:
        with pytest.raises(QueryRefused):
            async with agent.query(Query(sql="drop")):
                pass
        with pytest.raises(QueryFailed, match="the disk went away"):
            await _read(agent, "broken 9000")
        async with agent.query(Query(sql="numbers 5000", limit=1500)) as answer:
            assert sum([batch.num_rows async for batch in answer]) == 1500
            assert answer.truncated


async def _read(agent: AsyncClient, sql: str) -> None:
    async with agent.query(Query(sql=sql)) as answer:
        async for _ in answer:
            pass


async def _followed_to_its_end(agent: AsyncClient) -> None:
    async with agent.follow(WATCH, Nothing()) as stream:
        async for _ in stream:
            pass


def _entered(answer: Any) -> bool:
    entered: bool = answer.entered.is_set()
    return entered


async def test_leaving_and_cancelling_end_the_query(serving: SmallAgent, state_dir: Path) -> None:
    async with AsyncClient(state_dir) as agent:
        async with agent.query(Query(sql="numbers 9000000", limit=9_000_000)) as answer:
            await anext(answer)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_read, agent, "hang 0")
            while len(serving.answers) < 2 or not _entered(serving.answers[1]):
                await trio.sleep(0.01)
            nursery.cancel_scope.cancel()
    for one in serving.answers:
        assert await trio.to_thread.run_sync(one.closed.wait, 60)


async def test_nobody_there_and_nobody_answering(state_dir: Path) -> None:
    async with AsyncClient(state_dir) as agent:
        with pytest.raises(AgentNotRunning):
            await agent.call(STATUS, Nothing())
        with pytest.raises(AgentNotRunning):
            async with agent.follow(WATCH, Nothing()):
                pass
    await trio.Path(state_dir).mkdir()
    with trio.socket.socket(trio.socket.AF_UNIX) as listener:
        await listener.bind(str(state_dir / "read.sock"))
        listener.listen(1)
        async with AsyncClient(state_dir, patience=0.2) as agent:
            with pytest.raises(NoAnswerInTime):
                await agent.call(STATUS, Nothing())
