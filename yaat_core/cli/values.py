"""``key=value`` on a command line, with a YAML value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from yaat_core.errors import UsageError


def assigned(written: Sequence[str]) -> dict[str, Any]:
    """By key: its value. A text that is not meant as anything else needs no quotes.

    Raises:
        UsageError: no `=`, or a value that is not YAML.
    """
    found: dict[str, Any] = {}
    for one in written:
        key, equals, value = one.partition("=")
        if not equals or not key:
            raise UsageError(f"`{one}` is no `key=value`", fix="write it like paths='[/var/log/app/*.log]'")
        found[key.strip()] = value_of(value, key)
    return found


def value_of(text: str, key: str = "value") -> Any:
    """A YAML value.

    Raises:
        UsageError: it is none.
    """
    from yaat_core.config.nodes import plain_value
    from yaat_core.config.parsing import parse

    if not text.strip():
        return ""
    document = parse(text, key)
    if document.misfits or document.root is None:
        # what a person types in place of a text: `%h %l: x`, `*.log`, `a: b`
        if not text.lstrip().startswith(("[", "{", '"', "'", "|", ">")):
            return text
        what = document.misfits[0].what if document.misfits else "it is empty"
        raise UsageError(f"the value of `{key}` can't be read: {what}", fix="put quotes around texts in it")
    return plain_value(document.root)
