"""Which container a sender on a Unix socket runs in: the kernel says which process it is, its control group the container.

DogStatsD's origin detection: SCM_CREDENTIALS with each datagram, SO_PEERCRED of each connection (unix(7)), /proc/PID/cgroup.
"""

from __future__ import annotations

import socket
import struct
import time
from pathlib import Path
from typing import Final

from yaat_kit.containers import container_in

PROC: Final = Path("/proc")
#: ``struct ucred``: process, user, group.
_CREDENTIALS: Final = struct.Struct("3i")
SPACE: Final = socket.CMSG_SPACE(_CREDENTIALS.size)
#: Seconds after which a process is looked at again (its number may be another's), and processes that are remembered.
_FRESH: Final = 5.0
_REMEMBERED: Final = 4096


def ask(made: socket.socket) -> None:
    """Have the kernel say of each datagram who sent it."""
    made.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)


def process_of(ancillary: list[tuple[int, int, bytes]]) -> int:
    """The process that `recvmsg` names; 0: none, or one that can't be seen from here."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS and len(data) >= _CREDENTIALS.size:
            return int(_CREDENTIALS.unpack_from(data)[0])
    return 0


def peer_of(made: socket.socket) -> int:
    """The process that made a connection; 0 as in `process_of`."""
    data = made.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(data)[0])


class Origins:
    """Processes to containers, remembered for a moment."""

    def __init__(self, proc: Path = PROC) -> None:
        self._proc = proc
        self._known: dict[int, bytes] = {}
        self._until = 0.0
        self.hidden = 0
        """Packets of processes that can't be seen: of another process namespace."""

    def container(self, process: int) -> bytes:
        """The container's id; empty outside of containers, and when the process has ended."""
        if not process:
            self.hidden += 1
            return b""
        now = time.monotonic()
        if now >= self._until or len(self._known) >= _REMEMBERED:
            self._known.clear()
            self._until = now + _FRESH
        found = self._known.get(process)
        if found is None:
            found = self._known[process] = self._look(process)
        return found

    def _look(self, process: int) -> bytes:
        try:
            text = (self._proc / str(process) / "cgroup").read_text(encoding="utf-8", errors="replace")
        except OSError:  # it has ended, or is hidden from this user
            return b""
        return container_in(text).encode("ascii")
