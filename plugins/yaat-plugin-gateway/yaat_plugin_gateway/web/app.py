"""The HTTP application: the parts' routes, and around them what holds for every request.

Whatever a route raises becomes one shape of JSON (`web.refusal`). An answer that is ready before the body has been read
waits until the rest of it is read and thrown away, within bounds: a server that closes a connection with unread data
resets it, and the client would never see why it was refused.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final

import trio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from yaat_core.errors import YaatError
from yaat_plugin_gateway.web import refusal
from yaat_plugin_gateway.web.endpoint import refused_by, unforeseen
from yaat_plugin_gateway.web.refusal import Refused

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

#: Of a body that nobody wants: so many bytes are thrown away, for so many seconds, before the connection is closed.
_DRAIN_BYTES: Final = 16 * 2**20
_DRAIN_SECONDS: Final = 10.0
#: Seconds that any body may take to arrive.
_BODY_SECONDS: Final = 120.0


def make_app(routes: Iterable[BaseRoute]) -> Starlette:
    """The application that serves these routes."""
    app = Starlette(
        routes=list(routes),
        middleware=[Middleware(_Guard)],
        exception_handlers={HTTPException: _no_route},
    )
    app.router.redirect_slashes = False  # a key is sent to one place alone
    return app


class _Guard:
    """Around every request: what is raised is answered, what was not read is drained."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            return  # nobody is there to be told
        except Refused as refused:
            answer = refusal.response(refused)
        except YaatError as error:
            answer = refusal.response(refused_by(error))
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            answer = refusal.response(unforeseen(error, f"{scope['method']} {scope['path']}"))
        else:
            return
        if not exchange.answered:
            await answer(scope, exchange.receive, exchange.send)


class _Exchange:
    """One request and its answer."""

    def __init__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        self.answered = False
        self._receive = receive
        self._send = send
        headers = dict(scope["headers"])
        self._whole = b"content-length" not in headers and b"transfer-encoding" not in headers
        self._asks_first = headers.get(b"expect", b"").lower() == b"100-continue"
        self._deadline = trio.current_time() + _BODY_SECONDS

    async def receive(self) -> Message:
        """As ASGI's, noting how far the body was read."""
        self._asks_first = False
        with trio.CancelScope(deadline=math.inf if self._whole else self._deadline) as waiting:
            message = await self._receive()
        if waiting.cancelled_caught:
            self._whole = True  # the rest is not waited for
            raise Refused(
                408, "too_slow", f"the body was not here after {_BODY_SECONDS:.0f} s", fix="send less at once"
            )
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._whole = True
        return message

    async def send(self, message: Message) -> None:
        """As ASGI's; the answer begins when the request was read."""
        if message["type"] == "http.response.start":
            self.answered = True
            if message["status"] != 408:  # who is too slow is not waited for
                await self._drain()
        await self._send(message)

    async def _drain(self) -> None:
        left = _DRAIN_BYTES
        with trio.move_on_after(_DRAIN_SECONDS):
            while not self._whole and not self._asks_first and left > 0:
                left -= len((await self.receive()).get("body", b""))


async def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    problem = {404: "there is nothing at this path", 405: f"this path takes no {request.method}"}
    fix = {404: "GET /v1/openapi.json lists the paths", 405: "the header Allow says what it takes"}
    refused = Refused(
        error.status_code,
        {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error"),
        problem.get(error.status_code, error.detail),
        fix=fix.get(error.status_code, ""),
        headers=error.headers or {},
    )
    return refusal.response(refused)
