"""Connections served by Hypercorn's trio protocol. Loaded by `yaat_core.control.listen` when it is needed.

Hypercorn's own worker shields its writes from cancellation, so that one client that stops reading would keep the
agent from stopping; here the agent owns the connections and closes them.
"""

from __future__ import annotations

import logging
import ssl
from typing import Any, Final

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext

from yaat_core.control.listen import App, Limits

log = logging.getLogger("yaat.http")

#: Seconds for a TLS handshake.
_HANDSHAKE: Final = 10


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


class Door:
    """Serves connections, as many at one time as the limits allow."""

    def __init__(self, app: App, limits: Limits, tls: ssl.SSLContext | None = None) -> None:
        untyped: Any = app  # the same protocol, in types of its own
        self._tls = tls
        self._app = ASGIWrapper(untyped)
        self._settings = _settings(limits)
        self._limits = limits
        self._context = WorkerContext(None)
        self._open: set[trio.SocketStream] = set()

    async def handle(self, stream: trio.SocketStream) -> None:
        """Serve one connection to its end; one too many is closed at once."""
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
        """Cancelled, close every connection."""
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
