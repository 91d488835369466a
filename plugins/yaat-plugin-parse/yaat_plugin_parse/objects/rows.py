"""JSON objects one by one: whatever the way by columns refuses."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from yaat_core.event import TAGS_TYPE
from yaat_plugin_parse.found import Fields
from yaat_plugin_parse.objects.text import of_value

#: The tag of an object's fields that are too many.
MORE: Final = "json.more"

_decode = msgspec.json.Decoder().decode


def decode(line: str) -> dict[str, Any] | None:
    """The object that a line is, or None.

    What strict JSON refuses but programs write is read as well: NaN, control characters inside strings,
    halves of surrogate pairs (they become U+FFFD).
    """
    try:
        value = _decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        value = _lenient(line)
    return value if isinstance(value, dict) else None


def _lenient(line: str) -> Any:
    try:
        value = json.loads(line, strict=False)
        return _whole(value) if "\\ud" in line.lower() else value
    except (ValueError, RecursionError):
        return None


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    if isinstance(value, list):
        return [_whole(one) for one in value]
    if isinstance(value, dict):
        return {_whole(name): _whole(one) for name, one in value.items()}
    return value


def flatten(
    value: Mapping[str, Any], max_depth: int, max_fields: int, known: Collection[str] = ()
) -> dict[str, str]:
    """Texts by dotted name; nulls and empty objects leave nothing, objects deeper than ``max_depth`` stay JSON.

    Beyond ``max_fields`` names, those that are not ``known`` stay together as JSON under `MORE`.
    """
    flat: dict[str, str] = {}
    _flatten(flat, "", value, max_depth)
    return flat if len(flat) <= max_fields else _bounded(flat, max_fields, known)


def _bounded(flat: Mapping[str, str], max_fields: int, known: Collection[str]) -> dict[str, str]:
    kept: dict[str, str] = {}
    more: dict[str, str] = {}
    for name, text in flat.items():
        (kept if name in known or len(kept) < max_fields else more)[name] = text
    return {**kept, MORE: msgspec.json.encode(more).decode()} if more else kept


def _flatten(flat: dict[str, str], prefix: str, value: Mapping[str, Any], depth: int) -> None:
    for name, one in value.items():
        if isinstance(one, str):
            flat[prefix + name] = one
        elif isinstance(one, dict) and depth > 1:
            _flatten(flat, f"{prefix}{name}.", one, depth - 1)
        elif one is not None:
            flat[prefix + name] = of_value(one)


def fields_of(rows: Sequence[int], flats: Sequence[Mapping[str, str]], known: Collection[str]) -> Fields:
    """Flattened objects as `Fields`: a column for each of the ``known`` names that comes up, tags for all others."""
    columns: dict[str, list[str | None]] = {}
    keys: list[str] = []
    values: list[str] = []
    offsets = [0]
    for row, flat in enumerate(flats):
        for name, text in flat.items():
            if name in known:
                columns.setdefault(name, [None] * len(flats))[row] = text
            else:
                keys.append(name)
                values.append(text)
        offsets.append(len(keys))
    tags = pa.MapArray.from_arrays(
        pa.array(offsets, pa.int32()),
        pa.array(keys, pa.string()),
        pa.array(values, pa.string()),
        type=TAGS_TYPE,
    )
    arrays = {name: pa.array(column, pa.string()) for name, column in columns.items()}
    return Fields(np.array(rows, np.int64), arrays, tags)
