"""Bytes to lines: a whole chunk at once, with the offset of every line.

`LineCutter.cut` is a pure function of the bytes from one offset on. What it does not consume (a line
without its newline) is simply read again from there, so no state is kept between chunks but the
`Skipping` of a line that was too long, and every division of the same bytes gives the same lines.
"""

from __future__ import annotations

import codecs
import enum
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_kit.encodings import Encoding


class Skipping(enum.Enum):
    """What is passed over before the next line begins."""

    NOTHING = ""
    ZEROS = "zeros"
    """The hole that a writer left which kept its position when its file was truncated."""
    LINE = "line"
    """The rest of a line that was cut."""


@attrs.frozen(eq=False)
class Lines:
    """Lines of one chunk, as columns of equal length.

    ``text`` is a string array without line ends; ``starts`` and ``ends`` are int64 offsets in the
    file, of a line's first byte and of the byte behind its newline; ``cut`` is how many bytes a line
    is known to miss because it was too long (0: whole).
    """

    text: Any
    starts: Any
    ends: Any
    cut: Any

    def __len__(self) -> int:
        return len(self.starts)

    def slice(self, start: int, stop: int) -> Lines:
        """Some of them."""
        return Lines(
            self.text.slice(start, stop - start),
            self.starts[start:stop],
            self.ends[start:stop],
            self.cut[start:stop],
        )


_NO_OFFSETS: Final = np.zeros(0, np.int64)
NO_LINES: Final = Lines(pa.array([], pa.string()), _NO_OFFSETS, _NO_OFFSETS, _NO_OFFSETS)


@attrs.frozen(eq=False, kw_only=True)
class Cut:
    """What `LineCutter.cut` made of a chunk.

    ``end`` is the offset up to which the chunk is used up, ``skipping`` what to pass over from there,
    ``dropped`` how many bytes of long lines and ``zeros`` how many of a hole came before the first
    line, ``partial`` whether bytes are left that form no line yet.
    """

    lines: Lines
    end: int
    skipping: Skipping = Skipping.NOTHING
    dropped: int = 0
    zeros: int = 0
    partial: bool = False


@attrs.frozen
class LineCutter:
    """Cuts chunks into lines of at most ``max_bytes``, not counting the newline."""

    max_bytes: int

    def cut(
        self, data: bytes, start: int, encoding: Encoding, *, skipping: Skipping, final: bool = False
    ) -> Cut:
        """Lines of ``data``, whose first byte has the offset ``start``.

        With ``final`` an unfinished last line counts as finished. A line that is too long becomes
        a line of its first ``max_bytes`` bytes, the rest is passed over.
        """
        passed, left = _pass_over(data, encoding, skipping, -start % encoding.unit)
        if final and left is not Skipping.NOTHING:
            passed = len(data)
        dropped, zeros = (0, passed) if skipping is Skipping.ZEROS else (passed, 0)
        if left is not Skipping.NOTHING:
            return Cut(lines=NO_LINES, end=start + passed, skipping=left, dropped=dropped, zeros=zeros)
        if start + passed == 0 and encoding.bom and data.startswith(encoding.bom):
            passed = len(encoding.bom)
        lines, used, left = self._lines(data[passed:], start + passed, encoding, final=final)
        return Cut(
            lines=lines,
            end=start + passed + used,
            skipping=left,
            dropped=dropped,
            zeros=zeros,
            partial=passed + used < len(data),
        )

    def _lines(
        self, data: bytes, start: int, encoding: Encoding, *, final: bool
    ) -> tuple[Lines, int, Skipping]:
        unit = encoding.unit
        units = np.frombuffer(data, encoding.dtype, count=len(data) // unit)
        ends = (np.flatnonzero(units == 10).astype(np.int64) + 1) * unit
        complete = int(ends[-1]) if len(ends) else 0
        rest = (len(data) if final else len(units) * unit) - complete
        too_long = rest > self.max_bytes
        if too_long or (final and rest):
            ends = np.append(ends, complete + rest)
        elif not complete:
            return NO_LINES, 0, Skipping.NOTHING
        starts = np.concatenate([_NO_OFFSETS, [0], ends[:-1]])
        sizes = ends - starts - unit
        if ends[-1] > complete:
            sizes[-1] = rest
        cut = np.maximum(sizes - self.max_bytes, 0)
        stop = int(starts[-1] + sizes[-1])
        if encoding.codec == "utf-8" and not cut.any() and data.find(b"\r", 0, stop) < 0:
            text = _split(data, stop)
        else:
            stop = int(starts[-1] + sizes[-1])
        if encoding.codec == "utf-8" and not cut.any() and data.find(b"\r", 0, stop) < 0:
            text = _split(data, stop)
        else:
            text = _text(self._shortened(data, starts, sizes, cut, encoding), len(starts), encoding)
        used = int(ends[-1])
        left = Skipping.LINE if too_long and not final else Skipping.NOTHING
        return Lines(text, starts + start, ends + start, cut), used, left

    def _shortened(self, data: bytes, starts: Any, sizes: Any, cut: Any, encoding: Encoding) -> bytes:
        """``data`` up to the end of the last line, without what is cut, and ending in a newline."""
        newline = encoding.encode("\n")
        stop = int(starts[-1] + sizes[-1])
        odd = 0 if cut[-1] else int(sizes[-1]) % encoding.unit
        if odd:
            data, stop = data[: stop - odd] + encoding.encode("\ufffd"), stop - odd + encoding.unit
        long = np.flatnonzero(cut)
        if not len(long):
            return data[: stop + len(newline)] if len(data) > stop else data + newline
        pieces, position = [], 0
        for row in long:
            first = int(starts[row])
            keep = first + _whole_characters(data[first : first + self.max_bytes], encoding)
            pieces.append(data[position:keep])
            position = first + int(sizes[row])
        return b"".join([*pieces, data[position:stop], newline])


def _pass_over(data: bytes, encoding: Encoding, skipping: Skipping, odd: int) -> tuple[int, Skipping]:
    """How many bytes to pass over, and what is still to pass over after them.

    ``odd`` bytes are the rest of a character that reading began in the middle of.
    """
    if skipping is Skipping.LINE:
        units = np.frombuffer(data, encoding.dtype, count=len(data) // encoding.unit)
        found = np.flatnonzero(units == 10)
        if not len(found):
            return len(units) * encoding.unit, Skipping.LINE
        return (int(found[0]) + 1) * encoding.unit, Skipping.NOTHING
    if skipping is Skipping.ZEROS:
        zeros = len(data) - len(data.lstrip(b"\0"))
        return zeros - zeros % encoding.unit, Skipping.ZEROS if zeros == len(data) else Skipping.NOTHING
    return min(odd, len(data)), Skipping.NOTHING


def _whole_characters(data: bytes, encoding: Encoding) -> int:
    """How many bytes of ``data`` are left when a divided last character is taken off."""
    decoder = codecs.getincrementaldecoder(encoding.codec)("replace")
    decoder.decode(data)
    return len(data) - len(decoder.getstate()[0])


def _text(block: bytes, rows: int, encoding: Encoding) -> Any:
    """A string array of the ``rows`` lines of ``block``, which ends in a newline. What can't be decoded becomes U+FFFD."""
    text = block
    if encoding.codec != "utf-8":
        text = block.decode(encoding.codec, "replace").encode()
        if text.count(b"\n") != rows or not text.endswith(b"\n"):
            return _one_by_one(block, encoding)
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
    return _split(text, len(text) - 1)


def _split(block: bytes, stop: int) -> Any:
    """The lines of ``block[:stop]``, which is not copied before they are."""
    try:
        whole = _string(block, stop)
    except pa.ArrowInvalid:
        mended = block[:stop].decode("utf-8", "replace").encode()
        whole = _string(mended, len(mended))
    return pc.split_pattern(whole, "\n").flatten()


def _one_by_one(block: bytes, encoding: Encoding) -> Any:
    """Each line decoded by itself: what can't be decoded took a newline along, or gave one."""
    newline = encoding.encode("\n")
    units = np.frombuffer(block, encoding.dtype, count=len(block) // encoding.unit)
    ends = np.flatnonzero(units == 10) * encoding.unit
    starts = [0, *(ends[:-1] + len(newline)).tolist()]
    texts = [
        block[start:end].decode(encoding.codec, "replace").removesuffix("\r").replace("\n", "\ufffd")
        for start, end in zip(starts, ends.tolist(), strict=True)
    ]
    return pa.array(texts, pa.string())


def _string(block: bytes, stop: int) -> Any:
    """One string: ``block[:stop]``, checked to be UTF-8."""
    offsets = pa.py_buffer(np.array([0, stop], np.int32))
    raw = pa.Array.from_buffers(pa.binary(), 1, [None, offsets, pa.py_buffer(block)])
    return pc.cast(raw, pa.string())
