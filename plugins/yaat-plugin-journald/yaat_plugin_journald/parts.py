"""Lines that were divided on their way to the journal, made whole again.

journald divides what a program writes to its output at `LineMax=` (48 KiB), and says `_LINE_BREAK=line-max` of the part before
(systemd.journal-fields(7)). Docker's and Podman's journald drivers mark all parts but the last `CONTAINER_PARTIAL_MESSAGE=true`,
Docker names them by `CONTAINER_PARTIAL_ID`. The next entry of the same stream is the next part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs
import numpy as np

from yaat_plugin_journald.cursors import Places
from yaat_plugin_journald.entries import Entries, Field

BREAK, STREAM = "_LINE_BREAK", "_STREAM_ID"
PARTIAL, PARTIAL_ID = "CONTAINER_PARTIAL_MESSAGE", "CONTAINER_PARTIAL_ID"
CONTAINER, PRIORITY, MESSAGE = "CONTAINER_ID_FULL", "PRIORITY", "MESSAGE"
#: What has to be read to tell parts.
FIELDS: Final = frozenset((BREAK, STREAM, PARTIAL, PARTIAL_ID, CONTAINER, PRIORITY, MESSAGE))

_Stream = tuple[bytes, ...]


@attrs.frozen(eq=False)
class Whole:
    """``entries`` with whole messages where the first parts are.

    ``lines`` are the rows of each line of several parts; ``open`` those of lines whose end is missing: they are as they were.
    """

    entries: Entries
    lines: Sequence[Sequence[int]] = ()
    open: Sequence[Sequence[int]] = ()

    def firsts(self) -> Any:
        """The rows that begin a line, and are whole: booleans."""
        found = np.ones(len(self.entries), bool)
        for line in self.lines:
            found[line[1:]] = False
        for line in self.open:
            found[line] = False
        return found

    def with_parts(self, rows: Any) -> Any:
        """``rows`` (booleans), and what was joined to them."""
        for line in self.lines:
            rows[line] |= rows[line[0]]
        return rows


def has_parts(entries: Entries) -> bool:
    """Is any of them a part that another one follows?"""
    return any(_marked(entries, name, value) for name, value in ((BREAK, b"line-max"), (PARTIAL, b"true")))


def whole(entries: Entries, places: Places, most: int, over: Callable[[Sequence[int]], bool]) -> Whole:
    """Put parts together, up to ``most`` bytes: what is longer is divided there.

    ``over`` says of an open line's rows that nothing more comes.
    """
    if not has_parts(entries):
        return Whole(entries)
    goes_on = {*_marked(entries, BREAK, b"line-max"), *_marked(entries, PARTIAL, b"true")}
    streams = {_stream(entries, places, row) for row in goes_on}
    names = {name for name, *_ in streams}
    lines: list[list[int]] = []
    open_: dict[_Stream, list[int]] = {}
    sizes: dict[_Stream, int] = {}
    cut = list(entries.cut)
    for row in _rows_of(entries, names):
        stream = _stream(entries, places, row)
        if stream not in streams:
            continue
        size = len(entries.value(MESSAGE, row))
        if (line := open_.get(stream)) is not None and sizes[stream] + size > most:
            cut.append(line[0])
            lines.append(open_.pop(stream))
            line = None
        if line is None:
            line, sizes[stream] = [], 0
            open_[stream] = line
        line.append(row)
        sizes[stream] += size
        if row not in goes_on:
            lines.append(open_.pop(stream))
    lines += [line for line in open_.values() if over(line)]
    several = [line for line in lines if len(line) > 1]
    joined = {line[0]: b"".join(entries.value(MESSAGE, row) for row in line) for line in several}
    made = attrs.evolve(_with_messages(entries, joined), cut=cut)
    return Whole(made, several, [line for line in open_.values() if not over(line)])


def _marked(entries: Entries, name: str, value: bytes) -> list[int]:
    field = entries.fields.get(name)
    if field is None:
        return []
    return [row for row, found in zip(field.rows, field.values, strict=True) if found == value]


def _stream(entries: Entries, places: Places, row: int) -> _Stream:
    """The field that names the stream, and what belongs to its identity."""
    boot = places.streams[row][32:]
    if container := entries.value(CONTAINER, row):
        number = entries.value(PARTIAL_ID, row)
        return (CONTAINER.encode(), boot, container, entries.value(PRIORITY, row), number)
    return (STREAM.encode(), boot, entries.value(STREAM, row))


def _rows_of(entries: Entries, names: set[bytes]) -> list[int]:
    """The rows that have one of these fields, in order."""
    fields = [entries.fields[name.decode()] for name in names if name.decode() in entries.fields]
    return sorted({row for field in fields for row in field.rows})


def _with_messages(entries: Entries, messages: Mapping[int, bytes]) -> Entries:
    if not messages:
        return entries
    old = entries.fields[MESSAGE]
    values = [messages.get(row, value) for row, value in zip(old.rows, old.values, strict=True)]
    return attrs.evolve(entries, fields={**entries.fields, MESSAGE: Field(old.rows, values)})
