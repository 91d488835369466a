"""Which fields the objects of a stream have: learnt from objects, given to Arrow's JSON reader as a schema.

The reader is told every field beforehand, for two reasons. It would take strings that look like times
for times, and their text would be gone. And a field it is not told is one it makes a column of: lines
with ever new keys would take all memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import attrs
import pyarrow as pa

Kind: TypeAlias = "str | dict[str, Kind]"
"""`null`, `string`, `int`, `float`, `bool`, a list of these (`[string]`), or the fields of an object."""

_TYPES: Final[Mapping[str, Any]] = {
    "null": pa.string(),
    "string": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "[null]": pa.list_(pa.string()),
    "[string]": pa.list_(pa.string()),
    "[int]": pa.list_(pa.int64()),
    "[bool]": pa.list_(pa.bool_()),
}
#: From here on not every integer is a float64.
EXACT: Final = 2**53


@attrs.define
class Shape:
    """The fields of one stream's objects. ``usable`` is False when they are too many or unfit for columns."""

    max_depth: int
    max_fields: int
    """A stream with more fields than this is read row by row."""
    fields: dict[str, Kind] = attrs.field(factory=dict)
    count: int = 0
    usable: bool = True
    _schema: Any = None

    def learn(self, value: Mapping[str, Any]) -> bool:
        """Add the fields of an object. False: some value does not fit what is known, or no column at all."""
        return self.usable and self._merge(self.fields, value, 1)

    @property
    def schema(self) -> Any:
        """The Arrow schema of these objects."""
        if self._schema is None:
            self._schema = pa.schema([(name, _type(kind)) for name, kind in self.fields.items()])
        return self._schema

    def leaves(self, columns: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        """``(dotted name, array)`` of each field that is not an object, from the columns that Arrow read."""
        return _leaves("", self.fields, columns)

    def _merge(self, known: dict[str, Kind], value: Mapping[str, Any], depth: int) -> bool:
        fits = True
        for name, one in value.items():
            if isinstance(one, dict):
                fits &= self._merge_object(known, name, one, depth)
            else:
                fits &= self._merge_kind(known, name, _kind(one))
        return fits

    def _merge_object(self, known: dict[str, Kind], name: str, value: Mapping[str, Any], depth: int) -> bool:
        before = known.get(name, "null")
        if depth >= self.max_depth or not (isinstance(before, dict) or before == "null"):
            return False
        if not isinstance(before, dict):
            before = {}
            self._put(known, name, before)
        return self._merge(before, value, depth + 1)

    def _merge_kind(self, known: dict[str, Kind], name: str, kind: str | None) -> bool:
        before = known.get(name)
        if kind is None or kind == before:
            return kind is not None
        joined = kind if before is None else _joined(before, kind)
        if joined is None:
            return False
        if joined != before:
            self._put(known, name, joined)
        return True

    def _put(self, known: dict[str, Kind], name: str, kind: Kind) -> None:
        self.count += name not in known
        known[name] = kind
        self._schema = None
        if self.count > self.max_fields or len(set(names := list(_names("", self.fields)))) < len(names):
            self.usable = False


def _kind(value: Any) -> str | None:
    """The kind of a value, None for one that no column holds exactly."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return "string"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if -(2**63) <= value < 2**63 else None
    if isinstance(value, float):
        return "float" if math.isfinite(value) and abs(value) < EXACT else None
    return _list_kind(value)


def _list_kind(values: list[Any]) -> str | None:
    kinds = {_kind(value) if not isinstance(value, (dict, list)) else None for value in values} - {"null"}
    if not kinds:
        return "[null]"
    kind = kinds.pop()
    return f"[{kind}]" if not kinds and f"[{kind}]" in _TYPES else None


def _joined(one: Kind, other: str) -> Kind | None:
    if other == "null" or one == other:
        return one
    if one == "null":
        return other
    if {one, other} == {"int", "float"} if isinstance(one, str) else False:
        return "float"
    lists = isinstance(one, str) and one[0] == other[0] == "["
    if lists and "[null]" in (one, other):
        return other if one == "[null]" else one
    return None


def _type(kind: Kind) -> Any:
    if isinstance(kind, dict):
        return pa.struct([(name, _type(inner)) for name, inner in kind.items()])
    return _TYPES[kind]


def _names(prefix: str, fields: Mapping[str, Kind]) -> Iterator[str]:
    for name, kind in fields.items():
        if isinstance(kind, dict):
            yield from _names(f"{prefix}{name}.", kind)
        else:
            yield prefix + name


def _leaves(prefix: str, fields: Mapping[str, Kind], columns: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, kind in fields.items():
        column = columns[name]
        if isinstance(kind, dict):
            inner = dict(zip(kind, column.flatten(), strict=True))
            yield from _leaves(f"{prefix}{name}.", kind, inner)
        elif column.null_count < len(column):
            yield prefix + name, column
