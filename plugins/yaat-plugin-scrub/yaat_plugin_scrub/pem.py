"""Private keys that a source did not join: each line of the block is an event of its own."""

from __future__ import annotations

import itertools
import re
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_scrub.redaction import scattered

_MARK: Final = b"PRIVATE KEY"
_BEGIN: Final = re.compile(r"-{4,5} ?BEGIN (?:[A-Z0-9]+ ){0,4}PRIVATE KEY")
_END: Final = re.compile(r"-{4,5} ?END (?:[A-Z0-9]+ ){0,4}PRIVATE KEY")
#: A line within a block (RFC 7468, RFC 1421 headers, RFC 4880 headers).
_WITHIN: Final = re.compile(
    r"(?:[A-Za-z0-9+/]+={0,2}|(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash):.*)?"
)
#: A key of 16,384 bits has some 200 lines; and streams that end within a block are forgotten in time.
_MOST_LINES: Final = 400
_MOST_STREAMS: Final = 1_000


class KeyLines:
    """Remembers, by stream, whether a block is open; nothing of its text."""

    def __init__(self) -> None:
        self._left: dict[str, int] = {}

    def apply(self, messages: Any, stream: str, placeholder: str) -> tuple[Any, int]:
        """The messages of consecutive events of one stream, lines of keys replaced, and how many they were.

        The lines that begin and end a block are left to the detector.
        """
        left = self._left.pop(stream, 0)
        if not left and not _holds_mark(messages):
            return messages, 0
        rows = []
        for row, text in self._lines(messages, left):
            if left and _WITHIN.fullmatch(text.strip()):
                left -= 1
                if text.strip():
                    rows.append(row)
                continue
            left = _MOST_LINES if _opens(text) else 0
        self._remember(stream, left)
        if not rows:
            return messages, 0
        return scattered(messages, rows, pa.repeat(placeholder, len(rows))), len(rows)

    def _lines(self, messages: Any, left: int) -> Any:
        """Row and text: of all rows, from the first in question on."""
        first = 0 if left else pc.index(pc.match_substring(messages, "PRIVATE KEY"), True).as_py()
        # the mark may be in rows outside of a slice
        texts = [] if first < 0 else messages.slice(first).to_pylist()
        return zip(itertools.count(first), ("-" if text is None else text for text in texts))

    def _remember(self, stream: str, left: int) -> None:
        if left:
            self._left[stream] = left
            while len(self._left) > _MOST_STREAMS:
                del self._left[next(iter(self._left))]


def _opens(text: str) -> bool:
    """Does a block begin in this text that does not end in it?"""
    if "PRIVATE KEY" not in text:
        return False
    begins = [match.end() for match in _BEGIN.finditer(text)]
    return bool(begins) and not _END.search(text, begins[-1])


def _holds_mark(messages: Any) -> bool:
    data = messages.buffers()[2]
    return data is not None and _MARK in data.to_pybytes()
