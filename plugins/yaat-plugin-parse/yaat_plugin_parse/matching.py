"""Patterns (RE2) on whole columns: where they match, and their named groups as `Fields`.

Arrow compiles a pattern at every call, which takes as long as matching a thousand lines; a few lines are matched by
patterns that stay compiled.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import re2

from yaat_plugin_parse.found import Fields

_FEW: Final = 128
"""Lines up to which compiled patterns are quicker."""


class Look:
    """Whether any of some patterns matches, in one walk over each of a few lines."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._patterns = tuple(patterns)

    def __call__(self, lines: Any) -> Any:
        """A boolean numpy array."""
        if len(lines) > _FEW:
            found = [pc.match_substring_regex(lines, one).fill_null(False) for one in self._patterns]
            return np.logical_or.reduce([np.asarray(one) for one in found])
        match = _compiled(self._patterns).Match
        return np.array([line is not None and bool(match(line)) for line in lines.to_pylist()], bool)


def hits(lines: Any, pattern: str) -> Any:
    """Where a pattern matches: a boolean numpy array."""
    return Look((pattern,))(lines)


@lru_cache(maxsize=1024)
def _compiled(patterns: tuple[str, ...]) -> Any:
    """Shared by all formats that look for the same."""
    several = re2.Set.SearchSet()
    for pattern in patterns:
        several.Add(pattern)
    several.Compile()
    return several


def matched(lines: Any, pattern: str, *, empty: Collection[str] = ()) -> Fields:
    """The groups of every line in which ``pattern`` is found.

    A group that is empty or took no part is null, but for those named in ``empty``: they always take part.
    """
    rows = np.flatnonzero(hits(lines, pattern)) if len(lines) <= _FEW else np.arange(len(lines))
    if not len(rows):
        return Fields(rows, {})
    found = pc.extract_regex(lines if len(rows) == len(lines) else lines.take(pa.array(rows)), pattern)
    if found.null_count:
        rows = rows[np.asarray(found.is_valid())]
        found = found.drop_null()
    names = [field.name for field in found.type]
    columns = {
        name: column if name in empty else given(column)
        for name, column in zip(names, found.flatten(), strict=True)
    }
    return Fields(rows, {name: column for name, column in columns.items() if column.null_count < len(column)})


def given(column: Any, nothing: str = "") -> Any:
    """The column with ``nothing`` as null."""
    return kept(column, pc.not_equal(column, pa.scalar(nothing, pa.string())))


def kept(column: Any, mask: Any) -> Any:
    """The column where ``mask`` is true, else null.

    Arrow looks for an optional module, in vain and for a third of a millisecond, whenever it has to guess
    the type of a Python value; so constants have their types in this package.
    """
    return pc.if_else(mask, column, pa.scalar(None, column.type))
