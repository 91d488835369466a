"""Arrow rows as JSON values, column by column.

Times are RFC 3339 in UTC with microseconds, 16 bytes a UUID, other bytes hex, maps objects, decimals numbers;
what JSON has no number for (NaN, infinity) is null.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def columns_of(schema: pa.Schema) -> list[dict[str, str]]:
    """Name and Arrow type of each column."""
    return [{"name": field.name, "type": str(field.type)} for field in schema]


def values_of(batch: pa.RecordBatch) -> list[list[Any]]:
    """The JSON values of each column of a batch."""
    return [_values(column) for column in batch.columns]


def rows_of(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    """The rows of a batch as objects. Of columns with the same name the last one wins."""
    names = batch.schema.names
    if not names:
        return [{} for _ in range(batch.num_rows)]
    return [dict(zip(names, row, strict=True)) for row in zip(*values_of(batch), strict=True)]


def _values(column: Any) -> list[Any]:
    if isinstance(column, pa.ExtensionArray):
        column = column.storage
    kind = column.type
    if pa.types.is_timestamp(kind):
        return _times(column)
    values: list[Any] = column.to_pylist()
    convert = _converter(kind)
    return values if convert is None else [None if value is None else convert(value) for value in values]


def _times(column: Any) -> list[Any]:
    """Whole columns at once; a time without zone gets none."""
    zone = "Z" if column.type.tz is not None else ""
    plain = pc.cast(column, pa.timestamp("us"), safe=False)
    text = pc.replace_substring(pc.cast(plain, pa.string()), " ", "T", max_replacements=1)
    return list(pc.binary_join_element_wise(text, zone, "").to_pylist())


def _converter(kind: Any) -> Callable[[Any], Any] | None:
    """What makes one value of this type ready for JSON; None when it is already."""
    types = pa.types
    if types.is_boolean(kind) or types.is_integer(kind) or types.is_null(kind):
        return None
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return None
    if types.is_floating(kind):
        return _number
    if types.is_map(kind):
        return _mapping(kind)
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return _each(_converter(kind.value_type))
    return json_value


def json_value(value: Any) -> Any:
    """One Python value that Arrow gave, ready for JSON."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return str(uuid.UUID(bytes=value)) if len(value) == 16 else value.hex()
    if isinstance(value, dict):
        return {str(key): json_value(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(one) for one in value]
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _mapping(kind: Any) -> Callable[[Sequence[tuple[Any, Any]]], Any]:
    convert = _converter(kind.item_type) or (lambda value: value)
    return lambda pairs: {str(key): None if value is None else convert(value) for key, value in pairs}


def _each(convert: Callable[[Any], Any] | None) -> Callable[[list[Any]], Any] | None:
    if convert is None:
        return None
    return lambda values: [None if value is None else convert(value) for value in values]
