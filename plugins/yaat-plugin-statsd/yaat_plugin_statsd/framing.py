"""Streams to whole lines: newlines, or a 4-byte little-endian length before each packet, as DogStatsD has it on Unix streams."""

from __future__ import annotations

import abc
from typing import Final

from yaat_plugin_statsd.grammar import Rejected

#: A line over TCP, or a packet of a Unix stream, at most.
MAX_BYTES: Final = 65_536
_PREFIX: Final = 4


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
        while len(self._rest) - at >= _PREFIX:
            start = at + _PREFIX
            length = int.from_bytes(self._rest[at:start], "little")
            if length > MAX_BYTES:
                raise Rejected("packet_too_long")
            if len(self._rest) - start < length:
                break
            packets.append(bytes(self._rest[start : start + length]))
            at = start + length
        del self._rest[:at]
        return b"\n".join(packets)

    def end(self) -> bytes:
        """As `Framing.end`."""
        if self._rest:
            raise Rejected("torn_packet")
        return b""


class Either(Framing):
    """Packets or lines, as the first four bytes say: of a length that is allowed, the last one is zero; no text has that."""

    def __init__(self) -> None:
        super().__init__()
        self._first = b""
        self._chosen: Framing | None = None

    @property
    def torn(self) -> bool:
        """As `Framing.torn`."""
        return self._chosen.torn if self._chosen else bool(self._first)

    def feed(self, data: bytes) -> bytes:
        """As `Framing.feed`."""
        if self._chosen is None:
            data = self._first + data
            if len(data) < _PREFIX:
                self._first = data
                return b""
            self._chosen = Packets() if data[_PREFIX - 1] == 0 else Lines()
        whole = self._chosen.feed(data)
        self.skipped = self._chosen.skipped
        return whole

    def end(self) -> bytes:
        """As `Framing.end`."""
        return self._chosen.end() if self._chosen else self._first
