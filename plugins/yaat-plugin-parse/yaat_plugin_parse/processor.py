"""Processors around formats: `ParseProcessor` for one, `AutoProcessor` for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Any, Final

import numpy as np
import pyarrow as pa

from yaat_core.components import Context, Drop, Finding, Processor
from yaat_core.event import EventBatch
from yaat_plugin_parse.choosing import PLAIN, Chooser, Told
from yaat_plugin_parse.formats.format import Format, Learning
from yaat_plugin_parse.found import Found, remaining
from yaat_plugin_parse.leading import all_rows, look, subset
from yaat_plugin_parse.mentioned import with_ids
from yaat_plugin_parse.tally import Tally
from yaat_plugin_parse.weave import weave

UNMATCHED: Final = "yaat_parse_unmatched_total"
_UNMATCHED_HELP: Final = "Lines that did not fit the format; they stay as they are."
_LAYERS: Final = 3
"""So many formats may be wrapped in one another: JSON in syslog in a container's line."""


class ParseProcessor(Processor):
    """Takes lines apart in place. Drops nothing: a line that does not fit stays the message, with time and level where seen.

    ``inside`` makes the format of what is wrapped in others (a container's line), when there is something wrapped.
    """

    is_format = True

    def __init__(self, format: Format, zone: tzinfo, context: Context, inside: Callable[[], Format]) -> None:
        self._format = format
        self._zone = zone
        self._inside = inside
        self._inner: Format | None = None
        self._unmatched = context.stats.counter(UNMATCHED, _UNMATCHED_HELP)
        self._tally = Tally()

    def detail(self) -> str:
        """See `Processor.detail`."""
        return self._tally.told()

    def problems(self) -> Sequence[Finding]:
        """Most lines do not fit: the wrong format, or options that say something else than the program does."""
        return self._tally.problems()

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        """See `Processor.process`."""
        rows = all_rows(batch.column("message"))
        if not len(rows):
            return batch, ()
        if batch.labels.opening and isinstance(self._format, Learning):
            opening = pa.array(batch.labels.opening.split("\n"), pa.string())
            self._format.learn(opening, batch.labels.stream)
        batch, again, left = self._read(batch, rows, self._format, batch.labels.stream)
        self._unmatched.add(left)
        self._tally.add(len(rows), left, batch.labels.stream)
        for _ in range(_LAYERS):
            if not len(again):
                break
            self._inner = self._inner or self._inside()
            batch, again, _ = self._read(batch, again, self._inner, f"{batch.labels.stream} (content)")
        return with_ids(batch), ()

    def _read(self, batch: EventBatch, rows: Any, format: Format, stream: str) -> tuple[EventBatch, Any, int]:
        """The rows by a format; the rows that are to be read again, and how many did not fit."""
        lines = subset(batch.column("message"), rows)
        parts = list(format.parse(lines, stream))
        left = remaining(len(lines), parts)
        if len(left):
            parts.append(look(subset(lines, left), left, self._zone))
        again = np.sort(np.concatenate([rows[:0], *(rows[_wrapped(part)] for part in parts)]))
        return weave(batch, [part.within(rows) for part in parts]), again, len(left)


class AutoProcessor(ParseProcessor):
    """The format of each stream is found out from its lines, and told in the log and in the agent's figures."""

    def __init__(self, chooser: Chooser, zone: tzinfo, context: Context) -> None:
        super().__init__(chooser, zone, context, lambda: chooser)
        self._chooser = chooser
        self._chosen = ""
        chooser.tell = self._told
        self._log = context.log
        stats = context.stats
        names = chooser.counts()
        self._streams = {
            name: stats.gauge(
                "yaat_parse_auto_streams", "Streams by the format chosen for them.", format=name
            )
            for name in names
        }
        self._lines = {
            name: stats.counter(
                "yaat_parse_auto_lines_total", "Lines by the format that read them.", format=name
            )
            for name in names
        }

    def process(self, batch: EventBatch) -> tuple[EventBatch, Sequence[Drop]]:
        """See `Processor.process`; afterwards tells what was chosen."""
        result = super().process(batch)
        counts = self._chooser.counts()
        self._chosen = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
        for name, count in counts.items():
            self._streams[name].set(count)
        for name, lines in self._chooser.taken().items():
            self._lines[name].add(lines)
        return result

    def detail(self) -> str:
        """Streams by format, and how many lines none fits."""
        return f"{self._chosen}; {self._tally.told()}" if self._chosen else ""

    def problems(self) -> Sequence[Finding]:
        """None: lines without a format are what `auto` is for."""
        return ()

    def _told(self, told: Told) -> None:
        if told.name == PLAIN:
            self._log.info("%r has no format that is known any more: its lines stay as they are", told.stream)
        else:
            self._log.info(
                "%r is %s: it fits %d of %d lines", told.stream, told.name, told.fitting, told.sample
            )


def _wrapped(part: Found) -> Any:
    """The rows of a part that are to be read again."""
    if part.again is True:
        return part.rows
    if part.again is False:
        return part.rows[:0]
    return part.rows[np.asarray(pa.array(part.again).fill_null(False))]
