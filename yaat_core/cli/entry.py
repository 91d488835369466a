"""The first thing that the console script does: for `yaat run`, remember signals before anything else is imported."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Final

from yaat_core import early

#: Common options that take a value.
_VALUED: Final = ("-c", "--config", "--color")


def main() -> None:
    """Run the command line of this process."""
    if _is_agent(sys.argv[1:]):
        early.listen()
    from yaat_core.cli.main import main as go

    go()


def _is_agent(arguments: Sequence[str]) -> bool:
    """Is it `yaat run`, and not `--once`, which Ctrl-C ends?"""
    words = iter(arguments)
    for word in words:
        if word in _VALUED:
            next(words, None)
        elif not word.startswith("-"):
            return word == "run" and "--once" not in arguments
    return False
