"""Processors around formats: `ParseProcessor` for one, `AutoProcessor` for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, Final

import numpy as np

from yaat_core.components import Context, Drop, Processor
from yaat_core.event import EventBatch
from yaat_plugin_parse.choosing import Chooser
from yaat_plugin_parse.formats.format import Format
from yaat_plugin_parse.found import Found
from yaat_plugin_parse.leading import all_rows, look, subset
from yaat_plugin_parse.weave import weave

UNMATCHED: Final = "yaat_parse_unmatched_total"
_UNMATCHED_HELP: Final = "Lines that did not fit the format; they stay as they are."


class ParseProcessor(Processor):
    """Takes lines apart in place. Drops nothing: a line that does not fit stays the message, with time and level where seen."""

    def __init__(self, format: Format, zone: tzinfo, context: Context) -> None:
        self._format = format
        self._zone = zone
        self._unmatched = context.stats.counter(UNMATCHED, _UNMATCHED_HELP)

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        """See `Processor.process`."""
        column = batch.column("message")
        rows = all_rows(column)
        if not len(rows):
            return batch, ()
        lines = subset(column, rows)
        parts = list(self.parts(lines, batch.labels.stream))
        left = remaining(len(lines), parts)
        if len(left):
            self._unmatched.add(len(left))
            parts.append(look(subset(lines, left), left, self._zone))
        return weave(batch, [part.within(rows) for part in parts]), ()

    def parts(self, lines: Any, stream: str) -> Sequence[Found]:
        """What the format finds in the lines of a stream."""
        return self._format.parse(lines, stream)


class AutoProcessor(ParseProcessor):
    """The format of each stream is found out from its lines."""

    def __init__(self, chooser: Chooser, zone: tzinfo, context: Context) -> None:
        super().__init__(chooser, zone, context)
        self._chooser = chooser
        self._streams = {
            name: context.stats.gauge(
                "yaat_parse_auto_streams", "Streams by the format chosen for them.", format=name
            )
            for name in chooser.counts()
        }

    def parts(self, lines: Any, stream: str) -> Sequence[Found]:
        """Choose, and tell what was chosen."""
        found = super().parts(lines, stream)
        for name, count in self._chooser.counts().items():
            self._streams[name].set(count)
        return found


def remaining(rows: int, parts: Sequence[Found]) -> Any:
    """The indexes of rows that are in no part."""
    free = np.ones(rows, bool)
    for part in parts:
        free[part.rows] = False
    return np.flatnonzero(free)
