"""A pattern's named groups as `Fields`, on whole columns (RE2, through Arrow)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_parse.found import Fields


def matched(lines: Any, pattern: str, *, empty: Collection[str] = ()) -> Fields:
    """The groups of every line in which ``pattern`` is found.

    A group that is empty or took no part is null, but for those named in ``empty``: they always take part.
    """
    found = pc.extract_regex(lines, pattern)
    rows = np.flatnonzero(np.asarray(found.is_valid()))
    if len(rows) < len(lines):
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
