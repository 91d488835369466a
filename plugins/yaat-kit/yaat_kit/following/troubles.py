"""What can't be read now: told once, tried again with growing pauses."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Final

import attrs

from yaat_core.components import Finding
from yaat_kit.following.descriptors import Descriptors
from yaat_kit.following.generation import Generation

_FIRST: Final = 1.0
_LONGEST: Final = 60.0
#: Findings of one kind at most.
_TOLD: Final = 5


@attrs.define
class _Trouble:
    text: str
    retry_at: float
    pause: float = _FIRST


@attrs.define(eq=False)
class Troubles:
    """By path. A path that fails in another way than before is told again."""

    log: logging.Logger
    known: dict[str, _Trouble] = attrs.field(factory=dict)

    def add(self, path: str, error: OSError, now: float) -> None:
        """It failed."""
        text = error.strerror or type(error).__name__
        trouble = self.known.get(path)
        if trouble is None or trouble.text != text:
            self.known[path] = _Trouble(text, now + _FIRST)
            self.log.warning("can't read %r: %s; the other files go on, this one is tried again", path, text)
        else:
            trouble.pause = min(2 * trouble.pause, _LONGEST)
            trouble.retry_at = now + trouble.pause

    def due(self, path: str, now: float) -> bool:
        """May it be tried (again)?"""
        trouble = self.known.get(path)
        return trouble is None or now >= trouble.retry_at

    def over(self, path: str) -> None:
        """It works, or is gone."""
        if self.known.pop(path, None) is not None and os.path.exists(path):
            self.log.info("%r can be read again", path)

    def __len__(self) -> int:
        return len(self.known)


def what_is_wrong(
    descriptors: Descriptors, failing: Sequence[Generation], troubles: Sequence[Troubles]
) -> Sequence[Finding]:
    """No descriptors; files that stopped being readable; paths that can't be opened: the first few of each."""
    found = []
    if descriptors.scarce:
        found.append(
            Finding(
                problem=f"files can't be opened: {descriptors.scarce}",
                advice="raise the limit of open files (LimitNOFILE= of the service, ulimit -n) or lower max_open_files",
                level="warn",
            )
        )
    paths = [(path, one.text) for some in troubles for path, one in some.known.items()]
    paths += [(generation.path, generation.trouble) for generation in failing if not descriptors.scarce]
    for path, text in paths[:_TOLD]:
        advice = "give the agent's user the right to read it (`yaat validate` says how), or exclude it; the other files are read"
        found.append(Finding(problem=f"can't read {path!r}: {text}", advice=advice, level="warn"))
    if len(paths) > _TOLD:
        more = f"{len(paths) - _TOLD} more paths can't be read"
        found.append(Finding(problem=more, advice="`yaat validate` lists them", level="warn"))
    return found
