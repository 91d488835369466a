"""HTTP on sockets that are bound already: Hypercorn's trio protocol under an accept loop of our own.

Hypercorn's own worker shields its writes from cancellation, so that one client that stops reading would keep the
agent from stopping; here the agent owns the connections and closes them. The number of connections is bounded,
and so is the time that a write may take.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext

if TYPE_CHECKING:
    import ssl

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
#: Seconds for a TLS handshake.
_HANDSHAKE: Final = 10


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
    app: App,
    bound: socket.socket,
    limits: Limits,
    *,
    tls: ssl.SSLContext | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve ``app`` on a listening socket until cancelled; then every connection is closed at once.

    HTTP/1.1 and HTTP/2: with ``tls`` as the two sides agree, without by prior knowledge.
    """
    door = _Door(app, _settings(limits), limits, tls)
    listener = trio.SocketListener(trio.socket.from_stdlib_socket(bound))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(door.close_at_the_end)
        await nursery.start(partial(trio.serve_listeners, door.handle, [listener], handler_nursery=nursery))
        task_status.started()


class _Stream:
    """A connection whose writes don't wait forever."""

    def __init__(self, stream: trio.SocketStream, write_timeout: float) -> None:
        self._stream = stream
        self._write_timeout = write_timeout
        self.socket = stream.socket
        self.receive_some = stream.receive_some
        self.send_eof = stream.send_eof
        self.aclose = stream.aclose

    async def send_all(self, data: bytes) -> None:
        with trio.move_on_after(self._write_timeout) as waiting:
            await self._stream.send_all(data)
        if waiting.cancelled_caught:
            self.socket.close()
            raise trio.BrokenResourceError("the client stopped reading")


class _Door:
    def __init__(self, app: App, settings: Config, limits: Limits, tls: ssl.SSLContext | None) -> None:
        untyped: Any = app  # the same protocol, in types of its own
        self._tls = tls
        self._app = ASGIWrapper(untyped)
        self._settings = settings
        self._limits = limits
        self._context = WorkerContext(None)
        self._open: set[trio.SocketStream] = set()

    async def handle(self, stream: trio.SocketStream) -> None:
        if len(self._open) >= self._limits.connections:
            log.warning("more than %d connections: one was closed", self._limits.connections)
            await trio.aclose_forcefully(stream)
            return
        self._open.add(stream)
        try:
            bounded: Any = _Stream(stream, self._limits.write_timeout)
            if self._tls is not None:
                bounded = trio.SSLStream(bounded, self._tls, server_side=True, https_compatible=True)
            await TCPServer(self._app, self._settings, self._context, {}, bounded)
        except Exception:
            log.exception("a connection failed")
        finally:
            self._open.discard(stream)
            stream.socket.close()

    async def close_at_the_end(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            for stream in self._open:
                stream.socket.close()


def _settings(limits: Limits) -> Config:
    settings = Config()
    settings.accesslog = None
    settings.errorlog = log
    settings.include_server_header = False
    settings.read_timeout = limits.read_timeout
    settings.keep_alive_timeout = limits.keep_alive
    settings.ssl_handshake_timeout = _HANDSHAKE
    settings.h2_max_concurrent_streams = limits.streams
    return settings
