"""A log as plain bytes: HTTP/1.0, so that the engine sends no chunks.

Engines send one chunk of HTTP/1.1 for each line. Taking those apart costs six times the CPU of all that is done with the line
afterwards. The price: an answer that was cut looks like one that ended. Who needs to know asks again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import trio

#: Bytes read at once, and of an answer's head.
_PIECE: Final = 64 << 10
_LONGEST_HEAD: Final = 64 << 10


class NotPlain(Exception):
    """What answers is no HTTP, or does not answer a request of HTTP/1.0 as it should."""


class PlainAnswer:
    """An answer to a GET: its status, and its body as it comes. ``patience`` is in seconds, for each piece."""

    def __init__(self, stream: trio.abc.Stream, patience: float) -> None:
        self.status = 0
        self._stream = stream
        self._patience = patience
        self._begun = b""
        self._left: int | None = None

    async def ask(self, target: str, host: str) -> None:
        """Send the request, and read the answer's head.

        Raises:
            NotPlain: no such answer.
            trio.BrokenResourceError: the connection broke.
            trio.TooSlowError: no answer in time.
        """
        request = f"GET {target} HTTP/1.0\r\nHost: {host}\r\nUser-Agent: yaat\r\n\r\n"
        with trio.fail_after(self._patience):
            await self._stream.send_all(request.encode("ascii"))
            head = bytearray()
            while (end := head.find(b"\r\n\r\n")) < 0:
                piece = await self._stream.receive_some(_PIECE)
                if not piece or len(head) > _LONGEST_HEAD:
                    raise NotPlain("the answer has no head")
                head += piece
        self._begun = bytes(head[end + 4 :])
        first, *fields = head[:end].decode("latin-1").split("\r\n")
        self.status = _status(first)
        for field in fields:
            name, _, value = field.partition(":")
            if name.lower() == "transfer-encoding":
                raise NotPlain(f"the answer to HTTP/1.0 has {name}: {value.strip()[:40]}")
            if name.lower() == "content-length" and value.strip().isdecimal():
                self._left = int(value)

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body, to its end.

        Raises:
            trio.BrokenResourceError: the connection broke.
            trio.TooSlowError: nothing came for ``patience``.
        """
        piece = self._begun
        while True:
            if piece:
                yield piece if self._left is None else piece[: self._left]
                self._left = None if self._left is None else max(0, self._left - len(piece))
            if self._left == 0:
                return
            with trio.fail_after(self._patience):
                piece = bytes(await self._stream.receive_some(_PIECE))
            if not piece:
                return


def _status(line: str) -> int:
    protocol, _, rest = line.partition(" ")
    if not protocol.startswith("HTTP/1.") or not rest[:3].isdecimal():
        raise NotPlain(f"no HTTP: {line[:60]!r}")
    return int(rest[:3])
