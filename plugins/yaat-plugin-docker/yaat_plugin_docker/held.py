"""The file in which podman keeps a container's log, held open: what is left in it after `podman run --rm`.

conmon writes a line for each message (the format of Kubernetes' container runtimes): a time, the stream, F for a whole
line or P for the beginning of one, and the text:

    2026-01-05T10:00:00.123456789+00:00 stdout F words
"""

from __future__ import annotations

import os
import re
import stat
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from yaat_plugin_docker import times
from yaat_plugin_docker.frames import STDERR, STDOUT, NotFrames

_LINE: Final = re.compile(rb"(\S{20,35}) (stdout|stderr) ([FP]) ?(.*)", re.DOTALL)
_HEADER: Final = struct.Struct(">BxxxI")
_STREAMS: Final = {b"stdout": STDOUT, b"stderr": STDERR}
_DRIVERS: Final = ("json-file", "k8s-file")
_SECOND: Final = 1_000_000_000
#: Bytes that are read at once, and that hold at least one whole line.
_PIECE: Final = 1 << 20
_STEP: Final = 256 << 10


class HeldLog:
    """Open as long as the container is followed. ``owner`` is the engine's user: others' files are not the engine's."""

    def __init__(self, path: str, owner: int) -> None:
        self._path = path
        self._owner = owner
        self._descriptor = -1
        self._known: dict[bytes, bytes] = {}

    @classmethod
    def of(cls, path: str, driver: str, owner: int | None) -> HeldLog | None:
        """None: it has no such file, or not on this machine."""
        return cls(path, owner) if owner is not None and driver in _DRIVERS and path.startswith("/") else None

    def refresh(self) -> None:
        """Open it, anew when it was rotated. What can't be opened is done without."""
        try:
            status = os.lstat(self._path)
        except OSError:
            return
        if self._descriptor >= 0 and os.path.samestat(status, os.fstat(self._descriptor)):
            return
        self.close()
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
        try:
            descriptor = os.open(self._path, flags)
        except OSError:
            return
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_uid == self._owner:
            self._descriptor = descriptor
        else:
            os.close(descriptor)

    @property
    def removed(self) -> bool:
        """It is open, and has no name any more."""
        return self._descriptor >= 0 and os.fstat(self._descriptor).st_nlink == 0

    def pieces(self, since: int, *, terminal: bool) -> Iterator[bytes]:
        """From ``since`` (nanoseconds) on at the latest, as the engine would send it.

        Raises:
            NotFrames: it is no such file.
            OSError: it can't be read.
        """
        place, rest = self._start(since), b""
        while data := os.pread(self._descriptor, _PIECE, place):
            place += len(data)
            *lines, rest = (rest + data).split(b"\n")
            yield b"".join([self._sent(line, terminal=terminal) for line in lines])

    def close(self) -> None:
        """Let go of it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _start(self, since: int) -> int:
        """Where a line begins that is older than ``since``; 0 when there is none. Goes back from the end."""
        place, step = os.fstat(self._descriptor).st_size, _STEP
        while since and place:
            place, step = max(0, place - step), 2 * step
            data = os.pread(self._descriptor, _STEP, place)
            begin = data.find(b"\n") + 1 if place else 0
            moment = times.parse(data[begin : begin + 64].partition(b" ")[0].decode("ascii", "replace"))
            if moment is not None and moment < since:
                return place + begin
        return 0

    def _sent(self, line: bytes, *, terminal: bool) -> bytes:
        match = _LINE.fullmatch(line)
        if match is None:
            raise NotFrames(f"its file holds {line[:60]!r}")
        written, stream, flag, text = match.groups()
        payload = b"%s %s%s" % (self._time(written), text, b"\n" if flag == b"F" else b"")
        return payload if terminal else _HEADER.pack(_STREAMS[stream], len(payload)) + payload

    def _time(self, written: bytes) -> bytes:
        """In whole seconds, as podman tells it."""
        known = self._known.get(written)
        if known is None:
            moment = times.parse(written.decode("ascii", "replace"))
            if moment is None:
                raise NotFrames(f"its file holds no time: {written!r}")
            if len(self._known) > 4096:
                self._known.clear()
            second = datetime.fromtimestamp(moment // _SECOND, UTC)
            known = self._known[written] = second.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
        return known
