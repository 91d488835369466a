"""Bodies of requests, read within bounds: what every HTTP listener lets in goes through `bounded_body`.

Bounded are the bytes as sent, the bytes unpacked, the ratio of the two, and the time. Packed bodies are unpacked as they
come, so that a bomb is noticed by its first pieces and never held. `Content-Encoding` (RFC 9110, section 8.4) may be
``gzip`` (RFC 1952, several members too), ``zstd`` (RFC 8878, with the window of RFC 9659) or ``identity``.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterable
from typing import Any, Final, Literal, Protocol

import attrs
import trio
from backports import zstd

CODINGS: Final = ("gzip", "zstd", "identity")

#: So much may be unpacked whatever the ratio: a few lines that are all alike pack very well.
_ANY_RATIO: Final = 4 * 2**20
#: RFC 9659: at most 8 MB.
_WINDOW_LOG: Final = 23
_GZIP: Final = 16 + zlib.MAX_WBITS

Trouble = Literal["too_large", "unknown_coding", "damaged", "too_slow", "no_memory"]


class BodyRefused(Exception):
    """A body that is not taken; ``trouble`` says of what kind, ``status`` is the HTTP status that tells of it."""

    def __init__(self, trouble: Trouble, problem: str) -> None:
        super().__init__(problem)
        self.trouble: Trouble = trouble
        self.problem = problem

    @property
    def status(self) -> int:
        """413, 415, 400, 408 or 503."""
        return _STATUS[self.trouble]


_STATUS: Final[dict[Trouble, int]] = {
    "too_large": 413,
    "unknown_coding": 415,
    "damaged": 400,
    "too_slow": 408,
    "no_memory": 503,
}


@attrs.frozen(kw_only=True)
class BodyLimits:
    """Bytes as sent, bytes unpacked, how many times the former the latter may be, and seconds."""

    wire: int
    inflated: int
    ratio: int = 200
    seconds: float = 30.0


class Memory:
    """Bytes that all bodies together may take at one time."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.held = 0

    def share(self) -> Share:
        """One body's part of it; a context manager that gives everything back."""
        return Share(self)


class Share:
    """What one body takes of a `Memory`."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.held = 0

    def grow(self, size: int) -> None:
        """It has ``size`` bytes now.

        Raises:
            BodyRefused: there is no room.
        """
        more = size - self.held
        if more > 0 and self._memory.held + more > self._memory.size and self._memory.held > self.held:
            raise BodyRefused("no_memory", "too many bytes are being received at this moment")
        self._memory.held += more
        self.held = size

    def __enter__(self) -> Share:
        return self

    def __exit__(self, *_: object) -> None:
        self._memory.held -= self.held
        self.held = 0


async def bounded_body(
    pieces: AsyncIterable[bytes],
    *,
    coding: str,
    limits: BodyLimits,
    share: Share,
    announced: int | None = None,
) -> bytes:
    """The whole body, unpacked.

    Args:
        pieces: as they arrive; empty ones are skipped.
        coding: the header `Content-Encoding`, empty for none.
        limits: the bounds.
        share: where its bytes are counted while it is held.
        announced: the header `Content-Length`, where there is one: what is too large is refused before it comes.

    Raises:
        BodyRefused: it is too large or too slow, packed in an unknown way, damaged or cut off.
    """
    gathered = _Gathered(_unpacker(coding), limits, share)
    if announced is not None and announced > limits.wire:
        raise gathered.too_long()
    with trio.move_on_after(limits.seconds) as waiting:
        async for piece in pieces:
            gathered.add(piece)
        return gathered.whole()
    assert waiting.cancelled_caught
    raise BodyRefused("too_slow", f"the body was not here after {limits.seconds:g} s")


class _Unpacker(Protocol):
    def unpack(self, data: bytes, most: int) -> bytes:
        """Up to ``most`` bytes of what is in there; whoever gets ``most`` must not go on."""
        ...

    @property
    def complete(self) -> bool:
        """Whether it may end here."""
        ...


class _Gathered:
    """A body that is being received."""

    def __init__(self, unpacker: _Unpacker, limits: BodyLimits, share: Share) -> None:
        self._unpacker = unpacker
        self._limits = limits
        self._share = share
        self._wire = 0
        self._body = bytearray()

    def add(self, piece: bytes) -> None:
        if not piece:
            return
        self._wire += len(piece)
        if self._wire > self._limits.wire:
            raise self.too_long()
        allowed = min(self._limits.inflated, max(_ANY_RATIO, self._wire * self._limits.ratio))
        self._body += self._unpacker.unpack(piece, allowed - len(self._body) + 1)
        if len(self._body) > allowed:
            raise self._too_much(allowed)
        self._share.grow(len(self._body))

    def whole(self) -> bytes:
        if not self._unpacker.complete:
            raise BodyRefused("damaged", "the body is cut off: its packing is not complete")
        return bytes(self._body)

    def too_long(self) -> BodyRefused:
        return BodyRefused("too_large", f"the body is larger than {self._limits.wire} bytes")

    def _too_much(self, allowed: int) -> BodyRefused:
        if allowed == self._limits.inflated:
            return BodyRefused("too_large", f"the body is larger than {allowed} bytes when it is unpacked")
        return BodyRefused(
            "too_large",
            f"the body unpacks to more than {self._limits.ratio} times its size, as no honest one does",
        )


class _Plain:
    complete = True

    def unpack(self, data: bytes, most: int) -> bytes:
        return data[:most]


class _Framed:
    """Packings whose unpacker ends with a frame, behind which another may begin."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._frame = self._make()

    @property
    def complete(self) -> bool:
        return bool(self._frame.eof)

    def unpack(self, data: bytes, most: int) -> bytes:
        unpacked = bytearray()
        try:
            while data and len(unpacked) < most:
                if self._frame.eof:
                    self._frame = self._make()
                unpacked += self._frame.decompress(data, most - len(unpacked))
                data = self._frame.unused_data
        except (zlib.error, zstd.ZstdError, EOFError):
            raise BodyRefused("damaged", f"the body is no {self._what}") from None
        return bytes(unpacked)

    def _make(self) -> Any:
        if self._what == "gzip":
            return zlib.decompressobj(_GZIP)
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})


def _unpacker(coding: str) -> _Unpacker:
    name = coding.strip().lower()
    if name in ("", "identity"):
        return _Plain()
    if name in ("gzip", "x-gzip"):
        return _Framed("gzip")
    if name == "zstd":
        return _Framed("zstd")
    raise BodyRefused(
        "unknown_coding", f"the body is packed with {coding[:64]!r}; known: {', '.join(CODINGS)}"
    )
