"""How JSON values are written as text, the same for single values and for whole columns.

Strings as they are, ``true`` and ``false``, integers as written, other numbers in the shortest decimal
form that means the same float64 (12.50 is ``12.5``, 12.0 is ``12``), arrays as compact JSON.
"""

from __future__ import annotations

import math
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: Between these bounds Arrow and Python write a float64 alike, but for ``.0``.
_PLAIN: Final = (1e-4, 1e10)
_SPECIAL: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_encode: Final = msgspec.json.encode


def of_value(value: Any) -> str:
    """The text of one value; objects as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return of_float(value)
    return str(value) if isinstance(value, int) else _encode(value).decode()


def of_float(value: float) -> str:
    """Shortest form, whole numbers without a point."""
    text = repr(value)
    if math.isfinite(value):
        return text.removesuffix(".0")
    return _SPECIAL[text]


def of_column(column: Any) -> Any:
    """The texts of an Arrow column as a string array; null stays null."""
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_floating(kind):
        return _floats(column)
    if pa.types.is_list(kind):
        values = column.to_pylist()
        return pa.array([None if value is None else _encode(value).decode() for value in values], pa.string())
    return pc.cast(column, pa.string())


def _floats(column: Any) -> Any:
    text = pc.cast(column, pa.string())
    size = np.abs(np.asarray(column.fill_null(0.0)))
    plain = (size == 0) | ((size >= _PLAIN[0]) & (size < _PLAIN[1]))
    if plain.all():
        return text
    other = pa.array([of_float(value) for value in column.filter(pa.array(~plain)).to_pylist()], pa.string())
    return pc.replace_with_mask(text, pa.array(~plain), other)
