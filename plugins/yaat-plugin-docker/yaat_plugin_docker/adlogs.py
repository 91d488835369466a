"""Datadog's label ``com.datadoghq.ad.logs``: what of it is honoured, as rules on whole columns.

``[{"source": "nginx", "service": "web", "tags": ["team:shop"], "log_processing_rules": [RULE, ...]}]``, where a rule is
``{"type": ..., "name": ..., "pattern": ..., "replace_placeholder": ...}``
(Datadog's documentation, "Docker log collection", "Advanced log collection"). Patterns are RE2 there and here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import attrs
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from yaat_core.config.options import Size
from yaat_kit.joining import JoinRule

LABEL: Final = "com.datadoghq.ad.logs"
#: Bytes of a label that is read.
LONGEST: Final = Size(64 << 10)
_MASK: Final = "mask_sequences"
_KINDS: Final = ("multi_line", "exclude_at_match", "include_at_match", _MASK)
#: Rules of one container: each costs every line of it.
_MOST_RULES: Final = 50
#: Formats by what Datadog calls a source.
FORMATS: Final = {"nginx": "nginx", "apache": "apache", "httpd": "apache"}
_REFERENCE: Final = re.compile(r"\$(?:\{(\d)\}|(\d))")


@attrs.frozen
class Rule:
    """One of `log_processing_rules`: an expression, and for a mask what stands in its place."""

    kind: str
    name: str
    pattern: str
    replacement: str = ""


@attrs.frozen(kw_only=True)
class AdLogs:
    """What the label asks for. ``refused`` says why the container may not be read: a mask that can't be applied."""

    source: str = ""
    service: str = ""
    tags: Sequence[tuple[str, str]] = ()
    multiline: JoinRule | None = None
    rules: Sequence[Rule] = ()
    complaints: Sequence[str] = ()
    refused: str = ""


def parse(text: str) -> AdLogs:
    """The label's first entry; what can't be honoured is told in ``complaints``."""
    if len(text) > LONGEST:
        return _not_used(text, f"is longer than {LONGEST}")
    try:
        entries = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        return _not_used(text, f"is no JSON: {error}")
    if not isinstance(entries, list) or not entries or not isinstance(entries[0], dict):
        return _not_used(text, "must be a list of mappings")
    read = _of_entry(entries[0], [])
    if len(entries) == 1:
        return read
    complaint = f"{LABEL} has {len(entries)} entries: the first is used"
    masks = _MASK in msgspec.json.encode(entries[1:]).decode()
    refused = read.refused or (f"{complaint}, and another has masks" if masks else "")
    return attrs.evolve(read, complaints=[complaint, *read.complaints], refused=refused)


def _not_used(text: str, why: str) -> AdLogs:
    """The whole label; what it was to mask is not known, so with a mask in it the container may not be read."""
    refused = f"{LABEL} has masks and {why}" if _MASK in text else ""
    return AdLogs(complaints=[f"{LABEL} {why}: not used"], refused=refused)


def _of_entry(entry: dict[str, Any], complaints: list[str]) -> AdLogs:
    given = entry.get("log_processing_rules")
    rules: list[Rule] = []
    multiline, refused = None, ""
    for place, one in enumerate(given if isinstance(given, list) else []):
        rule = _rule(one, complaints)
        if rule is None:
            continue
        try:
            joining = _checked(rule, place)
        except ValueError as error:
            complaints.append(f"{LABEL}: {rule.kind} {rule.name!r}: {error}")
            if rule.kind == _MASK:
                refused = f"its mask {rule.name!r} can't be applied: {error}"
            continue
        if rule.kind == "multi_line":
            multiline = joining
        else:
            rules.append(rule)
    unknown = sorted(set(entry) - {"source", "service", "tags", "log_processing_rules", "type"})
    if unknown:
        complaints.append(f"{LABEL}: not honoured: {', '.join(unknown)[:200]}")
    return AdLogs(
        source=_text(entry.get("source")),
        service=_text(entry.get("service")),
        tags=_tags(entry.get("tags")),
        multiline=multiline,
        rules=rules,
        complaints=complaints,
        refused=refused,
    )


def _checked(rule: Rule, place: int) -> JoinRule:
    """It works, and there are not too many before it; as a rule that joins.

    Raises:
        ValueError: it does not.
    """
    if place >= _MOST_RULES:
        raise ValueError(f"more than {_MOST_RULES} rules")
    joining = JoinRule(start=rule.pattern, continuation=None, unfinished=None, end=None, before=None)
    try:
        masked([rule], pa.array([""], pa.string()))
    except pa.ArrowInvalid:
        raise ValueError(f"{rule.replacement!r} refers to a group that the pattern has not") from None
    return joining


def _rule(one: Any, complaints: list[str]) -> Rule | None:
    one = one if isinstance(one, dict) else {}
    kind, name, pattern = _text(one.get("type")), _text(one.get("name")), one.get("pattern")
    if kind not in _KINDS:
        complaints.append(f"{LABEL}: a rule of the type {kind!r} is not honoured")
        return None
    if not isinstance(pattern, str) or not pattern:
        complaints.append(f"{LABEL}: the rule {name!r} has no pattern")
        return Rule(kind, name, "(") if kind == _MASK else None
    return Rule(kind, name, pattern, _replacement(one.get("replace_placeholder")))


def _replacement(value: Any) -> str:
    """``$1`` as RE2 writes it."""
    text = value if isinstance(value, str) else ""
    return _REFERENCE.sub(lambda match: rf"\{match[1] or match[2]}", text.replace("\\", "\\\\"))


def _text(value: Any) -> str:
    return value.strip()[:200] if isinstance(value, str) else ""


def _tags(value: Any) -> list[tuple[str, str]]:
    """``KEY:VALUE`` texts in a list, or in one text with commas."""
    given = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else []
    pairs = [one.strip().partition(":") for one in given if isinstance(one, str)]
    return [(key[:128], text[:256]) for key, _, text in pairs[:64] if key]


def wanted(rules: Sequence[Rule], texts: Any) -> Any | None:
    """Which texts pass the rules: a boolean array, or None when all do."""
    mask = None
    for rule in rules:
        if rule.kind == _MASK:
            continue
        found = pc.match_substring_regex(texts, rule.pattern)
        keep = found if rule.kind == "include_at_match" else pc.invert(found)
        mask = keep if mask is None else pc.and_(mask, keep)
    return mask


def masked(rules: Sequence[Rule], texts: Any) -> Any:
    """The texts with what is to be masked replaced."""
    for rule in rules:
        if rule.kind == _MASK:
            texts = pc.replace_substring_regex(texts, rule.pattern, rule.replacement)
    return texts
