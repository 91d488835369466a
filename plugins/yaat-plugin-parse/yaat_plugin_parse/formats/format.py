"""What a format is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from yaat_plugin_parse.found import Found


class Format(Protocol):
    """Reads lines of one kind. Made with the options of its type; keeps what it learnt, if anything, by stream."""

    def fits(self, lines: Any) -> Any:
        """For each line, does it look like this format? A boolean numpy array; a guess is enough."""
        ...

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """What was found, in parts without a common row; lines in no part do not fit.

        ``lines`` is a string array without nulls; ``Found.rows`` are indexes into it.
        """
        ...
