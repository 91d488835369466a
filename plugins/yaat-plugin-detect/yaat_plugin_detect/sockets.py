"""TCP sockets that listen, from /proc/net/tcp and tcp6 (`man 5 proc`), and whose they are."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import Final

from yaat_core.detection import Listener, Process
from yaat_plugin_detect.config import MAX_OPEN
from yaat_plugin_detect.files import read_regular

_LISTEN: Final = "0A"
_SOCKET: Final = re.compile(r"socket:\[(\d+)\]")
_LIMIT: Final = 4 * 2**20


def listeners(proc: str, processes: Iterable[Process]) -> Iterator[Listener]:
    """Every listening TCP socket of the machine's network namespace: its first process's, where that may be read."""
    owners = dict(_owners(proc, processes))
    for name in ("tcp", "tcp6"):
        text = _text(f"{proc}/1/net/{name}") or _text(f"{proc}/net/{name}")
        for line in text.splitlines()[1:]:
            parts = line.split()
            if len(parts) > 9 and parts[3] == _LISTEN:
                address, _, port = parts[1].partition(":")
                yield Listener(
                    address=_address(address), port=int(port, 16), uid=int(parts[7]), pid=owners.get(parts[9])
                )


def _text(path: str) -> str:
    try:
        return read_regular(path, _LIMIT).decode("ascii", "replace")
    except (OSError, ValueError):
        return ""


def _owners(proc: str, processes: Iterable[Process]) -> Iterator[tuple[str, int]]:
    """By inode: the youngest process that holds the socket and may be looked at."""
    for process in processes:
        folder = f"{proc}/{process.pid}/fd"
        try:
            for entry in os.listdir(folder)[:MAX_OPEN]:
                match = _SOCKET.fullmatch(os.readlink(f"{folder}/{entry}"))
                if match:
                    yield match[1], process.pid
        except OSError:  # it ended, or belongs to another user
            continue


def _address(text: str) -> str:
    """Words of 32 bits in the machine's byte order, as hexadecimal."""
    words = [bytes.fromhex(text[at : at + 8]) for at in range(0, len(text), 8)]
    data = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    return str(ipaddress.ip_address(data))
