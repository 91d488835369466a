"""JSON Schema (2020-12) of the configuration file for editors, made from the config classes of what is installed."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import NoneType
from typing import Any, Final

from yaat_core.components import Kind
from yaat_core.config import fields
from yaat_core.config.fields import Key, keys_of, members
from yaat_core.config.keys import (
    COMPONENT_NAME,
    CORE,
    SECTIONS,
    VERSION,
    BoundsKeys,
    FileKeys,
    FormatKeys,
)
from yaat_core.config.nodes import NODE_KINDS
from yaat_core.config.options import Duration, Size
from yaat_core.config.showing import written
from yaat_core.plugins import Plugins
from yaat_core.registry import ComponentType

Schema = dict[str, Any]

_DURATION: Final = r"^([0-9]+(\.[0-9]+)?(us|ms|s|m|h|d|w))+$"
_SIZE: Final = r"^[0-9]+(\.[0-9]+)?\s*([kKMGT]i?B|B)$"
#: In place of any value: it is filled in when the file is read.
_REFERENCE: Final[Schema] = {"type": "string", "pattern": r"\$\{(env|file|secret):"}


def schema(plugins: Plugins) -> Schema:
    """The whole. Unknown keys are refused at every level; each component is one of the installed types."""
    properties = _properties(FileKeys)
    properties["version"] = {**properties["version"], "const": VERSION}
    for kind, help in SECTIONS.items():
        properties[kind] = {"description": help, **_section(kind, plugins)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "yaat.yaml",
        "description": "Configuration of YAAT.",
        **_object(properties, []),
    }


def _section(kind: Kind, plugins: Plugins) -> Schema:
    one = {"oneOf": [_component(type, plugins) for type in _types(kind, plugins)]}
    if kind == "queue":
        return one
    if kind == "processors":
        return {"type": "array", "items": one}
    names = {"pattern": f"^{COMPONENT_NAME.pattern}$"}
    return {"type": "object", "propertyNames": names, "additionalProperties": one}


def _types(kind: Kind, plugins: Plugins) -> list[ComponentType]:
    return [found for (known, _), found in sorted(plugins.registry.types.items()) if known == kind]


def _component(type: ComponentType, plugins: Plugins, core: type | None = None) -> Schema:
    """One type: the core's keys and its own options."""
    core = core or CORE[type.kind]
    properties = {**_properties(core), **_properties(type.config)}
    default = next(key.default for key in keys_of(core) if key.name == "type")
    required = [key.name for cls in (core, type.config) for key in keys_of(cls) if key.required]
    if default != type.name and "type" not in required:
        required.append("type")
    properties["type"] = {"description": properties["type"]["description"], "const": type.name}
    if "format" in properties and type.kind == "sources":
        properties["format"] = {**properties["format"], **_format(plugins)}
    if type.kind == "sinks":
        bounds = _object(_properties(BoundsKeys), [])
        properties["queue"] = {**bounds, "description": properties["queue"]["description"]}
    return {"title": type.name, "description": type.summary, **_object(properties, required)}


def _format(plugins: Plugins) -> Schema:
    types = [type for type in _types("processors", plugins) if type.is_format]
    short: Schema = {"enum": sorted({"raw", *(type.name for type in types)})}
    return {"oneOf": [short, *(_component(type, plugins, FormatKeys) for type in types)]}


def _properties(cls: type) -> dict[str, Schema]:
    return {key.name: _property(key) for key in keys_of(cls)}


def _property(key: Key) -> Schema:
    about: Schema = {"description": key.help} if key.help else {}
    if not key.required and key.default not in (None, "", ()):
        about["default"] = written(key.default)
    if key.example is not None:
        about["examples"] = [key.example]
    if key.secret:
        about["writeOnly"] = True
    if set(members(key.type)) >= NODE_KINDS:
        return about
    return {**about, **_type(key.type)}


def _object(properties: Mapping[str, Schema], required: list[str]) -> Schema:
    made: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**made, "required": sorted(required)} if required else made


def _type(kind: Any) -> Schema:
    """The schema of a type as it is written; any scalar may be a reference instead."""
    if fields.is_union(kind):
        return {
            "anyOf": [
                _type(one) if one is not NoneType else {"enum": ["none", None]} for one in members(kind)
            ]
        }
    if fields.choices(kind):
        return _or_reference({"enum": list(fields.choices(kind))})
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _or_reference({"enum": [one.value for one in kind]})
    if fields.is_list(kind):
        return _list(fields.item_type(kind))
    if fields.is_mapping(kind):
        value = fields.value_type(kind)
        scalar: Schema = {"type": ["string", "number", "boolean"]}
        return {"type": "object", "additionalProperties": scalar if value is str else _type(value)}
    if fields.is_class(kind):
        cls = fields.plain(kind)
        return _object(_properties(cls), [key.name for key in keys_of(cls) if key.required])
    return _scalar(kind)


def _list(item: Any) -> Schema:
    array = {"type": "array", "items": _type(item)}
    return {"anyOf": [array, _type(str)]} if str in members(item) else array


def _scalar(kind: Any) -> Schema:
    if kind is Duration:
        return _or_reference({"type": "string", "pattern": _DURATION})
    if kind is Size:
        return _or_reference({"type": "string", "pattern": _SIZE})
    names = {bool: "boolean", int: "integer", float: "number"}
    if kind in names:
        return _or_reference({"type": names[kind]})
    return {} if kind in (Any, object) else {"type": "string"}


def _or_reference(plain: Schema) -> Schema:
    return {"anyOf": [plain, _REFERENCE]}
