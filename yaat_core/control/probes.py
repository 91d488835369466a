"""What the health endpoints answer, as an ASGI application."""

from __future__ import annotations

from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from yaat_core.control import replies, wire
from yaat_core.control.oops import unexpected
from yaat_core.operations import Operations
from yaat_core.status import Status

_READY: Final = ("running", "storage_full")


def make_app(operations: Operations) -> Starlette:
    """``/healthz`` and ``/readyz`` of an agent."""

    async def healthz(_: Request) -> Response:
        status = await _status(operations)
        return status if isinstance(status, Response) else _answer(status.health, ok=status.health.ok)

    async def readyz(_: Request) -> Response:
        status = await _status(operations)
        if isinstance(status, Response):
            return status
        return _answer({"ready": status.state in _READY, "state": status.state}, ok=status.state in _READY)

    return Starlette(
        routes=[
            Route("/healthz", healthz, methods=["GET"]),
            Route("/readyz", readyz, methods=["GET"]),
        ]
    )


async def _status(operations: Operations) -> Status | Response:
    try:
        return await operations.status()
    except Exception as error:  # noqa: BLE001 - logged with its traceback
        return _answer(wire.error_document(unexpected(error, "health")), ok=False)


def _answer(document: object, *, ok: bool) -> Response:
    return replies.document(document, 200 if ok else 503)
