"""The health endpoints over TCP: ``/healthz`` and ``/readyz`` for probes, and what plugins serve beside them. No rights are
needed, so no details beyond the problems are told."""

from __future__ import annotations

import logging
import socket
from collections.abc import Sequence
from functools import partial

import trio

from yaat_core.control.listen import App, Limits, serve_http
from yaat_core.health import HealthBoard
from yaat_core.health_routes import HealthRoute, Observed, health_routes_of
from yaat_core.plugins import Plugins

log = logging.getLogger("yaat.health")

COMPONENT = "health"


async def serve(
    operations: Observed,
    listen: str,
    board: HealthBoard,
    plugins: Plugins | None = None,
    *,
    task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve on ``listen`` (``HOST:PORT``, or `off`) until cancelled; tells the address that it got.

    Beside the core's own paths stand those of ``plugins``.
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
        routes = _routes(operations, board, plugins) if plugins else ()
        limits = Limits(connections=32, write_timeout=10, read_timeout=10)
        async with trio.open_nursery() as nursery:
            await nursery.start(partial(serve_http, partial(_app, operations, routes), bound, limits))
            host, port = bound.getsockname()[:2]
            address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
            log.info("health is told at http://%s/healthz", address)
            task_status.started(address)


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


def _routes(operations: Observed, board: HealthBoard, plugins: Plugins) -> Sequence[HealthRoute]:
    routes, failures = health_routes_of(plugins, operations)
    for failure in failures:
        log.warning("plugin %s serves nothing on the health port: %s", failure.plugin, failure.why)
        board.set(
            f"plugins.{failure.plugin}",
            f"what it serves on the health port can't be had: {failure.why}",
            advice="report it to the plugin, or name it in plugins.disable",
            level="warn",
            topic=f"routes {failure.why}",
        )
    return routes


def _app(operations: Observed, routes: Sequence[HealthRoute]) -> App:
    from yaat_core.control.probes import make_app

    return make_app(operations, routes)
