"""Writing to a descriptor that somebody else reads, at their pace, in a thread that can be told to stop."""

from __future__ import annotations

import os
import select
import stat
from collections.abc import Callable, Iterator
from typing import Final

#: A pipe that is ready takes this much at once, whole (POSIX, PIPE_BUF on Linux).
_PIECE: Final = 4_096
_FILE_PIECE: Final = 2**20
#: How long a reader may be slow before we look whether we are still wanted.
_PATIENCE_MS: Final = 50


class LineWriter:
    """Writes lines in pieces that end where a line ends, if only the line fits.

    So a reader never sees half a line, unless one that is longer than a pipe takes at once is given up in the
    middle: then the next write begins with a newline.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._within_line = False

    def write(self, data: bytes, *, stop: Callable[[], None]) -> None:
        """Write everything. ``stop`` is called while the reader is slow, and raises when it is time to give up.

        Raises:
            BrokenPipeError: nobody reads any more.
            OSError: it can't be written (a full disk).
        """
        if self._within_line and data:
            data = b"\n" + data
        for piece in _pieces(data, _FILE_PIECE if self._regular else _PIECE):
            self._whole(piece, stop)

    def _whole(self, piece: memoryview, stop: Callable[[], None]) -> None:
        while piece:
            self._wait(stop)
            try:
                written = os.write(self._descriptor, piece)
            except BlockingIOError:  # somebody made the descriptor non-blocking, and it filled up
                continue
            if written:
                self._within_line = piece[written - 1] != ord("\n")
            piece = piece[written:]

    def _wait(self, stop: Callable[[], None]) -> None:
        """Until the reader has room, or is gone."""
        if self._regular:
            return
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        while not poll.poll(_PATIENCE_MS):
            stop()


def _pieces(data: bytes, size: int) -> Iterator[memoryview]:
    """The data in order, in pieces of at most ``size`` bytes that end with a line where that is possible."""
    view, start = memoryview(data), 0
    while start < len(data):
        end = min(start + size, len(data))
        newline = data.rfind(b"\n", start, end)
        if end < len(data) and newline >= 0:
            end = newline + 1
        yield view[start:end]
        start = end
