"""Nodes to typed values through cattrs: its converter picks a hook by type, the hooks know where each value stands.

A hook raises `Misfits` with everything wrong below its node, so that all errors of a file come at once.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import NoneType
from typing import Any, Final, Literal, TypeVar

from cattrs import Converter
from cattrs.errors import StructureHandlerNotFoundError

from yaat_core.config import fields
from yaat_core.config.construct import construct, validated
from yaat_core.config.fields import Key, keys_of, members
from yaat_core.config.nodes import NODE_KINDS, Items, Node, Scalar, Table, core_schema, place, plain_value
from yaat_core.config.options import Duration, Secret, Size
from yaat_core.config.parsing import mask
from yaat_core.config.problems import Misfit, Misfits, at_value
from yaat_core.config.unfit import (
    described,
    empty,
    is_empty,
    missing,
    owner_of,
    unfit,
    unknown_key,
    written_here,
)
from yaat_core.errors import PluginError

T = TypeVar("T")
Hook = Callable[[Node, Any], Any]

_UNKNOWN: Final = "YAAT-E101"
_WRONG: Final = "YAAT-E102"
_MISSING: Final = "YAAT-E104"


class Structurer:
    """Makes values of config classes from nodes."""

    def __init__(self) -> None:
        self._converter = Converter(detailed_validation=False)
        register = self._converter.register_structure_hook_func
        register(fields.is_class, self._class)
        register(lambda kind: isinstance(kind, type) and issubclass(kind, enum.Enum), self._enum)
        register(fields.is_mapping, self._mapping)
        register(fields.is_list, self._list)
        register(lambda kind: bool(fields.choices(kind)), self._choice)
        register(lambda kind: kind in (Any, object), lambda node, _: _sound(node) and plain_value(node))
        register(lambda kind: kind is Path, lambda node, _: Path(self._scalar(node, str)))
        for scalar in _SCALARS:
            self._converter.register_structure_hook(scalar, self._scalar)
        register(fields.is_union, self._union)
        register(lambda kind: set(members(kind)) >= NODE_KINDS, _the_node_itself)

    def structure(self, node: Node, kind: Any) -> Any:
        """The node as a value of ``kind``.

        Raises:
            Misfits: everything that does not fit.
            PluginError: a type that a config class can't have.
        """
        try:
            return self._converter.structure(node, kind)
        except StructureHandlerNotFoundError:
            raise PluginError(
                f"an option has the type {kind!r}, which can't be read from YAML",
                where=place(node.path),
                fix="use texts, numbers, bool, Duration, Size, Literal, lists, mappings and config classes",
            ) from None

    def build(self, node: Node, cls: type[T], *, owner: str = "", also: Collection[str] = ()) -> T:
        """An object of a config class from a mapping.

        ``owner`` is what an unknown key is said to be in, ``also`` are names that it may have meant as well.
        """
        table = self.table(node, owner)
        known = {key.name: key for key in keys_of(cls)}
        wrong: list[Misfit] = []
        values: dict[str, Any] = {}
        meant: set[str] = set()
        for name, (key_node, value) in table.entries.items():
            key = known.get(name)
            if key is None:
                misfit = unknown_key(key_node, {*known, *also}, owner or owner_of(table))
                meant.add(misfit.nearest)
                if misfit.nearest in known and known[misfit.nearest].secret:
                    mask(value)
                wrong.append(misfit)
                continue
            try:
                values[key.alias] = self._value(value, key)
            except Misfits as below:
                wrong += below.found
        complete = len(values) == len(table.entries)
        absent = [key for key in known.values() if key.required and key.name not in {*table.entries, *meant}]
        wrong += [missing(table, key) for key in absent]
        if wrong or not complete:
            raise Misfits([*wrong, *validated(cls, values, table)])
        return construct(cls, values, table)

    def table(self, node: Node, owner: str = "") -> Table:
        """The node, which has to be a mapping."""
        if isinstance(_sound(node), Scalar) and is_empty(node):
            raise empty(node, "a mapping")
        if not isinstance(node, Table):
            what = (
                f"`{place(node.path)}` must be a mapping"
                if node.path
                else "the file must be a mapping of keys"
            )
            what = f"{what}, got {described(node)}"
            raise Misfits(
                [at_value(node, _WRONG, what, expected="a mapping", fix="write `key: value` lines below it")]
            )
        return node

    def _value(self, node: Node, key: Key) -> Any:
        if key.secret:
            mask(node)
        if key.reference and not (isinstance(_sound(node), Scalar) and node.whole):  # type: ignore[union-attr]
            raise written_here(node)
        return self.structure(node, key.type)

    # --- hooks ---

    def _class(self, node: Node, kind: Any) -> Any:
        cls: type = fields.plain(kind)
        return self.build(node, cls)

    def _scalar(self, node: Node, kind: Any) -> Any:
        scalar = _sound(node)
        if not isinstance(scalar, Scalar):
            raise unfit(node, kind)
        try:
            return _SCALARS[kind](scalar)
        except (ValueError, OverflowError):
            raise unfit(node, kind) from None

    def _choice(self, node: Node, kind: Any) -> Any:
        scalar = _sound(node)
        if isinstance(scalar, Scalar):
            for one in fields.choices(kind):
                value = _typed(scalar, type(one))
                if type(value) is type(one) and value == one:
                    return one
        raise unfit(node, kind)

    def _enum(self, node: Node, kind: Any) -> Any:
        scalar = _sound(node)
        for one in kind:
            if isinstance(scalar, Scalar) and one.value == _typed(scalar, type(one.value)):
                return one
        raise unfit(node, Literal.__getitem__(tuple(one.value for one in kind)))

    def _list(self, node: Node, kind: Any) -> Any:
        _sound(node)
        item = fields.item_type(kind)
        if isinstance(node, Scalar) and node.value is not None and str in members(item):
            nodes = [node]
        elif isinstance(node, Items):
            nodes = node.nodes  # type: ignore[assignment]
        else:
            raise unfit(node, kind)
        values = _each([(one, item) for one in nodes], self.structure)
        made = fields.plain(kind)
        return made(values) if made in (list, set, frozenset) else tuple(values)

    def _mapping(self, node: Node, kind: Any) -> dict[str, Any]:
        _sound(node)
        if not isinstance(node, Table):
            raise unfit(node, kind)
        value = fields.value_type(kind)
        hook = _as_written if value is str else self.structure
        values = _each([(one, value) for _, one in node.entries.values()], hook)
        return dict(zip(node.entries, values, strict=True))

    def _union(self, node: Node, kind: Any) -> Any:
        """The first member that fits the node's shape and value."""
        _sound(node)
        alternatives = members(kind)
        if NoneType in alternatives and _is_none(node, alternatives):
            return None
        fitting = [one for one in alternatives if one is not NoneType and _fits_shape(node, one)]
        for one in fitting:
            try:
                return self.structure(node, one)
            except Misfits as below:
                if len(fitting) == 1 and not isinstance(node, Scalar):
                    raise
                del below
        raise unfit(node, kind)


def _each(pairs: list[tuple[Node, Any]], hook: Hook) -> list[Any]:
    values, found = [], []
    for node, kind in pairs:
        try:
            values.append(hook(node, kind))
        except Misfits as below:
            found += below.found
    if found:
        raise Misfits(found)
    return values


# --- scalars ---


def _typed(scalar: Scalar, kind: type) -> Any:
    """The value; a text from elsewhere has no quotes, so the wanted type decides what it means."""
    if scalar.origin:
        return scalar.text if kind is str else core_schema(scalar.text)
    return scalar.value


def _text(scalar: Scalar) -> str:
    value = _typed(scalar, str)
    if not isinstance(value, str):
        raise ValueError("not a text")  # noqa: TRY004 - caught by the hook
    return value


def _whole(scalar: Scalar) -> int:
    value = _typed(scalar, int)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("not a whole number")  # noqa: TRY004 - caught by the hook
    return value


def _number(scalar: Scalar) -> float:
    value = _typed(scalar, float)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a number")  # noqa: TRY004 - caught by the hook
    return float(value)


def _truth(scalar: Scalar) -> bool:
    value = _typed(scalar, bool)
    if not isinstance(value, bool):
        raise ValueError("not true or false")  # noqa: TRY004 - caught by the hook
    return value


_SCALARS: Final[Mapping[Any, Callable[[Scalar], Any]]] = {
    str: _text,
    Secret: lambda scalar: Secret(_text(scalar)),
    int: _whole,
    float: _number,
    bool: _truth,
    Duration: lambda scalar: Duration.parse(_text(scalar)),
    Size: lambda scalar: Size.parse(_text(scalar)),
}


def _as_written(node: Node, kind: Any) -> str:
    """A value of a mapping of texts: numbers and the like become the text that was written."""
    _sound(node)
    if not isinstance(node, Scalar) or (node.value is None and node.plain):
        raise unfit(node, kind)
    return node.text


def _is_none(node: Node, alternatives: tuple[Any, ...]) -> bool:
    if not isinstance(node, Scalar):
        return False
    if node.text == "none" and (node.plain or str not in alternatives):
        return True
    return node.value is None and node.plain and node.text != ""


def _fits_shape(node: Node, kind: Any) -> bool:
    deep = fields.is_mapping(kind) or fields.is_class(kind)
    if kind in (Any, object):
        return True
    if isinstance(node, Table):
        return deep
    if isinstance(node, Items):
        return fields.is_list(kind)
    return not deep


def _sound(node: Node) -> Node:
    if node.broken:
        raise Misfits
    return node


def _the_node_itself(node: Node, _: Any) -> Node:
    if isinstance(_sound(node), Scalar) and node.value is None:  # type: ignore[union-attr]
        raise empty(node)
    return node
