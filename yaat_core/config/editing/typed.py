"""Options as people type them: the text of a value, and the value of a text, by what an option takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from yaat_core.config.editing.rendering import block, flow, inline, same
from yaat_core.config.editing.types import OptionInfo
from yaat_core.config.nodes import plain_value
from yaat_core.config.parsing import parse
from yaat_core.errors import UsageError

#: What YAML in place of a plain text begins with.
_YAML: Final = ("[", "{", '"', "'", "|", ">", "- ")


def many_lines(option: OptionInfo) -> bool:
    """Is it typed as YAML that may take several lines?"""
    if option.shape == "list":
        return option.item in ("group", "mapping", "list", "any")
    return option.shape in ("mapping", "group", "any") and option.name != "format"


def text_of(option: OptionInfo, value: Any) -> str:
    """A value as it is typed; what `value_of` reads back. Empty: none."""
    if value is None or value == {} or value == []:
        return ""
    text = _short(option, value)
    if text is None:
        text = _yaml(option, value)
    return text


def _short(option: OptionInfo, value: Any) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        text = value
    elif isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        text = ", ".join(str(one) for one in value)
    else:
        return None
    try:
        return text if same(value_of(option, text), value) else None
    except UsageError:
        return None


def _yaml(option: OptionInfo, value: Any) -> str:
    if many_lines(option) and inline(value) is None:
        _, lines = block(value, 0)
        return "\n".join(lines)
    return flow(value)


def value_of(option: OptionInfo, text: str) -> Any:
    """What was typed as a value: texts as they are, lists with commas between, everything else in YAML.

    Raises:
        UsageError: it is not what the option takes.
    """
    plain = text.strip()
    if plain.startswith("${"):
        return plain
    if option.shape in ("text", "choice", "duration", "size") and option.words.startswith(
        ("a text", "one of", "a duration", "a size")
    ):
        return text if option.shape == "text" else plain
    if option.shape == "boolean":
        if plain not in ("true", "false"):
            raise UsageError("must be true or false")
        return plain == "true"
    if option.shape == "list" and option.words.startswith("a list") and not plain.startswith(_YAML):
        return [_item(option, one.strip()) for one in plain.split(",") if one.strip()]
    value = _read(plain)
    if option.shape in ("number", "integer") and not isinstance(value, (int, float)):
        raise UsageError(f"must be {option.words}")
    if option.shape in ("mapping", "group") and not isinstance(value, Mapping):
        raise UsageError(f"must be {option.words}", fix="write it like {name: value}")
    return value


def _item(option: OptionInfo, text: str) -> Any:
    return text if option.item in ("text", "choice", "duration", "size", None) else _read(text)


def _read(text: str) -> Any:
    document = parse(text, "the value")
    if document.misfits or document.root is None:
        # what a person types in place of a text: `%h %l: x`, `*.log`
        if "\n" not in text and not text.startswith(_YAML):
            return text
        what = document.misfits[0].what if document.misfits else "it is empty"
        raise UsageError(f"can't be read: {what}")
    return plain_value(document.root)


def problem_of(option: OptionInfo, text: str) -> str:
    """What is wrong with a text; empty when it can be read."""
    try:
        value_of(option, text)
    except UsageError as error:
        return error.what
    return ""


def changes(
    options: Sequence[OptionInfo], before: Mapping[str, Any], typed: Mapping[str, str]
) -> tuple[dict[str, Any], list[str]]:
    """What typing changed: keys with their new values, and keys that go. A text that stayed keeps its value.

    Raises:
        UsageError: a text is not what its option takes.
    """
    given: dict[str, Any] = {}
    gone: list[str] = []
    for option in options:
        if option.name not in typed:
            continue
        text, old = typed[option.name], before.get(option.name)
        if text == shown_of(option, before):
            continue
        if not text.strip():
            if option.name in before:
                gone.append(option.name)
            continue
        value = value_of(option, text)
        if option.name not in before and same(value, option.default):
            continue
        if option.name not in before or not same(value, old):
            given[option.name] = value
    return given, gone


def shown_of(option: OptionInfo, value: Mapping[str, Any]) -> str:
    """What a form begins with. Of two or few values one is always chosen, so the default is."""
    if option.name in value:
        return text_of(option, value[option.name])
    return (
        text_of(option, option.default)
        if option.shape in ("boolean", "choice") and option.name != "format"
        else ""
    )


def assignments(given: Mapping[str, Any]) -> list[str]:
    """``name=value`` as ``--set`` takes it."""
    return [
        f"{name}={one if isinstance(one, str) and _reads_as_it_is(one) else flow(one)}"
        for name, one in given.items()
    ]


def _reads_as_it_is(text: str) -> bool:
    if not text.strip() or text.startswith(_YAML):
        return False
    document = parse(text, "the value")
    if document.misfits or document.root is None:
        return "\n" not in text
    return same(plain_value(document.root), text)
