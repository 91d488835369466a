"""Has the configuration changed on disk? A cheap look at the file, at those that it includes, and at where more may appear."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

import attrs

from yaat_core.config.including import read
from yaat_core.config.problems import ConfigError

#: What stands for a state of all the files: by path, inode, size and time of change; None for one that is not there.
Look = frozenset[tuple[str, tuple[int, int, int] | None]]


@attrs.frozen
class Watched:
    """The main file, and the patterns of what it includes."""

    main: Path
    patterns: Sequence[str] = ()

    def look(self) -> Look | None:
        """How it is now; None while the main file is not there."""
        there = _state(str(self.main))
        if there is None:
            return None
        found = {name for pattern in self.patterns for name in _matching(pattern)}
        return frozenset({(str(self.main), there), *((name, _state(name)) for name in found)})


def look_at(main: Path, before: Watched | None) -> tuple[Watched, Look | None, str]:
    """What is to be watched, how it is now, and the digest of the texts.

    Of a file that can't be read: with the patterns that were known before, and no digest.
    """
    try:
        whole = read(main)
    except ConfigError:
        watched, digest = Watched(main, before.patterns if before else ()), ""
    else:
        watched, digest = Watched(main, whole.patterns), whole.digest
    return watched, watched.look(), digest


def _matching(pattern: str) -> list[str]:
    return glob.glob(pattern, recursive=True) if glob.has_magic(pattern) else [pattern]


def _state(name: str) -> tuple[int, int, int] | None:
    try:
        about = Path(name).stat()
    except OSError:
        return None
    return about.st_ino, about.st_size, about.st_mtime_ns
