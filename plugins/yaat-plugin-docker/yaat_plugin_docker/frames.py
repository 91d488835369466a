"""Bytes of a log, as the engine sends them, to frames: one for each message of the log driver.

Without a terminal each message has a header of eight bytes (the stream, three zeros, the length in network order; Docker Engine
API, "Attach to a container", "Stream format"), then a time, a blank, and the text. A text that does not end in a newline is the
beginning of a line that was too long for one message. With a terminal there are no headers: times and texts only.
"""

from __future__ import annotations

import re
import struct
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa

from yaat_plugin_docker import times

STDOUT: Final = 1
STDERR: Final = 2
_HEADER: Final = struct.Struct(">BxxxI")
_LONGEST: Final = 64 << 20
#: Bytes at which engines divide a line of a terminal: Docker; podman, mostly (it divides where a read of the terminal ended).
_DIVISIONS: Final = (16_384, 8_192, 4_095)
_INNER_TIME: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) ")
_LAST_TIME: Final = re.compile(_INNER_TIME.pattern + rb"$")
_KNOWN_TIMES: Final = 4096


class NotFrames(Exception):
    """The bytes are not a log as the API describes it."""


@attrs.frozen(eq=False)
class Frames:
    """Frames of one chunk, as columns of equal length.

    ``stream`` is uint8, ``time`` int64 nanoseconds, ``text`` a binary array without line ends, ``whole`` tells which ended in
    a newline.
    """

    stream: Any
    time: Any
    text: Any
    whole: Any

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: Any) -> Frames:
        """Some of them, by their indexes."""
        return Frames(self.stream[rows], self.time[rows], self.text.take(pa.array(rows)), self.whole[rows])


NO_FRAMES: Final = Frames(
    np.zeros(0, np.uint8), np.zeros(0, np.int64), pa.array([], pa.binary()), np.zeros(0, bool)
)


class Unpacker:
    """Cuts one answer into frames; the rest of a chunk waits for the next."""

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal
        self._rest = b""
        self._known: dict[bytes, int] = {}

    def feed(self, chunk: bytes) -> Frames:
        """The frames that are complete now.

        Raises:
            NotFrames: no such format.
        """
        data = self._rest + chunk if self._rest else chunk
        starts, ends, streams, used = _lines(data) if self._terminal else _framed(data)
        self._rest = data[used:]
        if len(self._rest) > _LONGEST:
            raise NotFrames(f"a line of more than {_LONGEST >> 20} MiB")
        return self._frames(data, starts, ends, streams)

    def finish(self) -> Frames:
        """At the end of a terminal's log: a last line without its newline. Half a frame is read again another time."""
        data, self._rest = self._rest, b""
        if not self._terminal or not data:
            return NO_FRAMES
        return self._frames(data, np.array([0]), np.array([len(data)]), np.array([STDOUT], np.uint8))

    def _frames(self, data: bytes, starts: Any, ends: Any, streams: Any) -> Frames:
        if not len(starts):
            return NO_FRAMES
        letters = np.frombuffer(data, np.uint8)
        moments, texts = self._times(data, letters, starts, ends)
        ends = np.maximum(ends, texts)
        whole = (ends > texts) & (letters[np.maximum(ends - 1, 0)] == 10)
        stops = ends - whole
        stops = stops - (whole & (stops > texts) & (letters[np.maximum(stops - 1, 0)] == 13))
        text = _slices(data, texts, stops)
        if self._terminal:
            text = _without_inner_times(text, stops - texts)
        return Frames(np.where(streams == STDERR, STDERR, STDOUT).astype(np.uint8), moments, text, whole)

    def _times(self, data: bytes, letters: Any, starts: Any, ends: Any) -> tuple[Any, Any]:
        """The time of each frame, and where its text begins."""
        width = data.find(b" ", int(starts[0]), int(starts[0]) + 64) - int(starts[0])
        if width > 0 and int((ends - starts).min()) > width:
            inside = letters[starts[:, None] + np.arange(width + 1)]
            if (inside[:, width] == 0x20).all():
                found = times.parse_columns(inside[:, :width])
                if found is not None:
                    return found, starts + width + 1
        both = [
            self._time(data, start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ]
        return np.array([one[0] for one in both], np.int64), np.array([one[1] for one in both], np.int64)

    def _time(self, data: bytes, start: int, end: int) -> tuple[int, int]:
        blank = data.find(b" ", start, min(end, start + 64))
        written = data[start:blank] if blank > 0 else data[start:end].rstrip(b"\r\n")
        moment = self._known.get(written)
        if moment is None:
            moment = times.parse(written[:64].decode("ascii", "replace"))
            if moment is None:
                raise NotFrames(f"no time at the beginning of {data[start : start + 60]!r}")
            if len(self._known) >= _KNOWN_TIMES:
                self._known.clear()
            self._known[written] = moment
        return moment, blank + 1 if blank > 0 else start + len(written)


def _framed(data: bytes) -> tuple[Any, Any, Any, int]:
    """Where each frame's payload begins and ends, its stream, and how many bytes are used up."""
    starts, ends, streams, position = [], [], [], 0
    unpack, size = _HEADER.unpack_from, len(data)
    while position + 8 <= size:
        stream, length = unpack(data, position)
        if stream > STDERR or length > _LONGEST:
            raise NotFrames(f"no frame: {data[position : position + 8]!r}")
        end = position + 8 + length
        if end > size:
            break
        if length:
            starts.append(position + 8)
            ends.append(end)
            streams.append(stream)
        position = end
    return np.array(starts, np.int64), np.array(ends, np.int64), np.array(streams, np.uint8), position


def _lines(data: bytes) -> tuple[Any, Any, Any, int]:
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == 10).astype(np.int64) + 1
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]]) if len(ends) else ends
    return starts, ends, np.full(len(ends), STDOUT, np.uint8), int(ends[-1]) if len(ends) else 0


def _slices(data: bytes, starts: Any, stops: Any) -> Any:
    """The pieces of ``data`` as a binary array: every other value of one that covers all of it."""
    offsets = np.empty(2 * len(starts) + 1, np.int32)
    offsets[0] = 0
    offsets[1::2] = starts
    offsets[2::2] = stops
    covering = pa.Array.from_buffers(
        pa.binary(), 2 * len(starts), [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )
    return covering.take(pa.array(np.arange(1, 2 * len(starts), 2)))


def _without_inner_times(text: Any, sizes: Any) -> Any:
    """A long line of a terminal has a time in the middle where the engine divided it."""
    if int(sizes.max()) <= min(_DIVISIONS):
        return text
    return pa.array(
        [one if len(one) <= min(_DIVISIONS) else _joined(one) for one in text.to_pylist()], pa.binary()
    )


def _joined(line: bytes) -> bytes:
    pieces, position = [], 0
    while found := _division(line, position):
        end, position_after = found
        pieces.append(line[position:end])
        position = position_after
    return b"".join([*pieces, line[position:]])


def _division(line: bytes, start: int) -> tuple[int, int] | None:
    """The next time in the middle, or behind the last piece: where it begins, and where the text goes on."""
    for size in _DIVISIONS:
        if match := _INNER_TIME.match(line, start + size):
            return match.span()
    match = _LAST_TIME.search(line, max(start, len(line) - 40)) if start else None
    return match.span() if match else None
