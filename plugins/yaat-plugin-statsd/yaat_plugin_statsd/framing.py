"""Streams to whole lines: newlines over TCP, a 4-byte little-endian length before each packet over a Unix stream."""

from __future__ import annotations

import abc
from typing import Final

from yaat_plugin_statsd.grammar import Rejected

#: A line over TCP, or a packet of a Unix stream, at most.
MAX_BYTES: Final = 65_536


class Framing(abc.ABC):
    """State of one connection."""

    def __init__(self) -> None:
        self.skipped = 0
        """Lines that were too long."""

    @property
    @abc.abstractmethod
    def torn(self) -> bool:
        """Whether something came that is not whole yet."""

    @abc.abstractmethod
    def feed(self, data: bytes) -> bytes:
        """Whole lines of what has come so far, joined by newlines.

        Raises:
            Rejected: the stream can't be understood any more.
        """

    @abc.abstractmethod
    def end(self) -> bytes:
        """What is left when the sender has gone.

        Raises:
            Rejected: a part of a packet.
        """


class Lines(Framing):
    """Lines; the last one counts without its newline, too, when the sender closes."""

    def __init__(self) -> None:
        super().__init__()
        self._rest = b""
        self._skipping = False

    @property
    def torn(self) -> bool:
        """As `Framing.torn`."""
        return bool(self._rest)

    def feed(self, data: bytes) -> bytes:
        """As `Framing.feed`. A line that is too long is skipped up to its end; what follows counts."""
        if self._skipping:
            _, newline, data = data.partition(b"\n")
            self._skipping = not newline
        whole, newline, rest = data.rpartition(b"\n")
        if newline:
            whole, self._rest = self._rest + whole, rest
        else:
            self._rest += rest
        if len(self._rest) > MAX_BYTES:
            self._rest, self._skipping = b"", True
            self.skipped += 1
        return whole

    def end(self) -> bytes:
        """As `Framing.end`."""
        rest, self._rest = self._rest, b""
        return rest


class Packets(Framing):
    """Packets with their length before them."""

    def __init__(self) -> None:
        super().__init__()
        self._rest = bytearray()

    @property
    def torn(self) -> bool:
        """As `Framing.torn`."""
        return bool(self._rest)

    def feed(self, data: bytes) -> bytes:
        """As `Framing.feed`."""
        self._rest += data
        packets: list[bytes] = []
        at = 0
        while len(self._rest) - at >= 4:
            length = int.from_bytes(self._rest[at : at + 4], "little")
            if length > MAX_BYTES:
                raise Rejected("packet_too_long")
            if len(self._rest) - at - 4 < length:
                break
            packets.append(bytes(self._rest[at + 4 : at + 4 + length]))
            at += 4 + length
        del self._rest[:at]
        return b"\n".join(packets)

    def end(self) -> bytes:
        """As `Framing.end`."""
        if self._rest:
            raise Rejected("torn_packet")
        return b""
