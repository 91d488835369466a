"""What is said of a value that does not fit its type: expectation, what was found, the nearest name, what to write."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection
from typing import Any, Final

import attrs

from yaat_core.config import fields
from yaat_core.config.fields import Key, members, words
from yaat_core.config.nodes import Items, Node, Scalar, Table, core_schema, place
from yaat_core.config.options import Duration, Secret, Size
from yaat_core.config.problems import Misfit, Misfits, at_key, at_value
from yaat_core.display import terminal_safe

_UNKNOWN: Final = "YAAT-E101"
_WRONG: Final = "YAAT-E102"
_MISSING: Final = "YAAT-E104"


def described(node: Node) -> str:
    """What a value is, for a message; never one that came from elsewhere."""
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Table):
        return "a mapping"
    if node.origin:
        return f"another value (from {node.origin})"
    if (node.start, node.end) in node.start.text.masked:
        return "another value (not shown)"
    value = node.value
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {node.text}"
    shown = node.text if len(node.text) <= 60 else node.text[:57] + "..."
    return f'the text "{terminal_safe(shown)}"'


def unfit(node: Node, kind: Any) -> Misfits:
    """The value is of another type than ``kind``."""
    if is_empty(node):
        return empty(node, words(kind))
    expected, found = words(kind), described(node)
    nearest = _nearest_choice(node, kind)
    return Misfits(
        [
            at_value(
                node,
                _WRONG,
                f"`{place(node.path)}` must be {expected}, got {found}",
                expected=expected,
                found=found,
                nearest=nearest,
                hint=f"did you mean `{nearest}`?" if nearest else "",
                fix=_advice(node, kind),
            )
        ]
    )


def is_empty(node: Node) -> bool:
    """Whether nothing stands behind the key."""
    return isinstance(node, Scalar) and node.plain and node.text == "" and not node.origin


def empty(node: Node, expected: str = "") -> Misfits:
    """Nothing was written behind the key."""
    what = f"`{place(node.path)}` is empty" + (f", it must be {expected}" if expected else "")
    fix = "take the key out for its default, or write a value"
    return Misfits([at_value(node, _WRONG, what, expected=expected, found="nothing", fix=fix)])


def written_here(node: Node) -> Misfits:
    """A value that may only come from elsewhere stands in the file."""
    default = isinstance(node, Scalar) and node.origin
    what = (
        "must come from elsewhere whole, without a default" if default else "must not be written into a file"
    )
    fix = "write ${file:PATH} (only the agent may read it), ${env:NAME} or ${secret:NAME}, and nothing beside it"
    return Misfits([at_value(node, _WRONG, f"`{place(node.path)}` {what}", expected="a reference", fix=fix)])


def unknown_key(key: Scalar, known: Collection[str], owner: str) -> Misfit:
    """A key that nothing knows."""
    near = next(iter(difflib.get_close_matches(key.text, sorted(known), 1, 0.6)), "")
    return at_key(
        key,
        _UNKNOWN,
        f"unknown key `{terminal_safe(key.text)}` in {owner}",
        nearest=near,
        hint=f"did you mean `{near}`?" if near else "",
        fix="" if near else f"take it out; known: {', '.join(sorted(known))}",
    )


def missing(table: Table, key: Key) -> Misfit:
    """A key without a default that was not written."""
    where: Node = table.holder or table
    owner = f"`{place(table.path)}`" if table.path else "the file"
    example = f", such as `{key.name}: {json.dumps(key.example)}`" if key.example is not None else ""
    help_text = f" ({key.help.rstrip('.')})" if key.help else ""
    misfit = at_value(
        where,
        _MISSING,
        f"{owner} has no `{key.name}`",
        expected=words(key.type),
        cause=f"`{key.name}` has no default{help_text}",
        fix=f"write `{key.name}`: {words(key.type)}{example}",
    )
    return attrs.evolve(misfit, path=(*table.path, key.name))


def owner_of(table: Table) -> str:
    """What an unknown key is said to be in."""
    return f"`{place(table.path)}`" if table.path else "the file"


def _nearest_choice(node: Node, kind: Any) -> str:
    if not isinstance(node, Scalar) or node.origin:
        return ""
    options = [fields.written_choice(one) for part in members(kind) for one in fields.choices(part)]
    return next(iter(difflib.get_close_matches(node.text.lower(), options, 1, 0.5)), "")


def _is_choice_unquoted(node: Node, parts: tuple[Any, ...]) -> bool:
    """A number that would be one of the choices if it were a text: `1.3` for `"1.3"`."""
    if not isinstance(node, Scalar) or isinstance(node.value, str):
        return False
    return any(node.text == one for part in parts for one in fields.choices(part))


def _advice(node: Node, kind: Any) -> str:
    parts = members(kind)
    written = node.text if isinstance(node, Scalar) and not node.origin else ""
    number = isinstance(node, Scalar) and isinstance(node.value, int) and not isinstance(node.value, bool)
    if Duration in parts:
        return (
            f"add a unit: {written}s, {written}m or {written}h" if number else "write 500ms, 10s, 5m or 1h30m"
        )
    if Size in parts:
        return (f"add a unit: {written}B for bytes, or " if number else "write ") + "64KiB, 10MiB or 1GB"
    if bool in parts:
        truths = {"yes": "true", "on": "true", "no": "false", "off": "false"}
        return f"write {truths.get(written.lower(), 'true or false')}"
    text = str in parts or Secret in parts or _is_choice_unquoted(node, parts)
    if text and isinstance(node, Scalar) and node.value is not None and not node.origin:
        return f'put it in quotes: "{written}"'
    if (int in parts or float in parts) and isinstance(core_schema(written), int | float) and written:
        return f"take the quotes away: {written}"
    if any(fields.is_list(part) for part in parts):
        return "write a list: [a, b]"
    return ""
