"""What a file began with, for formats that learn from a header: asked for when reading goes on in the file's middle."""

from __future__ import annotations

from typing import Final

from yaat_kit.encodings import Encoding
from yaat_kit.following.generation import Generation
from yaat_kit.following.packing import FIRST_BYTES

#: What may come again in the middle of a file and changes how the lines after it are read (W3C's extended log files:
#: https://www.w3.org/TR/WD-logfile.html, "Directives"), and the longest one.
_DIRECTIVE: Final = "#Fields:"
_LONGEST: Final = 64 << 10
#: Bytes that are searched for it at once, and at most.
_WINDOW: Final = 1 << 20
_FAR: Final = 256 << 20


def opening(generation: Generation, encoding: Encoding, offset: int) -> str:
    """Its first line; of lines that begin with `#` all, the one behind them, and the last `#Fields:` before ``offset``.

    Empty when the first line is longer than `FIRST_BYTES`.
    """
    data = first_bytes(generation, min(offset, FIRST_BYTES))
    if encoding.bom and data.startswith(encoding.bom):
        data = data[len(encoding.bom) :]
    *lines, _unfinished = _text(data, encoding).split("\n")
    comments = next((place for place, line in enumerate(lines) if not line.startswith("#")), len(lines))
    found = [line.rstrip("\r") for line in lines[: comments + 1]]
    if comments and generation.codec is None:
        found += _last_directive(generation, encoding, offset)
    return "\n".join(found)


def first_bytes(generation: Generation, count: int) -> bytes:
    """Up to so many bytes from its beginning, `FIRST_BYTES` at most; at no cost of going back in a compressed file."""
    unpacked = generation.unpacked
    return generation.pread(count, 0) if unpacked is None else unpacked.first[:count]


def _last_directive(generation: Generation, encoding: Encoding, offset: int) -> list[str]:
    sign, end = encoding.encode("\n" + _DIRECTIVE), offset
    while end > max(0, offset - _FAR):
        start = max(0, end - _WINDOW)
        at = generation.pread(min(offset, end + len(sign)) - start, start).rfind(sign)
        if at >= 0:
            begin = start + at + encoding.unit
            line = _text(generation.pread(min(_LONGEST, offset - begin), begin), encoding)
            return [line.partition("\n")[0].rstrip("\r")]
        end = start
    return []


def _text(data: bytes, encoding: Encoding) -> str:
    return data.decode(encoding.codec, "replace")
