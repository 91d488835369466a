r"""Scrub rules of the first agent: Go's `regexp` is RE2 as well, but its replacements say ``$1`` where RE2 says ``\1``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from yaat_core.config.migrating.old import Old
from yaat_core.config.nodes import KeyPath

#: https://pkg.go.dev/regexp#Regexp.Expand: the longest name counts, so ``$1x`` is the group named 1x.
_TEMPLATE: Final = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))|(\\)")
_NAMED: Final = re.compile(r"\\.|\(\?P?<([A-Za-z_]\w*)>|\((?!\?)", re.DOTALL)
_DEFAULT: Final = "[REDACTED]"
_LONGEST_NAME: Final = 64

#: What is wrong with a rule as it would be written; empty: nothing.
Trial = Callable[[Mapping[str, Any]], str]


def rules(old: Old, trial: Trial, literal: Callable[[str], str]) -> list[dict[str, Any]]:
    """The rules that can be carried over; the others are noted with the reason."""
    made: list[dict[str, Any]] = []
    for index in range(old.count("scrubbing", "rules")):
        rule = _rule(old, ("scrubbing", "rules", index), trial, literal, {one["name"] for one in made})
        if rule is not None:
            made.append(rule)
    return made


def _rule(
    old: Old, path: KeyPath, trial: Trial, literal: Callable[[str], str], taken: set[str]
) -> dict[str, Any] | None:
    written = old.text(*path, "name")
    name = _name(written, taken)
    pattern = old.text(*path, "pattern").strip()
    drop = old.truth(*path, "drop")
    rule: dict[str, Any] = {"name": name, "pattern": literal(pattern)}
    if drop:
        rule["drop"] = True
    else:
        replacement = old.text(*path, "replacement") or _DEFAULT
        rule["replacement"] = literal(expanded(replacement, pattern))
    wrong = trial({**rule, "fields": ["message"]}) if pattern else "its pattern is empty"
    if wrong:
        old.left(path, wrong)
        return None
    rule["fields"] = _fields(old, path, rule, trial)
    to = f"processors.scrub.rules.{name}"
    if not rule["fields"]:
        old.left(path, "none of its fields can be scrubbed")
        return None
    if name == written:
        old.renamed((*path, "name"), f"{to}.name")
    else:
        old.renamed((*path, "name"), f"{to}.name", "names have no blanks")
    old.left((*path, "description"), "rules have no description; write a comment")
    for key in ("pattern", "drop"):
        old.renamed((*path, key), f"{to}.{key}")
    if drop:
        old.left((*path, "replacement"), "a rule that drops replaces nothing")
    else:
        old.renamed((*path, "replacement"), f"{to}.replacement", r"groups are written \1, not $1")
    return rule


def _fields(old: Old, path: KeyPath, rule: Mapping[str, Any], trial: Trial) -> list[str]:
    if not any(old.text(*path, "fields", index).strip() for index in range(old.count(*path, "fields"))):
        return ["message", "stacktrace"]
    made: dict[str, str] = {}
    refused: list[KeyPath] = []
    for index in range(old.count(*path, "fields")):
        place = (*path, "fields", index)
        field, why = _field(old.text(*place).strip())
        wrong = trial({**rule, "fields": [field]}) if field else "it is empty"
        if wrong:
            old.left(place, wrong)
            refused.append(place)
        else:
            made[field] = why
    to = f"processors.scrub.rules.{rule['name']}.fields"
    if refused:
        for index in range(old.count(*path, "fields")):
            old.renamed((*path, "fields", index), to)
    elif made:
        old.renamed((*path, "fields"), to, "; ".join(filter(None, made.values())))
    return list(made)


def _field(written: str) -> tuple[str, str]:
    if not written.lower().startswith("tags."):
        return written, ""
    name = written[len("tags.") :].strip()
    if name in ("", "*"):
        return "tags", "`tags` is every tag, and looks at their names, too"
    return f"tags.{name}", ""


def _name(written: str, taken: set[str]) -> str:
    slug = re.sub(r"[^A-Za-z0-9_.-]+", "-", written).strip("-._").lower()[:_LONGEST_NAME] or "rule"
    slug = written if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", written[:_LONGEST_NAME]) else slug
    slug, free, number = slug[:_LONGEST_NAME], slug[:_LONGEST_NAME], 1
    while free in taken:
        number += 1
        free = f"{slug[: _LONGEST_NAME - 4]}-{number}"
    return free


def expanded(template: str, pattern: str) -> str:
    r"""Go's replacement template as RE2's: ``$1`` and ``${name}`` become ``\1``; groups that are not there are empty."""
    names: dict[str, int] = {}
    count = 0
    for found in _NAMED.finditer(_without_classes(pattern)):
        if not found[0].startswith("\\"):
            count += 1
            if found[1]:
                names.setdefault(found[1], count)

    def one(match: re.Match[str]) -> str:
        if match[4]:
            return "\\\\"
        if match[1]:
            return "$"
        name = match[2] or match[3]
        number = int(name) if name.isascii() and name.isdigit() else names.get(name, -1)
        return f"\\{number}" if 0 <= number <= min(count, 9) else ""

    return _TEMPLATE.sub(one, template)


def _without_classes(pattern: str) -> str:
    """The pattern without what stands between brackets, where ``(`` opens no group."""
    return re.sub(
        r"\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]",
        lambda found: "" if found[0][0] == "[" else found[0],
        pattern,
    )
