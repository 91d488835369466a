"""The control API as an ASGI application, made from `yaat_core.actions.ACTIONS`.

Each action is a POST at its path with a JSON object as body; one that only reads is a GET as well, with
the arguments in the query string.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import trio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from yaat_core.actions import ACTIONS
from yaat_core.actions.base import Action
from yaat_core.control import replies, wire
from yaat_core.control.answers import AnswerResponse, encoder_for
from yaat_core.control.live import MAX_LIVE, LiveResponse
from yaat_core.control.oops import unexpected
from yaat_core.control.openapi import document
from yaat_core.errors import UsageError, YaatError
from yaat_core.operations import Operations

Endpoint = Callable[[Request], Awaitable[Any]]


def make_app(
    operations: Operations, actions: Iterable[Action[Any, Any]], slots: trio.CapacityLimiter
) -> Starlette:
    """The application that serves these actions of an agent; ``slots`` bounds the queries at one time."""
    served = list(actions)
    followers = trio.CapacityLimiter(MAX_LIVE)
    routes = [_route(operations, action, followers if action.live else slots) for action in served]
    routes.append(Route("/v1/openapi.json", _guarded("openapi", partial(_openapi, served)), methods=["GET"]))
    return Starlette(routes=routes, exception_handlers={HTTPException: _no_route})


def _route(operations: Operations, action: Action[Any, Any], slots: trio.CapacityLimiter) -> Route:
    methods = ["GET", "POST"] if action.looks else ["POST"]
    endpoint = partial(_act, operations, action, slots)
    return Route(action.path, _guarded(action.name, endpoint), methods=methods)


def _guarded(name: str, endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Any:
        try:
            return await endpoint(request)
        except YaatError as error:
            return replies.problem(error)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            return replies.problem(unexpected(error, name))

    return answer


async def _act(
    operations: Operations, action: Action[Any, Any], slots: trio.CapacityLimiter, request: Request
) -> Any:
    given = await _arguments(action, request)
    ask = partial(action.handler, operations, given)
    if action.live:
        return LiveResponse(ask, action, slots)
    if action.stream:
        return AnswerResponse(ask, encoder_for(request.headers.get("accept", "")), slots)
    return replies.document(await ask())


async def _arguments(action: Action[Any, Any], request: Request) -> Any:
    where = f"{request.method} {action.path}"
    if request.method == "GET":
        return wire.checked(dict(request.query_params), action.arguments, where, strict=False)
    return wire.arguments(await _body(request, where), action.arguments, where)


async def _body(request: Request, where: str) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > wire.MAX_BODY:
            raise UsageError(
                f"the body is larger than {wire.MAX_BODY} bytes", where=where, fix="send less at once"
            )
    return bytes(body)


async def _openapi(actions: list[Action[Any, Any]], _: Request) -> Response:
    return replies.document(await trio.to_thread.run_sync(document, actions))


async def _no_route(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    known = ", ".join(action.path for action in ACTIONS.values())
    problem = UsageError(
        "this socket serves no such path" if status == 404 else "this path takes another method",
        where=f"{request.method} {request.url.path}",
        fix=f"paths: {known}; what changes something is a POST on control.sock",
    )
    return replies.document(wire.error_document(problem), status)
