"""Values as YAML text, the way the documents write it: blocks for components, short lists and mappings in one line."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from yaat_core.config.nodes import core_schema
from yaat_core.errors import UsageError

#: Longest list or mapping that is written in one line, in characters.
ONE_LINE: Final = 88
STEP: Final = 2

#: Texts that need no quotes anywhere, not even between brackets.
_PLAIN: Final = re.compile(r"[\w./][\w./:@%+=*~ ()^$;!<>-]*", re.ASCII)
#: What older YAML takes for true and false, or for a number by sixties.
_OLD_WORDS: Final = re.compile(r"(?i)y|n|yes|no|on|off|[-+]?\d[\d_]*(:[0-5]?\d)+(\.\d*)?|\d{4}-\d\d?-\d\d?.*")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_UNPRINTABLE: Final = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def checked(value: Any) -> Any:
    """The value as dicts with texts as keys, lists and scalars: all that a configuration can hold.

    Raises:
        UsageError: it is made of something else.
    """
    if isinstance(value, Mapping):
        for name in value:
            if not isinstance(name, str) or not name:
                raise UsageError(f"a key must be a text that is not empty, got {name!r}")
        return {_sound(name): checked(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [checked(one) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return _sound(value)
    raise UsageError(f"a configuration can't hold a value of type {type(value).__name__}")


def same(one: Any, other: Any) -> bool:
    """Equal, and of equal types all the way down; the order of keys does not count."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


def scalar(value: Any, *, quote: str = "") -> str:
    """A value without parts in one line; a text between ``quote`` where that can hold it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return _number(value, str(value))
    if isinstance(value, float):
        return _float(value)
    text = str(value)
    if quote == "'" and not _UNPRINTABLE.search(text) and "\n" not in text and "\t" not in text:
        return "'" + text.replace("'", "''") + "'"
    return _double(text) if quote or not _is_plain(text) else text


def flow(value: Any) -> str:
    """Any value in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key(name)}: {flow(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value)


def key(name: str) -> str:
    """A key as it is written."""
    return scalar(name)


def inline(value: Any) -> str | None:
    """The value when one line is how it is written, else None."""
    if not isinstance(value, dict | list):
        return None if isinstance(value, str) and _is_literal(value) else scalar(value)
    if not value:
        return flow(value)
    parts = list(value.values()) if isinstance(value, dict) else value
    if any(isinstance(one, dict | list) for one in parts) or (isinstance(value, dict) and "type" in value):
        return None
    written = flow(value)
    return written if len(written) <= ONE_LINE else None


def block(value: Any, column: int) -> tuple[str, list[str]]:
    """A value that takes several lines: what stands behind its key's colon, and the lines below, from ``column`` on."""
    pad = " " * column
    if isinstance(value, str):
        if not _is_literal(value):
            return _double(value), []
        chomp = "" if value.endswith("\n") else "-"
        return f"|{chomp}", [pad + line if line else "" for line in value.removesuffix("\n").split("\n")]
    if isinstance(value, dict) and value:
        return "", [line for name, one in value.items() for line in entry(name, one, column)]
    if isinstance(value, list) and value:
        return "", [line for one in value for line in item(one, column)]
    return flow(value), []


def entry(name: str, value: Any, column: int) -> list[str]:
    """The lines of a key with its value."""
    return _headed(" " * column + key(name) + ":", value, column + STEP)


def item(value: Any, column: int) -> list[str]:
    """The lines of one item of a list; a mapping begins behind the dash."""
    lead = " " * column + "-"
    if isinstance(value, dict | list) and value and inline(value) is None:
        _, lines = block(value, column + STEP)
        return [lead + " " + lines[0][column + STEP :], *lines[1:]]
    return _headed(lead, value, column + STEP)


def _headed(lead: str, value: Any, column: int) -> list[str]:
    written = inline(value)
    if written is not None:
        return [f"{lead} {written}"]
    first, lines = block(value, column)
    return [f"{lead} {first}" if first else lead, *lines]


def _sound(text: str) -> str:
    if _SURROGATE.search(text):
        raise UsageError("half of a surrogate pair is no character, so it can't be written")
    return text


def _is_plain(text: str) -> bool:
    return (
        _PLAIN.fullmatch(text) is not None
        and text[-1] not in " :"
        and ": " not in text
        and not text.startswith("...")
        and not _OLD_WORDS.fullmatch(text)
        and core_schema(text) is text
    )


def _is_literal(text: str) -> bool:
    """Whether a block with a bar holds it: several lines, none of which needs an escape."""
    lines = text.split("\n")
    return (
        len(lines) > 1
        and bool(lines[0])
        and lines[0][0] not in " \t"
        and not text.endswith("\n\n")
        and any(line.strip() for line in lines)
        and (len(lines) > 2 or not text.endswith("\n"))
        and not any(line != line.rstrip() or (line and not line.strip()) for line in lines)
        and not _UNPRINTABLE.search(text)
    )


def _double(text: str) -> str:
    """JSON's text is YAML's in double quotes, but for what YAML does not print."""
    written = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: _escape(found[0]), written)


def _escape(letter: str) -> str:
    number = ord(letter)
    return (
        f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65_536 else f"\\U{number:08x}"
    )


def _number(value: int | float, text: str) -> str:
    if not same(core_schema(text), value):
        raise UsageError(f"the number {text[:40]}... is too long for a configuration")
    return text


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    return _number(value, text)
