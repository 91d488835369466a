"""What a format is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from yaat_plugin_parse.found import Found


@runtime_checkable
class Learning(Protocol):
    """A format that needs to have seen how a stream began."""

    def learn(self, opening: Any, stream: str) -> None:
        """What the stream began with, its headers at the end: a string array. Lines from its middle come next."""
        ...


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
