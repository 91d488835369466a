"""A component's value for people's eyes: what is secret by its key or by its option is ``***``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs

from yaat_core.components import Kind
from yaat_core.config.fields import keys_of
from yaat_core.config.nodes import MASK
from yaat_core.config.parsing import SECRET_KEY
from yaat_core.registry import Registry

_REFERENCE: Final = re.compile(r"\$\{(?![^}]*:-)[^}]*\}")


def masked_value(kind: Kind, value: Mapping[str, Any], registry: Registry) -> dict[str, Any]:
    """The value with its secrets masked; references to where they are kept stay."""
    known = registry.find(kind, str(value.get("type", "")))
    return _mapping(value, known.config if known else None)


def _mapping(value: Mapping[str, Any], config: type | None) -> dict[str, Any]:
    keys = {key.name: key for key in keys_of(config)} if config else {}
    made: dict[str, Any] = {}
    for name, one in value.items():
        key = keys.get(name)
        if SECRET_KEY.search(name) or (key is not None and key.secret):
            made[name] = _hidden(one)
        else:
            inner = (
                key.type if key is not None and isinstance(key.type, type) and attrs.has(key.type) else None
            )
            made[name] = _other(one, inner)
    return made


def _other(value: Any, config: type | None) -> Any:
    if isinstance(value, Mapping):
        return _mapping(value, config)
    if isinstance(value, list):
        return [_other(one, None) for one in value]
    return value


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _hidden(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_hidden(one) for one in value]
    if value is None or isinstance(value, bool) or (isinstance(value, str) and _REFERENCE.fullmatch(value)):
        return value
    return MASK
