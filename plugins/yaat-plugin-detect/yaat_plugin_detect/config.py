"""Where to look and how far. This plugin has no component: what can be set is in the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

import attrs

from yaat_core.config.defaults import HOST_ROOT

#: Seconds after which looking ends with what was found: an agent waits for it at its start.
PATIENCE: Final = 3.0
#: Processes that are looked at, oldest first.
MAX_PROCESSES: Final = 20_000
#: Characters of a command line that are kept.
MAX_COMMAND: Final = 16 * 2**10
#: Open files of one process that are looked at.
MAX_OPEN: Final = 2_000
#: Bytes of one configuration file, and of all of them.
MAX_FILE: Final = 2**20
MAX_READ: Final = 16 * 2**20
#: Files that a pattern of a configuration file may name, and the depth to which files include others.
MAX_FOUND: Final = 500
MAX_DEPTH: Final = 10
#: Log files that one service may have: a source reads them all.
MAX_LOGS: Final = 200


@attrs.frozen
class Place:
    """Where the machine's file system is: ``/``, or where it is mounted in the agent's container."""

    root: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str] | None = None) -> Place:
        """From ``YAAT_HOST_ROOT``."""
        root = (os.environ if environ is None else environ).get(HOST_ROOT, "")
        return cls(os.path.abspath(root).rstrip("/") if root else "")

    def local(self, path: str) -> str:
        """Where this process finds a path of the machine."""
        return self.root + path
