"""Entries of the journal as columns: what both readers fill, field by field, and what events are made of.

A field comes as journald keeps it, ``NAME=value`` in bytes. Most of them come again and again (`_HOSTNAME=web1`): what was learnt
of one is found by its bytes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from yaat_plugin_journald.cursors import Places, places_of

#: Fields whose values hardly come twice, and those that are too long, are not remembered.
_UNIQUE: Final = frozenset(
    (
        b"MESSAGE",
        b"_SOURCE_REALTIME_TIMESTAMP",
        b"_SOURCE_BOOTTIME_TIMESTAMP",
        b"_SOURCE_MONOTONIC_TIMESTAMP",
        b"__REALTIME_TIMESTAMP",
        b"__MONOTONIC_TIMESTAMP",
        b"__SEQNUM",
    )
)
_REMEMBERED_BYTES: Final = 256
_REMEMBERED: Final = 20_000
#: What a field costs beyond its bytes, in a batch's budget.
_OVERHEAD: Final = 32
#: One entry of so many is found by its number, more are by looking at all.
_FEW: Final = 16


@attrs.frozen
class Field:
    """One field's values: ``values[k]`` belongs to the entry ``rows[k]``; rows ascend, one may come several times."""

    rows: Sequence[int]
    values: Sequence[bytes]

    def of(self, row: int) -> Sequence[bytes]:
        """The values of one entry."""
        return self.values[bisect_left(self.rows, row) : bisect_right(self.rows, row)]


@attrs.frozen(kw_only=True)
class Entries:
    """Consecutive entries. ``cut`` are rows of which a value was cut."""

    cursors: Sequence[bytes]
    fields: Mapping[str, Field]
    cut: Sequence[int] = ()
    unreadable: int = 0
    """Values that could not be read: the journal file is damaged."""

    def __len__(self) -> int:
        return len(self.cursors)

    def places(self) -> Places:
        """Where each is."""
        return places_of(self.cursors)

    def value(self, name: str, row: int) -> bytes:
        """The first value that an entry has of a field; empty when it has none."""
        found = self.fields[name].of(row) if name in self.fields else ()
        return found[0] if found else b""

    def take(self, rows: Sequence[int]) -> Entries:
        """Some of them, in ascending order."""
        few = len(rows) * _FEW < len(self)
        places = {} if few else {row: place for place, row in enumerate(rows)}
        fields = {}
        for name, field in self.fields.items():
            if few:
                several = [(place, value) for place, row in enumerate(rows) for value in field.of(row)]
            else:
                pairs = zip(field.rows, field.values, strict=True)
                several = [(places[row], value) for row, value in pairs if row in places]
            if several:
                fields[name] = Field([place for place, _ in several], [value for _, value in several])
        cut = set(self.cut)
        return Entries(
            cursors=[self.cursors[row] for row in rows],
            fields=fields,
            cut=[place for place, row in enumerate(rows) if row in cut],
        )

    def followed_by(self, others: Entries) -> Entries:
        """These and others."""
        if not len(self):
            return others
        shift = len(self)
        fields = dict(self.fields)
        for name, field in others.fields.items():
            rows = [row + shift for row in field.rows]
            if (own := fields.get(name)) is not None:
                fields[name] = Field([*own.rows, *rows], [*own.values, *field.values])
            else:
                fields[name] = Field(rows, field.values)
        return Entries(
            cursors=[*self.cursors, *others.cursors],
            fields=fields,
            cut=[*self.cut, *(row + shift for row in others.cut)],
            unreadable=others.unreadable,
        )


NO_ENTRIES: Final = Entries(cursors=(), fields={})


class Collector:
    """Fills `Entries`. ``wanted`` are names of fields; None: all.

    The loop over a journal's fields is the hottest of this plugin: a reader hands an entry's fields to `fields` at once.
    """

    def __init__(self, wanted: frozenset[bytes] | None, max_value: int) -> None:
        self._wanted = wanted
        self._max_value = max_value
        self._known: dict[bytes, tuple[int, bytes] | tuple[()]] = {}
        self._index: dict[bytes, int] = {}
        self._begin()

    def _begin(self) -> None:
        self.cursors: list[bytes] = []
        self.bytes = 0
        self.unreadable = 0
        self._cut: list[int] = []
        self._rows: list[list[int]] = [[] for _ in self._index]
        self._values: list[list[bytes]] = [[] for _ in self._index]

    def wants(self, name: bytes) -> bool:
        """Is this field asked for? Those with two underscores are the journal's own, no fields of the entry."""
        return name in self._wanted if self._wanted is not None else not name.startswith(b"__")

    def entry(self, cursor: bytes) -> None:
        """The next entry begins."""
        self.cursors.append(cursor)

    def fields(self, several: Iterable[bytes]) -> None:
        """``NAME=value`` each, of the entry that was begun last."""
        row, size = len(self.cursors) - 1, self.bytes
        known, rows, values = self._known, self._rows, self._values
        for data in several:
            found = known.get(data)
            if found is None:
                found = self._learn(data)
            if found:
                index, value = found
                rows[index].append(row)
                values[index].append(value)
                size += len(value) + _OVERHEAD
        self.bytes = size

    def cut(self) -> None:
        """A value of the last entry is not whole."""
        self._cut.append(len(self.cursors) - 1)

    def take(self) -> Entries:
        """What was collected, and begin anew."""
        fields = {
            name.decode("ascii", "replace"): Field(self._rows[index], self._values[index])
            for name, index in self._index.items()
            if self._rows[index]
        }
        taken = Entries(cursors=self.cursors, fields=fields, cut=self._cut, unreadable=self.unreadable)
        if len(self._known) > _REMEMBERED or len(self._index) > _REMEMBERED:
            self._known.clear()
            self._index.clear()
        self._begin()
        return taken

    def _learn(self, data: bytes) -> tuple[int, bytes] | tuple[()]:
        name, equals, value = data.partition(b"=")
        found: tuple[int, bytes] | tuple[()] = ()
        if equals and self.wants(name):
            if len(value) > self._max_value:
                self.cut()
                return (self._column(name), value[: self._max_value])
            found = (self._column(name), value)
        if len(data) <= _REMEMBERED_BYTES and name not in _UNIQUE and len(self._known) <= _REMEMBERED:
            self._known[data] = found
        return found

    def _column(self, name: bytes) -> int:
        index = self._index.setdefault(name, len(self._index))
        if index == len(self._rows):
            self._rows.append([])
            self._values.append([])
        return index
