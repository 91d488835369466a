"""What the health endpoints answer, as an ASGI application."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

import trio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from yaat_core.control import replies, wire
from yaat_core.control.oops import unexpected
from yaat_core.health_routes import HealthRequest, HealthRoute, Observed
from yaat_core.status import Health, Problem, Status

#: Seconds that the agent has to say how it is.
PATIENCE: Final = 5.0

Endpoint = Callable[[Request], Awaitable[Response]]


class _Mute(Exception):
    """The agent does not say how it is."""


def make_app(operations: Observed, routes: Sequence[HealthRoute] = ()) -> Starlette:
    """``/healthz``, ``/readyz`` and what plugins serve beside them."""
    own = {"/healthz": partial(_healthz, operations), "/readyz": partial(_readyz, operations)}
    served = {**own, **{route.path: partial(_of_plugin, route) for route in routes}}
    return Starlette(
        routes=[Route(path, _guarded(path, ask), methods=["GET"]) for path, ask in served.items()],
        exception_handlers={HTTPException: partial(_no_route, sorted(served))},
    )


async def _healthz(operations: Observed, _: Request) -> Response:
    try:
        health = (await _status(operations)).health
    except _Mute as error:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        health = Health(ok=False, problems=(Problem(component="agent", since=since, what=str(error)),))
    return _answer(health, ok=health.ok)


async def _readyz(operations: Observed, _: Request) -> Response:
    try:
        state = (await _status(operations)).state
    except _Mute as error:
        return _answer({"ready": False, "state": str(error)}, ok=False)
    return _answer({"ready": state == "running", "state": state}, ok=state == "running")


async def _of_plugin(route: HealthRoute, request: Request) -> Response:
    asked = HealthRequest(headers=dict(request.headers), query=dict(request.query_params))
    given = await route.answer(asked)
    headers = {"content-type": given.content_type, "cache-control": "no-store"}
    return Response(given.body, given.status, headers=headers)


def _guarded(path: str, endpoint: Endpoint) -> Endpoint:
    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Exception as error:  # noqa: BLE001 - logged with its traceback
            broken = wire.error_document(unexpected(error, path))
            return replies.document(broken, 503 if path in ("/healthz", "/readyz") else 500)

    return answer


async def _status(operations: Observed) -> Status:
    with trio.move_on_after(PATIENCE):
        return await operations.status()
    raise _Mute(f"has not said within {PATIENCE:.0f} s how it is: its disk may hang")


def _answer(document: object, *, ok: bool) -> Response:
    return replies.document(document, 200 if ok else 503)


async def _no_route(paths: Sequence[str], _: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    told = f"there is GET {', '.join(paths)}; plugins add more (yaat-plugin-prometheus: /metrics)\n"
    return Response(told, status, media_type="text/plain")
