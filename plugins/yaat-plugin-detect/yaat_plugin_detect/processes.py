"""Processes and their open logs, from /proc (`man 5 proc`)."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from typing import Final

from yaat_core.detection import Process
from yaat_kit.containers import container_in
from yaat_plugin_detect.config import MAX_COMMAND, MAX_OPEN, MAX_PROCESSES
from yaat_plugin_detect.files import read_regular

_LOG: Final = re.compile(r"(?:\.log|\.out|\.err|[._-](?:log|err)|/(?:stdout|stderr|syslog|messages))$")
_WRITES: Final = os.O_WRONLY | os.O_RDWR


def processes(proc: str, own_proc: str = "/proc/self") -> Iterator[Process]:
    """Every process that runs outside of containers, or in this one's, by age."""
    own = container_of(own_proc)
    for pid in _pids(proc):
        folder = f"{proc}/{pid}"
        try:
            uid = os.stat(folder).st_uid
            command = _command(folder)
            if not command or container_of(folder) not in ("", own):
                continue
            name = read_regular(f"{folder}/comm", 1024).decode("utf-8", "replace").strip()
        except (OSError, ValueError):  # it ended, or it is hidden from this user
            continue
        yield Process(pid=pid, uid=uid, name=name, command=command, folder=_link(f"{folder}/cwd"))


def container_of(folder: str) -> str:
    """Id of the container that a process runs in; empty: none that its control group names."""
    try:
        text = read_regular(f"{folder}/cgroup", 64 * 2**10).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""
    return container_in(text)


def open_logs(proc: str, pid: int) -> Iterator[str]:
    """Paths of regular files that a process writes and that look like logs, in the order of its descriptors."""
    folder = f"{proc}/{pid}/fd"
    try:
        numbers = sorted(int(name) for name in os.listdir(folder) if name.isdecimal())
    except OSError:
        return
    for number in numbers[:MAX_OPEN]:
        path = _link(f"{folder}/{number}")
        if not _LOG.search(path) or path.endswith(" (deleted)") or not path.startswith("/"):
            continue
        if _writes(f"{proc}/{pid}/fdinfo/{number}") and _is_regular(f"{folder}/{number}"):
            yield path


def _pids(proc: str) -> list[int]:
    try:
        return sorted(int(name) for name in os.listdir(proc) if name.isdecimal())[:MAX_PROCESSES]
    except OSError:
        return []


def _command(folder: str) -> tuple[str, ...]:
    with open(f"{folder}/cmdline", "rb") as opened:
        data = opened.read(MAX_COMMAND)
    text = data.rstrip(b"\0").decode("utf-8", "surrogateescape")
    return tuple(text.split("\0")) if text else ()


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _writes(path: str) -> bool:
    try:
        text = read_regular(path, 64 * 2**10).decode("ascii", "replace")
    except (OSError, ValueError):
        return False
    flags = re.search(r"^flags:\s*([0-7]+)$", text, re.M)
    return bool(flags and int(flags[1], 8) & _WRITES)


def _is_regular(path: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(path).st_mode)
    except OSError:
        return False
