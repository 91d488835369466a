"""The last step of a config class: its validators, each complaint at the value that it is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import attrs

from yaat_core.config.fields import Key, keys_of
from yaat_core.config.nodes import Node, Scalar, Table, place, scalars
from yaat_core.config.problems import Misfit, Misfits, at_value
from yaat_core.display import terminal_safe

T = TypeVar("T")

_WRONG: Final = "YAAT-E102"


def construct(cls: type[T], values: Mapping[str, Any], table: Table) -> T:
    """An object from values of the right types (by their init names).

    Raises:
        Misfits: what validators and ``__attrs_post_init__`` refused.
    """
    wrong = validated(cls, values, table)
    if wrong:
        raise Misfits(wrong)
    try:
        return cls(**values)
    except Exception as error:
        raise Misfits([_refused(_blamed(error, cls, table), error)]) from error


def validated(cls: type, values: Mapping[str, Any], table: Table) -> list[Misfit]:
    """What validators refuse, each asked by itself: attrs would stop at the first that raises, and not tell whose it is."""
    bare: Any = object.__new__(cls)
    checked: list[tuple[attrs.Attribute[Any], Key]] = []
    for field, key in zip((one for one in attrs.fields(cls) if one.init), keys_of(cls), strict=True):
        if field.converter is not None or (key.required and key.alias not in values):
            continue
        object.__setattr__(bare, field.name, values.get(key.alias, key.default))
        if field.validator is not None and key.alias in values:
            checked.append((field, key))
    wrong = []
    for field, key in checked:
        try:
            field.validator(bare, field, getattr(bare, field.name))  # type: ignore[misc]
        except Exception as error:  # noqa: BLE001 - a plugin's code: told with its place
            wrong.append(_refused(table.entries[key.name][1], error))
    return wrong


def _blamed(error: Exception, cls: type, table: Table) -> Node:
    """The value that a message names first, else the mapping."""
    words = re.findall(r"[\w-]+", str(error))
    for word in words:
        for key in keys_of(cls):
            if word in (key.name, key.attribute) and key.name in table.entries:
                return table.entries[key.name][1]
    return table.holder or table


def _refused(node: Node, error: Exception) -> Misfit:
    where = place(node.path) or "the file"
    if not isinstance(error, ValueError):
        what = f"`{where}` could not be checked: its config class raised {type(error).__name__}"
        return at_value(node, _WRONG, what, fix="this is a fault of the plugin: report it there")
    what = _without_hidden(str(error), node)
    name = str(node.path[-1]) if node.path else ""
    if what.partition(" ")[0].strip("`:") == name:
        what = what.partition(" ")[2]
    if what.startswith("must "):
        return at_value(node, _WRONG, f"`{where}` {what}")
    return at_value(node, _WRONG, f"`{where}`: {what}")


def _without_hidden(message: str, node: Node) -> str:
    """A validator's message, unless it repeats a value that is never shown."""
    hidden = [one for one in scalars(node) if _hidden(one)]
    if not hidden:
        return terminal_safe(message)
    kept = re.split(r",? (?:but )?(?:got|not) ", message)[0]
    if any(text and text in kept for one in hidden for text in (one.text, repr(one.text)[1:-1])):
        origins = ", ".join(dict.fromkeys(one.origin for one in hidden if one.origin))
        return "the value" + (f" from {origins}" if origins else "") + " was refused"
    return terminal_safe(kept)


def _hidden(one: Scalar) -> bool:
    return bool(one.origin) or (one.start, one.end) in one.start.text.masked
