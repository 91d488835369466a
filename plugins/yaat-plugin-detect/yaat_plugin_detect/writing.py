"""The configuration that reads what was found, as YAML with comments, to be copied or appended."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from yaat_core.display import terminal_safe

_PLAIN: Final = re.compile(r"[A-Za-z/][\w./-]*")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off"})


def configuration(sources: Iterable[tuple[str, str, Mapping[str, Any]]]) -> str:
    """``sources:`` with one entry for each (name, comment, options). Valid for `yaat validate`; references are escaped."""
    return "\n".join(["sources:", *(line for one in sources for line in _source(*one))]) + "\n"


def _source(name: str, comment: str, options: Mapping[str, Any]) -> Iterator[str]:
    yield f"  # {terminal_safe(comment)}"
    yield f"  {_scalar(name)}:"
    for key, value in options.items():
        yield from _entry(key, value, "    ")


def _entry(key: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield f"{indent}{_scalar(key)}:"
        for name, one in value.items():
            yield from _entry(name, one, indent + "  ")
    elif isinstance(value, list | tuple):
        yield f"{indent}{_scalar(key)}:"
        for one in value:
            yield f"{indent}  - {_scalar(one)}"
    else:
        yield f"{indent}{_scalar(key)}: {_scalar(value)}"


def _scalar(value: Any) -> str:
    """Plain where that is clear, else in double quotes, where JSON is YAML. `${` is no reference."""
    if not isinstance(value, str):
        return json.dumps(value)
    text = value.replace("${", "$${")
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(sign if sign.isprintable() else _escaped(ord(sign)) for sign in quoted)


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
