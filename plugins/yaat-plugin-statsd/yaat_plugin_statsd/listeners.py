"""Sockets to lines. Datagrams are drained without a pause between them: that is what decides how much gets through."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final

import trio

from yaat_kit.listening import Listener, kernel_drops, receive_buffer
from yaat_plugin_statsd.framing import Either, Framing, Lines
from yaat_plugin_statsd.grammar import Rejected
from yaat_plugin_statsd.origins import SPACE, Origins, ask, peer_of, process_of
from yaat_plugin_statsd.tally import Tally

Read = Callable[[bytes, bytes], None]
"""Takes whole lines, and the id of the container that they come from as far as the kernel tells (else empty)."""

#: Largest datagram; one byte more tells that it was longer.
MAX_DATAGRAM: Final = 65_536
#: Datagrams, and bytes, taken in one go, before others of this thread have their turn.
_DATAGRAMS: Final = 512
_GO_BYTES: Final = 2**18
_PIECE: Final = 65_536
#: After a go of few datagrams over UDP the next one waits, so that a thin stream costs no wake-up for each of them: for
#: `_PAUSE` seconds, and never so long that `_FASTEST` bytes a second would fill the buffer. Not over Unix sockets, whose
#: queue is a handful of datagrams long.
_FEW: Final = 256
_PAUSE: Final = 0.02
_FASTEST: Final = 400e6
#: Goes at the end: a sender that never stops must not hold up the stop.
_LAST_GOES: Final = 64


class Datagrams:
    """One datagram socket."""

    def __init__(
        self, listener: Listener, read: Read, tally: Tally, *, origins: Origins | None = None
    ) -> None:
        self._socket = listener.socket
        self._origins = origins if listener.address.path else None
        if self._origins is not None:
            ask(self._socket)
        self._read = read
        self._tally = tally
        name = str(listener.address)
        self._packets, self._bytes = tally.packets(name), tally.received_bytes(name)
        self._drops = tally.kernel_drops(name)
        self._dropped = kernel_drops(self._socket)
        udp = listener.address.transport == "udp"
        self._pause = min(_PAUSE, receive_buffer(self._socket) / _FASTEST) if udp else 0.0

    async def serve(self) -> None:
        """Until cancelled."""
        while True:
            await trio.lowlevel.wait_readable(self._socket)
            if self._drain() < _FEW and self._pause:
                await trio.sleep(self._pause)

    def finish(self) -> None:
        """What the kernel still holds."""
        for _ in range(_LAST_GOES):
            if not self._drain():
                break
        self.count_drops()

    def count_drops(self) -> int:
        """How many the kernel threw away since the last time."""
        now = kernel_drops(self._socket)
        if now is None or self._dropped is None:
            return 0
        lost = (now - self._dropped) % 2**32
        self._dropped = now
        if lost:
            self._drops.add(lost)
        return lost

    def _drain(self) -> int:
        """One go; how many datagrams."""
        if self._origins is not None:
            return self._drain_by_origin(self._origins)
        got: list[bytes] = []
        size, receive = 0, self._socket.recv
        try:
            while len(got) < _DATAGRAMS and size < _GO_BYTES:
                data = receive(MAX_DATAGRAM + 1)
                size += len(data)
                got.append(data if len(data) <= MAX_DATAGRAM else self._shortened(data))
        except BlockingIOError:
            pass
        if got:
            self._take(len(got), size)
            self._read(b"\n".join(got), b"")
        return len(got)

    def _drain_by_origin(self, origins: Origins) -> int:
        """As `_drain`, and what one container sent by itself."""
        got: dict[bytes, list[bytes]] = {}
        count, size, receive = 0, 0, self._socket.recvmsg
        try:
            while count < _DATAGRAMS and size < _GO_BYTES:
                data, ancillary, _, _ = receive(MAX_DATAGRAM + 1, SPACE)
                count += 1
                size += len(data)
                container = origins.container(process_of(ancillary))
                got.setdefault(container, []).append(
                    data if len(data) <= MAX_DATAGRAM else self._shortened(data)
                )
        except BlockingIOError:
            pass
        if count:
            self._take(count, size)
            for container, datagrams in got.items():
                self._read(b"\n".join(datagrams), container)
        return count

    def _take(self, packets: int, size: int) -> None:
        self._packets.add(packets)
        self._bytes.add(size)

    def _shortened(self, data: bytes) -> bytes:
        """The whole lines of a datagram that was too long."""
        self._tally.reject("packet_too_long")
        return data[: data.rfind(b"\n") + 1]


class Streams:
    """One listening stream socket and its connections."""

    def __init__(
        self, listener: Listener, read: Read, tally: Tally, *, limit: int, origins: Origins | None = None
    ) -> None:
        self._listener = listener
        self._origins = origins if listener.address.path else None
        self._read = read
        self._tally = tally
        self._limit = limit
        name = str(listener.address)
        self._packets, self._bytes = tally.packets(name), tally.received_bytes(name)
        self._refused = tally.refused_connections(name)
        self.connections = 0

    async def serve(self) -> None:
        """Until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                await trio.lowlevel.wait_readable(self._listener.socket)
                self._accept(nursery)

    def _accept(self, nursery: trio.Nursery) -> None:
        try:
            made, _ = self._listener.socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        if self.connections >= self._limit:
            made.close()
            self._refused.add()
            return
        made.setblocking(False)
        self.connections += 1
        nursery.start_soon(self._serve_one, made)

    async def _serve_one(self, made: socket.socket) -> None:
        framing: Framing = Lines() if self._listener.address.transport == "tcp" else Either()
        container = b"" if self._origins is None else self._origins.container(peer_of(made))
        try:
            with made:
                try:
                    while self._receive(made, framing, container):
                        await trio.lowlevel.wait_readable(made)
                except trio.Cancelled:
                    for _ in range(_LAST_GOES):  # what the kernel still holds; then the stop goes on
                        if not self._receive(made, framing, container):
                            break
                    if framing.torn:
                        self._tally.reject("torn_packet")
                    raise
        finally:
            self.connections -= 1

    def _receive(self, made: socket.socket, framing: Framing, container: bytes) -> bool:
        """One piece; False when the connection is at its end."""
        try:
            data = made.recv(_PIECE)
        except BlockingIOError:
            return True
        except OSError:
            self._tally.reject("connection_lost")
            return False
        skipped = framing.skipped
        try:
            self._read(framing.feed(data) if data else framing.end(), container)
        except Rejected as rejected:
            self._tally.reject(rejected.reason)
            return False
        for _ in range(framing.skipped - skipped):
            self._tally.reject("line_too_long")
        self._packets.add()
        self._bytes.add(len(data))
        return bool(data)
