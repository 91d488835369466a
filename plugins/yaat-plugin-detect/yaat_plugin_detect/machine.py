"""A `Machine` on the real one: everything is read once, and up to a limit."""

from __future__ import annotations

import functools
import glob
import os

from yaat_core.detection import Listener, Process
from yaat_plugin_detect import processes, sockets
from yaat_plugin_detect.config import MAX_FILE, MAX_FOUND, MAX_READ, Place
from yaat_plugin_detect.files import read_regular


class ThisMachine:
    """The machine whose file system is at ``place``."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._proc = place.local("/proc")
        self._left = MAX_READ
        self._refused: dict[str, None] = {}
        self._texts: dict[tuple[str, int], str | None] = {}

    @functools.cached_property
    def processes(self) -> list[Process]:
        """See `Machine`."""
        return list(processes.processes(self._proc))

    @functools.cached_property
    def listeners(self) -> list[Listener]:
        """See `Machine`."""
        return list(sockets.listeners(self._proc, self.processes))

    def open_logs(self, pid: int) -> list[str]:
        """See `Machine`."""
        return list(dict.fromkeys(processes.open_logs(self._proc, pid)))

    def read(self, path: str, *, uid: int = 0) -> str | None:
        """See `Machine`."""
        if not path.startswith("/") or "\0" in path:
            return None
        if (path, uid) not in self._texts:
            self._texts[path, uid] = self._read(path, uid)
        return self._texts[path, uid]

    def _read(self, path: str, uid: int) -> str | None:
        # root's agent may read everything, but whoever runs a process may not choose what is read
        owners = frozenset({0, uid}) if uid else None
        try:
            data = read_regular(self.local(path), min(MAX_FILE, self._left), owners)
        except PermissionError:
            self._refused[path] = None
            return None
        except (OSError, ValueError):
            return None
        self._left -= len(data)
        return data.decode("utf-8", "replace")

    def owner(self, path: str) -> int | None:
        """See `Machine`."""
        try:
            return os.stat(self.local(path)).st_uid
        except (OSError, ValueError):
            return None

    def glob(self, pattern: str) -> list[str]:
        """See `Machine`."""
        if not pattern.startswith("/") or "\0" in pattern:
            return []
        root = len(self._place.root)
        found = glob.iglob(glob.escape(self._place.root) + pattern)
        return sorted(path[root:] for _, path in zip(range(MAX_FOUND), found, strict=False))

    def exists(self, path: str) -> bool:
        """See `Machine`."""
        return "\0" not in path and os.path.exists(self.local(path))

    def local(self, path: str) -> str:
        """See `Machine`."""
        return self._place.local(path)

    def refused(self) -> list[str]:
        """See `Machine`."""
        return list(self._refused)
