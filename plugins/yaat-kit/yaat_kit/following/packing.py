"""Compressed files: read forward as what is in them, in bounded memory.

gzip (RFC 1952), bzip2 and xz come from the standard library, zstd (RFC 8878) from Arrow. Files of several members are
read through to the last one.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zlib
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pyarrow as pa

_BLOCK: Final = 1 << 18
#: Bytes before the last place asked for that are kept, so that they can be asked for again.
_KEPT: Final = 4096
#: Bytes from the beginning that are kept as long as the file is read.
FIRST_BYTES: Final = 8192
#: What the decoders raise for damaged or incomplete input.
_DAMAGE: Final = (EOFError, zlib.error, lzma.LZMAError, OSError, pa.ArrowInvalid)


class Codec(NamedTuple):
    """How a format is told and opened."""

    name: str
    suffix: str
    magic: bytes
    open: Callable[[io.BufferedReader], Any]


def _open_zstd(raw: io.BufferedReader) -> Any:
    return pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")


CODECS: Final = (
    Codec("gzip", ".gz", b"\x1f\x8b", lambda raw: gzip.GzipFile(fileobj=raw)),
    Codec("bzip2", ".bz2", b"BZh", bz2.BZ2File),
    Codec("xz", ".xz", b"\xfd7zXZ\x00", lzma.LZMAFile),
    Codec("zstd", ".zst", b"\x28\xb5\x2f\xfd", _open_zstd),
)
SUFFIXES: Final = tuple(codec.suffix for codec in CODECS)


def codec_of(path: str) -> Codec | None:
    """The format that a file's name tells."""
    return next((codec for codec in CODECS if path.endswith(codec.suffix)), None)


def codec_named(name: str) -> Codec:
    """The inverse of `Codec.name`.

    Raises:
        ValueError: there is none.
    """
    for codec in CODECS:
        if codec.name == name:
            return codec
    raise ValueError(f"unknown compression {name!r}")


def plain_name(path: str) -> str:
    """The path without the suffix of a compressed file."""
    codec = codec_of(path)
    return path[: -len(codec.suffix)] if codec else path


class _At(io.RawIOBase):
    """A descriptor as a file with a position of its own. Closing it leaves the descriptor open."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self.descriptor = descriptor
        self.position = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = os.preadv(self.descriptor, [buffer], self.position)
        self.position += count
        return count


class Unpacked:
    """The content of a compressed file, as `os.pread` gives that of a plain one; only going back is dear.

    ``damage`` says why the end was reached before the end of the file (None: it was not).
    """

    def __init__(self, descriptor: int, codec: Codec) -> None:
        self._descriptor = descriptor
        self._codec = codec
        self._begin()

    def _begin(self) -> None:
        self._raw = _At(self._descriptor)
        self._start, self._kept = 0, b""
        self.ended = False
        self.damage: str | None = None
        self.first = b""
        magic = os.pread(self._descriptor, len(self._codec.magic), 0)
        self._stream = self._codec.open(io.BufferedReader(self._raw, _BLOCK))
        if magic != self._codec.magic:
            self.ended, self.damage = True, f"it is no {self._codec.name} file"
        self.first = self.pread(FIRST_BYTES, 0)

    @property
    def length(self) -> int:
        """Bytes unpacked so far: all, when it ``ended``."""
        return self._start + len(self._kept)

    @property
    def consumed(self) -> int:
        """Bytes of the compressed file that were used so far."""
        return self._raw.position

    def pread(self, count: int, offset: int) -> bytes:
        """``count`` bytes from ``offset`` on; fewer only at the end."""
        if offset < self._start:
            self._begin()
        while self.length < offset and self.advance(offset):
            pass
        pieces, size = [self._kept], self.length
        while size < offset + count:
            more = self._more(offset + count - size)
            if not more:
                break
            pieces.append(more)
            size += len(more)
        self._kept = b"".join(pieces)
        wanted = self._kept[max(0, offset - self._start) :][:count]
        self._forget(offset)
        return wanted

    def advance(self, upto: int | None = None) -> bool:
        """Unpack another block, not beyond ``upto``; False at the end."""
        more = self._more(_BLOCK if upto is None else upto - self.length)
        self._kept += more
        self._forget(self.length)
        return bool(more)

    def _forget(self, upto: int) -> None:
        spare = min(upto, self.length) - _KEPT - self._start
        if spare > 0:
            self._kept = self._kept[spare:]
            self._start += spare

    def _more(self, wanted: int) -> bytes:
        if self.ended:
            return b""
        try:
            read = getattr(self._stream, "read1", self._stream.read)
            data: bytes = read(min(wanted, _BLOCK))
        except _DAMAGE as error:
            if isinstance(error, OSError) and error.errno:
                raise
            self.damage = str(error) or type(error).__name__
            data = b""
        self.ended = not data
        return data
