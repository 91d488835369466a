"""Live actions: server-sent events, for readers that are quick, slow, or gone."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from yaat_core.actions.base import Action, Nothing
from yaat_core.actions.live import HISTORY, WATCH
from yaat_core.control import events, live
from yaat_core.control.app import make_app
from yaat_core.control.client import AnswerCut, Client
from yaat_core.control.listen import serve_http
from yaat_core.control.openapi import document
from yaat_core.control.sockets import bind
from yaat_core.errors import AgentNotRunning, StoreUnavailable


@attrs.frozen(kw_only=True)
class Counted:
    """A number, and text that makes it large."""

    number: int
    text: str


class Maker:
    """A live action that makes numbers as fast as it may, or nothing at all."""

    def __init__(self, size: int = 10, *, silent: bool = False) -> None:
        self.made, self.closed, self.size, self.silent = 0, trio.Event(), size, silent
        self.action = Action(
            name="count",
            summary="Counts.",
            danger="read",
            arguments=Nothing,
            result=Counted,
            handler=self.handler,
            live=True,
        )

    async def handler(self, _: Any, __: Nothing) -> AsyncIterator[Counted]:
        return self.numbers()

    async def numbers(self) -> AsyncIterator[Counted]:
        try:
            if self.silent:
                await trio.sleep_forever()
            while True:
                self.made += 1
                yield Counted(number=self.made, text="x" * self.size)
                await trio.lowlevel.checkpoint()
        finally:
            self.closed.set()


@pytest.fixture
def folder(state_dir: Path) -> Path:
    state_dir.mkdir(mode=0o700)
    return state_dir


async def served(folder: Path, maker: Maker, nursery: trio.Nursery) -> httpx.AsyncClient:
    app = partial(make_app, None, [maker.action], None)
    from yaat_core.control.listen import Limits

    await nursery.start(partial(serve_http, app, bind(folder / "read.sock", 0o600), Limits()))
    transport = httpx.AsyncHTTPTransport(uds=str(folder / "read.sock"))
    return httpx.AsyncClient(transport=transport, base_url="http://yaat")


@given(
    told=st.lists(st.tuples(st.sampled_from(["status", "tap", "error"]), st.text(min_size=1)), max_size=5),
    cuts=st.lists(st.integers(0, 400), max_size=10),
)
def test_events_come_out_as_they_went_in_wherever_the_pieces_end(
    told: list[tuple[str, str]], cuts: list[int]
) -> None:
    documents = [(name, json.dumps(text).encode()) for name, text in told]
    body = events.COMMENT + b"".join(events.encode(*one) + events.COMMENT for one in documents)
    reader, found, places = (
        events.EventReader(),
        [],
        [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)],
    )
    for start, end in itertools.pairwise(places):
        found += reader.feed(body[start:end])
    assert found == documents


def test_the_standards_own_forms_are_understood() -> None:
    body = b": a comment\r\ndata:first\r\ndata: second\r\nid: 4\r\n\r\nevent: add\ndata\n\nevent: nothing\n\n"
    assert events.EventReader().feed(body) == [("message", b"first\nsecond"), ("add", b"")]


def test_watch_sends_the_status_again_and_again(serving: Any, state_dir: Path) -> None:
    transport = httpx.HTTPTransport(uds=str(state_dir / "read.sock"))
    with (
        httpx.Client(transport=transport, base_url="http://yaat") as one,
        one.stream("GET", "/v1/watch") as answer,
    ):
        assert answer.headers["content-type"] == "text/event-stream"
        lines = answer.iter_lines()
        seen = [next(lines) for _ in range(6)]
    assert seen[0::3] == ["event: status", "event: status"]
    assert json.loads(seen[1].removeprefix("data: "))["state"] == "running"


def test_a_client_follows_with_the_class_of_the_action(serving: Any, state_dir: Path) -> None:
    with Client(state_dir) as client:
        with client.follow(WATCH, Nothing()) as stream:
            first, second = next(stream), next(stream)
        assert (first.state, second.accounting.accepted) == ("running", 5)
        assert client.call(HISTORY, Nothing()).in_ == []


def test_an_error_in_the_middle_ends_the_stream_as_itself(serving: Any, state_dir: Path) -> None:
    with Client(state_dir) as client, client.follow(WATCH, Nothing()) as stream:
        next(stream)
        serving.broken = True
        with pytest.raises(StoreUnavailable, match="the disk went away") as caught:
            next(stream)
    assert caught.value.fix == "mend it"


def test_following_needs_an_agent(state_dir: Path) -> None:
    with Client(state_dir) as client, pytest.raises(AgentNotRunning):
        client.follow(WATCH, Nothing()).__enter__()


def test_one_view_too_many_is_refused_and_a_place_becomes_free(
    serving: Any, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yaat_core.control.answers import TooManyQueries

    with Client(state_dir) as client:
        open_ones = [client.follow(WATCH, Nothing()) for _ in range(live.MAX_LIVE)]
        streams = [one.__enter__() for one in open_ones]
        for stream in streams:
            next(stream)
        with pytest.raises(TooManyQueries, match="live views are open already"):
            client.follow(WATCH, Nothing()).__enter__()
        assert client.call(HISTORY, Nothing()).seconds == []
        for one in open_ones:
            one.__exit__(None, None, None)
        while True:
            try:
                with client.follow(WATCH, Nothing()) as stream:
                    next(stream)
                break
            except TooManyQueries:
                continue


async def test_who_does_not_read_holds_the_maker_back(folder: Path, nursery: trio.Nursery) -> None:
    maker = Maker(size=10_000)
    async with await served(folder, maker, nursery) as one, one.stream("GET", "/v1/count") as answer:
        pieces = answer.aiter_raw()
        await anext(pieces)
        made = -1
        with trio.fail_after(60):
            while made != maker.made:
                made = maker.made
                await trio.sleep(0.3)
        assert made < 1_000, "bounded by what the sockets hold"
    with trio.fail_after(60):
        await maker.closed.wait()


async def test_who_leaves_ends_what_was_made_for_them(folder: Path, nursery: trio.Nursery) -> None:
    maker = Maker(silent=True)
    async with await served(folder, maker, nursery) as one:
        async with one.stream("GET", "/v1/count") as answer:
            assert answer.status_code == 200, "told before the first result"
        with trio.fail_after(60):
            await maker.closed.wait()


async def test_silence_is_broken_by_comments(
    folder: Path, nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SILENCE", 0.01)
    async with (
        await served(folder, Maker(silent=True), nursery) as one,
        one.stream("GET", "/v1/count") as answer,
    ):
        body = b""
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) >= 3 * len(events.COMMENT):
                break
    assert set(body) == set(events.COMMENT)
    assert events.EventReader().feed(body) == []


def test_openapi_tells_what_is_live() -> None:
    paths = document([WATCH])["paths"]["/v1/watch"]
    for method in ("get", "post"):
        answer = paths[method]["responses"]["200"]
        assert answer["content"]["text/event-stream"]["schema"]["$ref"].endswith("/Status")
        assert "`status`" in answer["description"]


def test_an_agent_that_stops_is_told(state_dir: Path) -> None:
    from support import small_agent

    with Client(state_dir) as client:
        with small_agent.serving(small_agent.SmallAgent(), state_dir):
            followed = client.follow(WATCH, Nothing())
            stream = followed.__enter__()
            next(stream)
        with pytest.raises(AnswerCut):
            for _ in stream:
                pass
        followed.__exit__(None, None, None)
