"""Tables of options from config classes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import attrs

from yaat_core.config import fields
from yaat_core.config.fields import Key, keys_of, members, words
from yaat_core.config.nodes import NODE_KINDS
from yaat_core.config.showing import written


def options(cls: type, *, skip: Collection[str] = ()) -> str:
    """A Markdown table of the keys of a class, those of classes inside of it below theirs; or one line when there is none."""
    rows = [row for key in keys_of(cls) if key.name not in skip for row in _rows(key, "")]
    if not rows:
        return "No options."
    return table(("option", "type", "default", "meaning"), rows)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    lines = ["| " + " | ".join(_cell(cell) for cell in line) + " |" for line in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def _rows(key: Key, before: str) -> Iterator[tuple[str, str, str, str]]:
    name = before + key.name
    example = f" Example: `{_inline(key.example)}`." if key.example is not None else ""
    yield f"`{name}`", _type(key), _default(key), f"{key.help}{example}"
    for suffix, cls in _inside(key.type):
        for below in keys_of(cls):
            yield from _rows(below, f"{name}{suffix}.")


def _inside(kind: Any) -> Iterator[tuple[str, type]]:
    """The config classes that a type holds, and what stands between their keys and the outer one."""
    for one in members(kind):
        if one in NODE_KINDS:
            continue
        if fields.is_class(one):
            yield "", fields.plain(one)
        elif fields.is_list(one):
            yield from ((f"[]{suffix}", cls) for suffix, cls in _inside(fields.item_type(one)))
        elif fields.is_mapping(one):
            yield from ((f".NAME{suffix}", cls) for suffix, cls in _inside(fields.value_type(one)))


def _type(key: Key) -> str:
    kind = key.type
    if set(members(kind)) >= NODE_KINDS:
        return "name or mapping" if isinstance(key.example, str) else "mapping"
    options = [one for part in members(kind) for one in fields.choices(part)]
    if options:
        rest = [words(part) for part in members(kind) if not fields.choices(part) and part is not type(None)]
        none = ["`none`"] if type(None) in members(kind) else []
        return ", ".join([*(f"`{fields.written_choice(one)}`" for one in options), *rest, *none])
    return words(kind).removeprefix("a ").replace("or none", "or `none`")


def _default(key: Key) -> str:
    if key.required:
        return "required"
    value = written(key.default)
    if value is None:
        return "`none`" if type(None) in members(key.type) else ""
    if attrs.has(type(key.default)):
        return "see below"
    if value in ("", [], {}):
        return ""
    if isinstance(value, list):
        return ", ".join(f"`{_inline(one)}`" for one in value)
    return f"`{_inline(value)}`"


def _inline(value: Any) -> str:
    """A value as it may be written in YAML on one line."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
