"""The client of the control API for programs that run in trio, such as full screens: nothing here blocks the event loop."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx
import msgspec
import trio

from yaat_core.actions.agent import QUERY, Query
from yaat_core.actions.base import Action
from yaat_core.control import calling, wire
from yaat_core.control.calling import PATIENCE, Rows
from yaat_core.control.events import EventReader

A = TypeVar("A")
R = TypeVar("R")


class AsyncClient:
    """As `yaat_core.control.client.Client`, with the same errors. One for one event loop; several tasks may use it at once.

    ::

        async with AsyncClient(state_dir) as agent:
            status = await agent.call(STATUS, Nothing())
            async with agent.follow(WATCH, Nothing()) as stream:
                async for status in stream:
                    ...
    """

    def __init__(self, state_dir: Path, *, patience: float = PATIENCE) -> None:
        self._state_dir = state_dir
        self._patience = patience
        self._http: dict[str, httpx.AsyncClient] = {}

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up."""
        with trio.CancelScope(shield=True):
            for one in self._http.values():
                await one.aclose()
        self._http.clear()

    async def call(self, action: Action[A, R], given: A, *, patience: float | None = None) -> R:
        """Do it, and return its result as the class that the action names. ``patience``: seconds, if not the usual."""
        content, timeout = wire.encode(given), self._patience if patience is None else patience
        with self._errors():
            answer = await self._socket(action).post(action.path, content=content, timeout=timeout)
        if answer.status_code != 200:
            raise calling.error_of(answer)
        return msgspec.json.decode(answer.content, type=action.result)

    @contextlib.asynccontextmanager
    async def follow(self, action: Action[A, R], given: A) -> AsyncIterator[AsyncIterator[R]]:
        """The results of a live action as they come, until the block is left. Read on, or the newest are what you get.

        Raises (while iterated, beside the usual):
            AnswerCut: the agent stopped.
        """
        async with (
            self._opened(action, given, {}, self._patience) as response,
            contextlib.aclosing(self._told(action, response)) as results,
        ):
            yield results

    def query(self, given: Query) -> AbstractAsyncContextManager[AsyncAnswer]:
        """Ask in SQL; leaving the block before the end stops the query."""
        return self.stream(QUERY, given, seconds=given.timeout)

    @contextlib.asynccontextmanager
    async def stream(
        self, action: Action[A, R], given: A, *, seconds: float = 0.0
    ) -> AsyncIterator[AsyncAnswer]:
        """The answer of an action that streams; ``seconds`` may pass before its first row, beyond the usual."""
        opening = self._opened(action, given, calling.TAKES_ARROW, seconds + self._patience)
        async with opening as response:
            pieces = _Pieces(response.aiter_raw())
            yield AsyncAnswer(await trio.to_thread.run_sync(Rows, pieces))

    @contextlib.asynccontextmanager
    async def _opened(
        self, action: Action[Any, Any], given: Any, headers: dict[str, str], read: float
    ) -> AsyncIterator[httpx.Response]:
        sending = self._socket(action).stream(
            "POST",
            action.path,
            content=wire.encode(given),
            headers=headers,
            timeout=httpx.Timeout(self._patience, read=read),
        )
        with self._errors():
            async with sending as response:
                if response.status_code != 200:
                    await response.aread()
                    raise calling.error_of(response)
                yield response

    async def _told(self, action: Action[A, R], response: httpx.Response) -> AsyncGenerator[R, None]:
        reader = EventReader()
        with self._errors():
            async for piece in response.aiter_raw():
                for result in calling.told(action, reader, piece):
                    yield result
        raise calling.ended(self._state_dir)

    def _socket(self, action: Action[Any, Any]) -> httpx.AsyncClient:
        name = calling.socket_of(action)
        if name not in self._http:
            transport = httpx.AsyncHTTPTransport(uds=str(self._state_dir / name))
            self._http[name] = httpx.AsyncClient(
                transport=transport, base_url=calling.BASE, timeout=self._patience
            )
        return self._http[name]

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return calling.errors(self._state_dir)


class AsyncAnswer:
    """The rows of a query as Arrow record batches: ``async for batch in answer``. Threads take them out of the body."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._batches = iter(rows)
        self.schema = rows.schema

    @property
    def truncated(self) -> bool:
        """True, once iterated, when the limit of rows cut the answer."""
        return self._rows.truncated

    def __aiter__(self) -> AsyncAnswer:
        return self

    async def __anext__(self) -> Any:
        batch = await trio.to_thread.run_sync(next, self._batches, None)
        if batch is None:
            raise StopAsyncIteration
        return batch


class _Pieces:
    """A body that the event loop reads, for a worker thread of it."""

    def __init__(self, pieces: AsyncIterator[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = trio.from_thread.run(self._next)
        if piece is None:
            raise StopIteration
        return piece

    async def _next(self) -> bytes | None:
        return await anext(self._pieces, None)
