"""Formats that patterns describe: lines by how they begin, then one pattern after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import numpy as np

from yaat_plugin_parse.found import Fields, Found
from yaat_plugin_parse.leading import subset
from yaat_plugin_parse.matching import Look, hits, matched
from yaat_plugin_parse.naming import Names, assign

Finish = Callable[[Fields], Found]
"""The named groups of a pattern to columns of the event."""

Change = Callable[[dict[str, Any]], dict[str, Any]]
"""Values of groups to other ones, before they are named."""


@attrs.frozen
class Family:
    """How lines of a kind begin, and what they may be, best first: a later pattern may read a line of an earlier one
    with less in its groups. ``empty`` names groups that may be empty and are kept."""

    beginning: str
    patterns: tuple[str, ...]
    finish: Finish
    empty: tuple[str, ...] = ("message",)


class PatternFormat:
    """A format made of families. No line begins as two of them do."""

    def __init__(self, families: Sequence[Family]) -> None:
        self._families = families
        self._look = Look([pattern for family in families for pattern in family.patterns])

    def fits(self, lines: Any) -> Any:
        """Where some pattern reads the line."""
        return self._look(lines)

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line that one of the patterns reads."""
        parts: list[Found] = []
        rows = np.arange(len(lines))
        for family in self._families:
            if not len(rows):
                break
            mine = hits(subset(lines, rows), family.beginning)
            parts += read_in_turn(lines, rows[mine], family)
            rows = rows[~mine]
        return parts


def read_in_turn(lines: Any, rows: Any, family: Family) -> list[Found]:
    """The rows of ``lines`` by the family's patterns, each row by the first that reads it."""
    parts: list[Found] = []
    for pattern in family.patterns:
        if not len(rows):
            break
        fields = matched(subset(lines, rows), pattern, empty=family.empty)
        if len(fields.rows):
            parts.append(family.finish(fields).within(rows))
            rows = np.delete(rows, fields.rows)
    return parts


def named(names: Names, renamed: Mapping[str, str] | None = None, change: Change | None = None) -> Finish:
    """A `Finish`: groups changed, then called by their tags' names, then given to columns."""
    renamed = renamed or {}

    def finish(fields: Fields) -> Found:
        columns = dict(fields.columns)
        if change is not None:
            columns = change(columns)
        columns = {renamed.get(name, name): column for name, column in columns.items()}
        return assign(attrs.evolve(fields, columns=columns), names)

    return finish
