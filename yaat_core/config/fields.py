"""What a config class says of its keys: the one reading of it for validation, JSON Schema, docs and display."""

from __future__ import annotations

import collections.abc
import functools
import types
import typing
from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin

import attrs

from yaat_core.config.options import Duration, Secret, Size
from yaat_core.errors import PluginError

T = TypeVar("T")

#: Stands for "no default": the key is required.
REQUIRED: Final = attrs.NOTHING

#: Types that a list in YAML may become.
LISTS: Final = (
    tuple,
    list,
    set,
    frozenset,
    collections.abc.Sequence,
    collections.abc.Set,
    collections.abc.Collection,
)
MAPPINGS: Final = (dict, collections.abc.Mapping, collections.abc.MutableMapping)

_WORDS: Final[dict[Any, str]] = {
    Duration: "a duration",
    Size: "a size",
    Secret: "a secret text",
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    Any: "any value",
    object: "any value",
}


_MANY: Final[dict[Any, str]] = {
    Duration: "durations",
    Size: "sizes",
    str: "texts",
    int: "whole numbers",
    float: "numbers",
}


@attrs.frozen
class Key:
    """One key of a config class. ``default`` is `REQUIRED` or the value, factories called."""

    name: str
    attribute: str
    alias: str
    type: Any
    default: Any
    help: str
    example: Any
    secret: bool
    reference: bool
    """It has to come from elsewhere: a literal is refused."""

    @property
    def required(self) -> bool:
        """Whether it has to be written."""
        return self.default is REQUIRED


def keys_of(cls: type) -> tuple[Key, ...]:
    """The keys of an attrs class in the order of their definition. A trailing ``_`` is no part of the key (``from_``).

    Raises:
        PluginError: an annotation names what can't be found at run time.
    """
    return _keys(cls)


def defaults_of(cls: type[T]) -> T:
    """The object that an empty mapping makes."""
    make: Callable[..., T] = cls
    return make()


@functools.cache
def _keys(cls: Any) -> tuple[Key, ...]:
    try:
        attrs.resolve_types(cls)
    except NameError as error:
        raise PluginError(
            f"the annotations of {cls.__module__}.{cls.__qualname__} can't be resolved: {error}",
            fix="import the name outside of `if TYPE_CHECKING:`",
        ) from error
    return tuple(_key(field) for field in attrs.fields(cls) if field.init)


def _key(field: attrs.Attribute[Any]) -> Key:
    default = field.default
    alias = field.alias or field.name
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # a class at run time
        assert default is not None
        default = None if default.takes_self else default.factory()
    return Key(
        name=alias.rstrip("_"),
        attribute=field.name,
        alias=alias,
        type=field.type if field.type is not None else Any,
        default=default,
        help=field.metadata.get("help", ""),
        example=field.metadata.get("example"),
        secret=bool(field.metadata.get("secret")),
        reference=bool(field.metadata.get("reference")),
    )


def is_union(kind: Any) -> bool:
    """``X | Y``, ``Optional[X]``."""
    return get_origin(kind) in (Union, types.UnionType)


def is_list(kind: Any) -> bool:
    """A list-like type, with or without its item's type."""
    return (get_origin(kind) or kind) in LISTS


def is_mapping(kind: Any) -> bool:
    """A mapping type, with or without the types of keys and values."""
    return (get_origin(kind) or kind) in MAPPINGS


def is_class(kind: Any) -> bool:
    """A config class, or another attrs class."""
    return attrs.has(plain(kind))


def plain(kind: Any) -> Any:
    """A generic type without its arguments."""
    return get_origin(kind) or kind


def item_type(kind: Any) -> Any:
    """What a list-like type holds. A tuple has one type of items: ``tuple[X, ...]``."""
    return next(iter(get_args(kind)), Any)


def value_type(kind: Any) -> Any:
    """What a mapping type holds under its keys."""
    return (*get_args(kind), Any, Any)[1] if get_args(kind) else Any


def members(kind: Any) -> tuple[Any, ...]:
    """The alternatives of a union; of another type itself."""
    return get_args(kind) if is_union(kind) else (kind,)


def choices(kind: Any) -> tuple[Any, ...]:
    """What a Literal allows; nothing for another type."""
    return get_args(kind) if get_origin(kind) is Literal else ()


def words(kind: Any) -> str:
    """A type as a user reads it: `a duration or none`, `one of block, drop_oldest`."""
    if is_union(kind):
        parts = [words(one) for one in members(kind) if one is not types.NoneType]
        return " or ".join([*parts, "none"] if types.NoneType in members(kind) else parts)
    if choices(kind):
        return "one of " + ", ".join(written_choice(one) for one in choices(kind))
    if is_list(kind):
        item = item_type(kind)
        return f"a list of {_MANY[item]}" if item in _MANY else "a list"
    if is_mapping(kind) or is_class(kind):
        return "a mapping"
    return _WORDS.get(kind) or typing.cast(str, getattr(kind, "__name__", str(kind)))


def written_choice(value: Any) -> str:
    """A choice as it is written in YAML."""
    return str(value).lower() if isinstance(value, bool) else str(value)
