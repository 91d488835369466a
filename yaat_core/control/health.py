"""The health endpoints over TCP: ``/healthz`` and ``/readyz`` for probes. No rights are needed, so no details
beyond the problems are told."""

from __future__ import annotations

import logging
import socket
from functools import partial

import trio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from yaat_core.control import replies, wire
from yaat_core.control.listen import Limits, serve_http
from yaat_core.control.oops import unexpected
from yaat_core.health import HealthBoard
from yaat_core.operations import Operations
from yaat_core.status import Status

log = logging.getLogger("yaat.health")

COMPONENT = "health"
_READY = ("running", "storage_full")


async def serve(
    operations: Operations,
    listen: str,
    board: HealthBoard,
    *,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve on ``listen`` (``HOST:PORT``, or `off`) until cancelled; tells the address that it got.

    An address that can't be had becomes a warning on ``board``, and the agent goes on without.
    """
    if listen == "off":
        task_status.started("off")
        return
    try:
        bound = _bind(listen)
    except (OSError, ValueError) as error:
        _tell(board, listen, error)
        task_status.started("off")
        return
    with bound:
        limits = Limits(connections=32, write_timeout=10, read_timeout=10)
        async with trio.open_nursery() as nursery:
            await nursery.start(partial(serve_http, _app(operations), bound, limits))
            host, port = bound.getsockname()[:2]
            task_status.started(f"[{host}]:{port}" if ":" in host else f"{host}:{port}")


def parse(listen: str) -> tuple[str, int]:
    """``HOST:PORT`` or ``[IPV6]:PORT`` taken apart.

    Raises:
        ValueError: says how to write it.
    """
    host, colon, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"not an address: {listen!r} (write HOST:PORT, e.g. 127.0.0.1:9477, or off)")
    return host, int(port)


def _bind(listen: str) -> socket.socket:
    host, port = parse(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(64)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made


def _tell(board: HealthBoard, listen: str, error: Exception) -> None:
    why = getattr(error, "strerror", None) or str(error)
    log.warning("the health endpoints are off: %s: %s", listen, why)
    board.set(
        COMPONENT,
        f"the health endpoints can't listen on {listen}: {why}",
        advice="set health.listen to a free HOST:PORT, or to off",
        level="warn",
        topic="listen",
    )


def _app(operations: Operations) -> Starlette:
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
