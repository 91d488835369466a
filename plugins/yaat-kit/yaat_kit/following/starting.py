"""What a follower takes over from the run before it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs
import msgspec

from yaat_kit.following.checkpoint import Checkpoint
from yaat_kit.following.discovery import matches

#: Key of the checkpoint that holds the patterns of the last run.
PATTERNS_KEY: Final = b"patterns"
_LINE_SEARCH: Final = 65_536


@attrs.frozen(kw_only=True)
class Selection:
    """Which files: absolute patterns, exclusions, folders (real paths) that are never read from.

    Files that were last written more than ``older_than`` seconds ago are not begun (None: all are).
    With ``archives``, compressed files are read as what is in them.
    """

    paths: Sequence[str]
    exclude: Sequence[str] = ()
    forbidden: Sequence[str] = ()
    start_at_end: bool = False
    older_than: float | None = None
    archives: bool = False


@attrs.frozen(kw_only=True)
class Stored:
    """The checkpoints of the last run: those that can be used, the keys of those that can't, and its patterns."""

    checkpoints: Mapping[bytes, Checkpoint]
    broken: Sequence[bytes]
    patterns: Sequence[str]

    @classmethod
    def read(cls, stored: Mapping[bytes, bytes], log: logging.Logger) -> Stored:
        """Decode; what can't be used is told, and its file will be read from the beginning."""
        checkpoints, broken = {}, []
        for key, value in stored.items():
            if key == PATTERNS_KEY:
                continue
            try:
                checkpoints[key] = Checkpoint.decode(value)
            except ValueError as error:
                broken.append(key)
                log.warning(
                    "a stored checkpoint can't be used, its file is read from the beginning: %s", error
                )
        return cls(checkpoints=checkpoints, broken=broken, patterns=_patterns(stored, log))

    def start_rule(self, selection: Selection) -> Callable[[str], bool]:
        """Whether a file that was never seen starts at its end: one that an earlier run would have
        found was created since, and is read whole."""

        def at_end(path: str) -> bool:
            return selection.start_at_end and not any(matches(pattern, path) for pattern in self.patterns)

        return at_end


def _patterns(stored: Mapping[bytes, bytes], log: logging.Logger) -> Sequence[str]:
    try:
        return msgspec.json.decode(stored.get(PATTERNS_KEY, b"[]"), type=list[str])
    except msgspec.MsgspecError as error:
        log.warning("the stored patterns of the last run can't be used: %s", error)
        return []


def last_line_end(descriptor: int, size: int, alignment: int) -> int:
    """The offset behind the last newline, so that a line that is being written is read whole."""
    data = os.pread(descriptor, _LINE_SEARCH, max(0, size - _LINE_SEARCH))
    at = data.rfind(b"\n")
    return size if at < 0 else -(-(size - len(data) + at + 1) // alignment) * alignment
