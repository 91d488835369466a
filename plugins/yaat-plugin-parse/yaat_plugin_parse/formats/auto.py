"""Whichever format fits: each line goes to the first that takes it, the stream's favourite first.

The favourite is what took most lines of the last batch, so a stream whose content changes changes its favourite with
it; a line that fits none stays as it is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from yaat_plugin_parse.config import AutoConfig, JsonConfig, NginxConfig, PythonConfig
from yaat_plugin_parse.formats.format import Format
from yaat_plugin_parse.formats.json import JsonFormat
from yaat_plugin_parse.formats.nginx import NginxFormat
from yaat_plugin_parse.formats.python import PythonFormat
from yaat_plugin_parse.found import Found
from yaat_plugin_parse.leading import subset
from yaat_plugin_parse.streams import Streams

#: What is told of a stream none of whose lines fit.
NONE = "none"


@attrs.define
class _Choice:
    favourite: str = NONE


class AutoFormat:
    """All formats that need no options, tried line by line."""

    def __init__(self, config: AutoConfig, chosen: Callable[[Mapping[str, int]], None]) -> None:
        """``chosen`` is told how many streams have which favourite, whenever that changes."""
        self._formats: dict[str, Format] = {
            "json": JsonFormat(JsonConfig(timezone=config.timezone, max_depth=config.max_depth)),
            "nginx": NginxFormat(NginxConfig()),
            "python": PythonFormat(PythonConfig(timezone=config.timezone)),
        }
        self._streams: Streams[_Choice] = Streams(_Choice)
        self._chosen = chosen

    def fits(self, lines: Any) -> Any:
        """Whether any of them takes a line."""
        return np.logical_or.reduce([one.fits(lines) for one in self._formats.values()])

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """What the formats found, the favourite first."""
        choice = self._streams.get(stream)
        rest = np.arange(len(lines))
        parts: list[Found] = []
        taken: Counter[str] = Counter()
        for name in sorted(self._formats, key=lambda one: one != choice.favourite):
            if not len(rest):
                break
            found = self._by(self._formats[name], subset(lines, rest), rest, stream)
            taken[name] = sum(len(part.rows) for part in found)
            if taken[name]:
                parts += found
                rest = np.setdiff1d(rest, np.concatenate([part.rows for part in found]), assume_unique=True)
        self._decide(choice, taken)
        return parts

    def _by(self, one: Format, lines: Any, rows: Any, stream: str) -> list[Found]:
        looks = np.flatnonzero(one.fits(lines))
        if not len(looks):
            return []
        return [part.within(rows[looks]) for part in one.parse(subset(lines, looks), stream)]

    def _decide(self, choice: _Choice, taken: Counter[str]) -> None:
        [(best, count)] = taken.most_common(1) or [(NONE, 0)]
        favourite = best if count else choice.favourite
        if favourite != choice.favourite:
            choice.favourite = favourite
            self._chosen(Counter(one.favourite for one in self._streams))
