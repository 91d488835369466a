"""What component types there are and what can be set for each, enough to make a form of it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from types import NoneType
from typing import Any, Literal

import attrs

from yaat_core.components import Kind
from yaat_core.config import fields
from yaat_core.config.fields import Key, keys_of, members
from yaat_core.config.keys import CORE, BoundsKeys
from yaat_core.config.nodes import NODE_KINDS
from yaat_core.config.options import Duration, Secret, Size
from yaat_core.config.showing import written
from yaat_core.plugins import Plugins
from yaat_core.registry import ComponentType

#: How a field of a form is filled in.
Shape = Literal[
    "text", "number", "integer", "boolean", "duration", "size", "choice", "list", "mapping", "group", "any"
]


@attrs.frozen(kw_only=True)
class OptionInfo:
    """One option. ``words`` says what it takes, ``shape`` how a form asks for it.

    ``choices`` of a choice, or of the items of a list; ``item`` is the shape of a list's items or of a mapping's values;
    ``options`` are those of a group, or of the groups in a list or mapping. ``optional``: `none` may be written.
    ``secret`` is not shown, a ``reference`` has to come from ``${file:}``, ``${env:}`` or ``${secret:}``. ``core``: every
    component of this kind has it.
    """

    name: str
    shape: Shape
    words: str
    required: bool
    default: Any
    help: str
    example: Any
    secret: bool = False
    reference: bool = False
    optional: bool = False
    core: bool = False
    choices: Sequence[str] = ()
    item: Shape | None = None
    options: Sequence[OptionInfo] = ()


@attrs.frozen(kw_only=True)
class TypeInfo:
    """One component type. ``is_format``: a source's `format` may name it."""

    kind: str
    name: str
    summary: str
    plugin: str
    options: Sequence[OptionInfo]
    is_format: bool = False
    single: bool = False


def types_of(plugins: Plugins, kind: Kind | None = None) -> list[TypeInfo]:
    """All types, or those of a kind, by name."""
    found = sorted(plugins.registry.types.items())
    return [type_info(type, plugins) for (known, _), type in found if kind is None or known == kind]


def type_info(type: ComponentType, plugins: Plugins) -> TypeInfo:
    """A type with the core's options first."""
    core = [_option(key, core=True) for key in keys_of(CORE[type.kind]) if key.name != "type"]
    own = [_option(key) for key in keys_of(type.config)]
    return TypeInfo(
        kind=type.kind,
        name=type.name,
        summary=type.summary,
        plugin=type.distribution,
        options=[*own, *(_known(one, type, plugins) for one in core)],
        is_format=type.is_format,
        single=type.single,
    )


def _known(option: OptionInfo, type: ComponentType, plugins: Plugins) -> OptionInfo:
    """The core's keys that are read as a tree say here what they are."""
    if option.name == "format" and type.kind == "sources":
        return attrs.evolve(
            option, shape="choice", words="a format", choices=sorted({"raw", *plugins.registry.formats()})
        )
    if option.name == "queue" and type.kind == "sinks":
        bounds = [_option(key, core=True) for key in keys_of(BoundsKeys)]
        return attrs.evolve(option, shape="group", words="a mapping", options=bounds)
    return option


def _option(key: Key, *, core: bool = False) -> OptionInfo:
    kinds = [one for one in members(key.type) if one is not NoneType]
    kind = kinds[0] if kinds else Any
    item: Shape | None = None
    inner: Any = kind
    shape = _shape(kinds)
    if shape == "list":
        inner = next((fields.item_type(one) for one in kinds if fields.is_list(one)), Any)
        item = _shape(list(members(inner)))
    elif shape == "mapping":
        inner = fields.value_type(kind)
        item = _shape(list(members(inner)))
    cls = next((fields.plain(one) for one in members(inner) if fields.is_class(one)), None)
    return OptionInfo(
        name=key.name,
        shape=shape,
        words=fields.words(key.type),
        required=key.required,
        default=None if key.required else written(key.default),
        help=key.help,
        example=key.example,
        secret=key.secret or Secret in kinds,
        reference=key.reference,
        optional=NoneType in members(key.type),
        core=core,
        choices=_choices(members(inner)),
        item=item,
        options=[_option(one) for one in keys_of(cls)] if cls is not None else (),
    )


def _shape(kinds: Sequence[Any]) -> Shape:
    if set(kinds) >= NODE_KINDS or not kinds:
        return "any"
    if any(fields.is_list(one) for one in kinds):
        return "list"
    kind = kinds[0]
    if len(kinds) > 1:
        return "any" if any(fields.is_class(one) or fields.is_mapping(one) for one in kinds) else "text"
    if fields.choices(kind) or (isinstance(kind, type) and issubclass(kind, enum.Enum)):
        return "choice"
    if fields.is_mapping(kind):
        return "mapping"
    if fields.is_class(kind):
        return "group"
    simple: dict[Any, Shape] = {
        Duration: "duration",
        Size: "size",
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "text",
        Secret: "text",
    }
    return simple.get(kind, "any")


def _choices(kinds: Sequence[Any]) -> list[str]:
    found = [fields.written_choice(choice) for kind in kinds for choice in fields.choices(kind)]
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            found += [str(one.value) for one in kind]
    return found
