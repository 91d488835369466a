"""What was asked before, in a file for this user alone: SQL may hold what is secret."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import platformdirs
from prompt_toolkit.history import FileHistory

from yaat_core.durable import private, replace

#: Entries that are kept when the file has grown beyond so many bytes.
_KEPT: Final = 1000
_LARGE: Final = 512 << 10


def history_file() -> Path:
    """``$XDG_STATE_HOME/yaat/query_history``."""
    return platformdirs.user_state_path("yaat") / "query_history"


class PrivateHistory(FileHistory):
    """A file of mode 0600, bounded. What begins with a space is not written."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            OSError: the file can't be made or read.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(path, "ab", opener=private) as file:
            os.fchmod(file.fileno(), 0o600)
            large = file.tell() > _LARGE
        super().__init__(str(path))
        if large:
            self._shorten(path)

    def store_string(self, string: str) -> None:
        """At the end of the file."""
        if not string.startswith(" "):
            super().store_string(string)

    def _shorten(self, path: Path) -> None:
        newest: Iterable[str] = list(self.load_history_strings())[:_KEPT]
        replace(path, b"")
        for string in reversed(list(newest)):
            self.store_string(string)
