"""What the system tells of changes in folders (inotify, by way of watchfiles), and where it can't.

One `Watch` blocks in a worker thread of its own. It is only there to be quick: whatever it misses is found by polling.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Collection
from typing import Final

from watchfiles import Change
from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

from yaat_core.components import Finding
from yaat_kit.following.filesystems import is_silent, kind_of

#: Changes are gathered for so long; how often the waiting thread looks whether there are any.
_GATHER_MS: Final = 50
_STEP_MS: Final = 50
_WAIT_MS: Final = 2000
_RETRY_SECONDS: Final = 60.0
#: With so many folders, others are watched after so many seconds at the earliest; in proportion with more.
_MANY: Final = 500
_HOLD_SECONDS: Final = 2.0
#: In texts of watchfiles and of the system: inotify's limits (inotify(7): ENOSPC, EMFILE).
_EXHAUSTED: Final = ("watch limit", "os error 28", "os error 24")


class Watch:
    """Watches folders, not what is below them."""

    def __init__(self, log: logging.Logger, concerns: Callable[[str], bool]) -> None:
        """Of files that change, only those that ``concerns`` picks are told; of what comes and goes, everything."""
        self._log = log
        self._concerns = concerns
        self._stop = threading.Event()
        self._folders: frozenset[str] | None = None
        self._notify: RustNotify | None = None
        self._told: set[str] = set()
        self._retry_at = 0.0
        self.complete = False
        """Is every folder watched, on a file system that tells of every change?"""
        self.problem: Finding | None = None

    def follow(self, folders: frozenset[str]) -> bool:
        """Watch these from now on; True when they are others than before, so that something may have been missed.

        A folder that is not there yet stands for the nearest one above it that is.
        """
        present = frozenset(_present(folder) for folder in folders)
        if present == self._folders and (self._notify or time.monotonic() < self._retry_at):
            return False
        self.complete = False
        if self._notify and time.monotonic() < self._retry_at:
            # Beginning anew is dear where folders are many: those that came are polled for a while.
            return False
        self._folders, self._notify = present, None
        try:
            self._notify = RustNotify(sorted(present), False, False, 0, False, True)
        except FileNotFoundError:
            # One went in between: the next call finds out.
            self._folders = None
        except (OSError, WatchfilesRustInternalError) as error:
            self._refused(str(error), len(present))
            self._retry_at = time.monotonic() + _RETRY_SECONDS
        else:
            self.problem = None
            self._retry_at = time.monotonic() + _HOLD_SECONDS * (len(present) // _MANY)
            self.complete = not self._silent(present)
        return True

    def changes(self) -> frozenset[str]:
        """Wait for a while; the paths to look at."""
        if self._notify is None:
            self._stop.wait(_WAIT_MS / 1000)
            return frozenset()
        changes = self._notify.watch(_GATHER_MS, _STEP_MS, _WAIT_MS, self._stop)
        if isinstance(changes, str):
            return frozenset()
        return frozenset(path for kind, path in changes if kind != Change.modified or self._concerns(path))

    def stop(self) -> None:
        """End a `changes` that waits."""
        self._stop.set()

    def _refused(self, error: str, count: int) -> None:
        full = any(hint in error for hint in _EXHAUSTED)
        why = "no inotify watches are left" if full else error
        advice = (
            "raise fs.inotify.max_user_watches and fs.inotify.max_user_instances (sysctl)" if full else ""
        )
        problem = f"{count} folders are polled, not watched: {why}"
        self.problem = Finding(problem=problem, advice=advice, level="warn")
        self._once(why, f"{problem}; nothing is lost, lines come up to a second later. {advice}".rstrip())

    def _silent(self, folders: Collection[str]) -> bool:
        """Are there folders whose file system may keep changes to itself?"""
        kinds = {kind: folder for folder in sorted(folders) if is_silent(kind := _kind(folder))}
        for kind, folder in kinds.items():
            self._once(
                kind, f"{folder!r} is on {kind}, which does not tell of every change: it is polled as well"
            )
        return bool(kinds)

    def _once(self, what: str, text: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._log.warning("%s", text)


def _present(folder: str) -> str:
    while not os.path.isdir(folder) and folder not in ("/", ""):
        folder = os.path.dirname(folder)
    return folder or "/"


def _kind(folder: str) -> str:
    try:
        return kind_of(os.stat(folder).st_dev)
    except OSError:
        return ""
