"""The container that the agent itself runs in, if any: its output is never read."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Final

from yaat_kit.containers import CONTAINER_ID

#: Files that engines mount into a container from a folder of its own.
_MOUNTED: Final = ("/etc/hostname", "/etc/hosts", "/etc/resolv.conf")
_MARKS: Final = ("/.dockerenv", "/run/.containerenv")


def own_ids(root: Path = Path("/")) -> frozenset[str]:
    """Ids of the agent's container, or their first twelve digits; empty outside of containers."""
    found = {match for line in _lines(root / "proc/self/cgroup") for match in CONTAINER_ID.findall(line)}
    for line in _lines(root / "proc/self/mountinfo"):
        fields = line.split(" ")
        if len(fields) > 4 and fields[4] in _MOUNTED:
            found.update(CONTAINER_ID.findall(fields[3])[-1:])
    host = socket.gethostname()
    if any((root / mark.lstrip("/")).exists() for mark in _MARKS) and re.fullmatch("[0-9a-f]{12}", host):
        found.add(host)
    return frozenset(found)


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except OSError:
        return []
