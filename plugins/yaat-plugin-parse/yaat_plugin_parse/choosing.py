"""Which format the lines of a stream have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np

from yaat_plugin_parse.formats.format import Format, Learning
from yaat_plugin_parse.found import Found
from yaat_plugin_parse.leading import subset
from yaat_plugin_parse.streams import Streams

PLAIN: Final = "plain"
"""What the choice is called when no format fits."""

_SAMPLE: Final = 64
"""Lines that are looked at, from all over the batch."""
_SHARE: Final = 1 / 16
"""Share of the sample that must fit: little, since lines that do not fit come to no harm."""
_DOUBT: Final = 32
"""Lines that the choice did not read, in a row of batches of which another format read more, before it is given up."""


@attrs.frozen
class Told:
    """A decision: ``fitting`` of ``sample`` lines that were looked at are of the format."""

    stream: str
    name: str
    fitting: int
    sample: int


@attrs.define
class Choice:
    """A stream's format (None: none fits yet), and how many lines it did not read in a row of bad batches."""

    name: str | None = None
    misfits: int = 0


class Chooser:
    """A format made of all of them: the one that fits most lines is kept for each stream until others fit more.

    What the chosen one leaves is offered to the others in the same way, batch by batch.
    """

    def __init__(self, formats: Mapping[str, Format]) -> None:
        self._formats = formats
        self._choices: Streams[Choice] = Streams(Choice)
        self._taken: Counter[str] = Counter()
        self.tell: Callable[[Told], None] = _nobody
        """Told of each decision for a stream, and when one is given up."""

    def counts(self) -> dict[str, int]:
        """How many of the streams at hand have each format."""
        counts = dict.fromkeys([*self._formats, PLAIN], 0)
        for choice in self._choices:
            counts[choice.name or PLAIN] += 1
        return counts

    def taken(self) -> Mapping[str, int]:
        """Lines by the format that read them (`PLAIN`: none) since the last call."""
        taken, self._taken = self._taken, Counter()
        return taken

    def fits(self, lines: Any) -> Any:
        """Lines that look like any of the formats."""
        return np.logical_or.reduce([format.fits(lines) for format in self._formats.values()])

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """What the stream's format finds, and the others in what it leaves."""
        choice = self._choices.get(stream)
        if choice.name is None:
            choice.name = self._decided(lines, stream)
        parts: list[Found] = []
        taken: dict[str, int] = {}
        name, rows = choice.name, np.arange(len(lines))
        while name is not None and len(rows):
            found = [part.within(rows) for part in self._formats[name].parse(subset(lines, rows), stream)]
            left = np.setdiff1d(rows, np.concatenate([part.rows for part in found] or [rows[:0]]))
            taken[name] = len(rows) - len(left)
            parts += found
            rows = left
            name = self._best(
                subset(lines, rows), [other for other in self._formats if other not in taken]
            ).name
        self._taken.update({**taken, PLAIN: len(rows)})
        before = choice.name
        _judge(choice, len(lines), taken)
        if before is not None and choice.name is None:
            self.tell(Told(stream, PLAIN, taken.get(before, 0), len(lines)))
        return parts

    def learn(self, opening: Any, stream: str) -> None:
        """See `Learning`: a stream that began with a header of a format has this format."""
        choice = self._choices.get(stream)
        for name, format in self._formats.items():
            if isinstance(format, Learning) and np.all(format.fits(opening)):
                format.learn(opening, stream)
                choice.name = choice.name or name

    def _decided(self, lines: Any, stream: str) -> str | None:
        best = self._best(lines, tuple(self._formats))
        if best.name is not None:
            self.tell(Told(stream, best.name, best.fitting, best.sample))
        return best.name

    def _best(self, lines: Any, names: Sequence[str]) -> _Best:
        """The format that fits most of a sample, if that is enough of it."""
        if not len(lines) or not names:
            return _Best()
        sample = subset(lines, np.arange(0, len(lines), max(1, len(lines) // _SAMPLE)))
        fitting = {name: int(np.sum(self._formats[name].fits(sample))) for name in names}
        best = max(names, key=lambda name: fitting[name])
        enough = fitting[best] >= _SHARE * len(sample)
        return _Best(best if enough and fitting[best] else None, fitting[best], len(sample))


@attrs.frozen
class _Best:
    name: str | None = None
    fitting: int = 0
    sample: int = 0


def _nobody(told: Told) -> None:
    del told


def _judge(choice: Choice, rows: int, taken: Mapping[str, int]) -> None:
    """Give the choice up when others read more of the last batches, or nobody anything; the next one decides anew."""
    if choice.name is None:
        return
    own = taken.get(choice.name, 0)
    choice.misfits = choice.misfits + rows - own if not own or own < max(taken.values()) else 0
    if choice.misfits >= _DOUBT:
        choice.name, choice.misfits = None, 0
