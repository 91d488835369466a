"""Results of a live action as server-sent events, until the asker leaves.

Nothing is gathered here: while the asker does not read, the next result is not asked for, and what makes them bounds what it
keeps. One that reads nothing for as long as a write may take is let go.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import trio

from yaat_core.actions.base import Action
from yaat_core.control import events, replies, wire
from yaat_core.control.answers import TooManyQueries, cancel_on_disconnect
from yaat_core.control.listen import Receive, Scope, Send
from yaat_core.control.oops import unexpected
from yaat_core.errors import YaatError

#: Live actions at one time on one socket.
MAX_LIVE: Final = 32
#: Seconds of silence after which a comment is sent.
SILENCE: Final = 10.0


class LiveResponse:
    """An ASGI response. ``slots`` bounds how many there are at one time."""

    def __init__(
        self, ask: Callable[[], Awaitable[Any]], action: Action[Any, Any], slots: trio.CapacityLimiter
    ) -> None:
        self._ask = ask
        self._action = action
        self._slots = slots
        self._writing = trio.Lock()
        self._said = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(cancel_on_disconnect, receive, nursery.cancel_scope)
            failed = await self._follow(send)
            if failed is not None:
                await replies.problem(failed)(scope, receive, send)
            nursery.cancel_scope.cancel()

    async def _follow(self, send: Send) -> YaatError | None:
        """Tell all of it; the error, when one came before anything was sent."""
        try:
            self._slots.acquire_on_behalf_of_nowait(self)
        except trio.WouldBlock:
            return TooManyQueries(
                f"{int(self._slots.total_tokens)} live views are open already", fix="close one of them"
            )
        try:
            try:
                results = await self._ask()
            except YaatError as error:
                return error
            except Exception as error:  # noqa: BLE001 - logged with its traceback
                return unexpected(error, self._action.name)
            await self._tell(results, send)
        finally:
            self._slots.release_on_behalf_of(self)
        return None

    async def _tell(self, results: AsyncIterator[Any], send: Send) -> None:
        headers = [(b"content-type", wire.EVENTS.encode()), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._write(send, b"")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._break_silence, send)
            await self._results(results, send)
            nursery.cancel_scope.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _results(self, results: Any, send: Send) -> None:
        async with contextlib.AsyncExitStack() as stack:
            if hasattr(results, "aclose"):
                await stack.enter_async_context(contextlib.aclosing(results))
            try:
                async for result in results:
                    await self._write(send, events.encode(self._action.event, wire.encode(result)))
            except trio.BrokenResourceError:
                raise
            except Exception as error:  # noqa: BLE001 - told, or logged with its traceback
                known = error if isinstance(error, YaatError) else unexpected(error, self._action.name)
                await self._write(send, events.encode("error", wire.encode(wire.error_document(known))))

    async def _break_silence(self, send: Send) -> None:
        while True:
            await trio.sleep_until(self._said + SILENCE)
            await self._write(send, events.COMMENT, after=SILENCE)

    async def _write(self, send: Send, body: bytes, *, after: float = 0.0) -> None:
        async with self._writing:
            if trio.current_time() >= self._said + after:
                await send({"type": "http.response.body", "body": body, "more_body": True})
                self._said = trio.current_time()
