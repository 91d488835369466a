"""HTTP on sockets that are bound already: an accept loop of our own, and a server that is loaded when a client comes.

The server takes a tenth of a second to load and ten MiB, and most runs of `yaat run --once` are never asked anything.
Until it is there a connection waits in the backlog of its socket. The number of connections is bounded, and so is
the time that a write may take.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Final

import attrs
import trio

if TYPE_CHECKING:
    import ssl

    from yaat_core.control.connections import Door

log = logging.getLogger("yaat.http")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Seconds that a client may leave a write waiting before its connection is closed.
WRITE_TIMEOUT: Final = 60.0
#: Connections at one time on one socket; a further one is closed at once.
MAX_CONNECTIONS: Final = 64


@attrs.frozen(kw_only=True)
class Limits:
    """What a client may ask of the server. ``read_timeout`` closes a connection that is silent that long."""

    connections: int = MAX_CONNECTIONS
    write_timeout: float = WRITE_TIMEOUT
    read_timeout: int | None = None
    keep_alive: float = 5.0
    """Seconds that a connection may wait for its next request."""
    streams: int = 100
    """Requests at one time on one connection of HTTP/2."""


async def serve_http(
    make_app: Callable[[], App],
    bound: socket.socket,
    limits: Limits,
    *,
    tls: ssl.SSLContext | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve the app on a listening socket until cancelled; then every connection is closed at once.

    HTTP/1.1 and HTTP/2: with ``tls`` as the two sides agree, without by prior knowledge.
    ``make_app`` is called in a worker thread, when the first client has come.
    """
    with bound:
        task_status.started()
        await trio.lowlevel.wait_readable(bound)
        try:
            door = await trio.to_thread.run_sync(_opened, make_app, limits, tls)
        except ImportError:
            log.exception(
                "the HTTP server can't be loaded; restart the agent if its installation was changed"
            )
            return
        listener = trio.SocketListener(trio.socket.from_stdlib_socket(bound))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(door.close_at_the_end)
            await trio.serve_listeners(door.handle, [listener], handler_nursery=nursery)


def _opened(make_app: Callable[[], App], limits: Limits, tls: ssl.SSLContext | None) -> Door:
    from yaat_core.control.connections import Door

    return Door(make_app(), limits, tls)
