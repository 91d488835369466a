"""Options of the processor. User patterns are checked here, so that `yaat validate` tells of a bad one."""

from __future__ import annotations

import difflib
import re
from typing import Any, Final, Literal

from yaat_core.config.options import configuration, option
from yaat_kit.regex import compiled

#: Columns that rules may name, besides `tags` and `tags.NAME`.
COLUMNS: Final = (
    "message",
    "stacktrace",
    "operation",
    "service_name",
    "environment",
    "metric_name",
    "level",
    "trace_id",
    "span_id",
    "parent_span_id",
)
_RULE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
#: Letters that a key must have at least: 112 bits and more, as NIST SP 800-107 asks of HMAC, if they are of hexadecimal.
LEAST_KEY: Final = 32
#: In one of these, a pattern that can match nothing does so.
_SHORT: Final = ("", "a", " 1b ", "\n-\n")
#: Columns that an event can't be without.
_REQUIRED: Final = ("service_name", "environment")
_REFERENCE: Final = re.compile(r"\\(\d|\\)?")


@configuration
class Rule:
    """A rule of your own: what matches is replaced, or the event dropped."""

    name: str = option(help="Name in the placeholder, the figures and the accounting.", example="order")
    pattern: str = option(
        help="Regular expression in RE2's syntax (no lookaround, no backreferences).", example="order-\\d+"
    )
    replacement: str | None = option(
        default=None,
        help="What stands in its place; `\\1` to `\\9` are groups of the pattern. `[NAME]` when absent.",
        example="[order]",
    )
    fields: tuple[str, ...] = option(
        default=("message", "stacktrace", "operation", "tags"),
        help="Columns to look at; `tags` is every tag with its name, `tags.NAME` the value of one.",
        example=["message", "tags.user"],
    )
    drop: bool = option(
        default=False, help="Drop events that match; they are counted as `scrub/NAME`.", example=True
    )

    def __attrs_post_init__(self) -> None:
        _check_name(self.name)
        groups = _groups(self)
        for field in self.fields:
            _check_field(field)
        if not self.fields:
            raise ValueError(f"rule {self.name}: fields is empty; leave it out for the default")
        if self.replacement is not None:
            _check_replacement(self.name, self.replacement, groups)
            if self.drop:
                raise ValueError(f"rule {self.name}: a dropped event needs no replacement; take out one")


@configuration
class Mask:
    """A field that is masked whole, whatever it holds."""

    name: str = option(help="Name in the figures.", example="user")
    fields: tuple[str, ...] = option(
        help="Columns, and tags as `tags.NAME`, that are masked whole.", example=["tags.user.email"]
    )
    action: Literal["remove", "hash", "keep_last"] = option(
        help="`remove` the field; `hash`: HMAC-SHA256 under `key`, 32 hex digits, the same for the same value; "
        "`keep_last` letters.",
        example="hash",
    )
    key: str = option(
        "",
        help="Key of `hash`, 32 letters or more. Only by reference, never written here; there is no default.",
        example="${file:hmac.key}",
        secret=True,
        reference=True,
    )
    keep: int = option(
        4, help="How many letters `keep_last` keeps, of values that are at least twice as long.", example=4
    )

    def __attrs_post_init__(self) -> None:
        _check_name(self.name)
        if not self.fields:
            raise ValueError(f"mask {self.name}: fields is empty; name the columns and tags to mask")
        for field in self.fields:
            _check_field(field)
            if field == "tags":
                raise ValueError(f"mask {self.name}: fields must name each tag: `tags.NAME`")
            if field in _REQUIRED and self.action == "remove":
                raise ValueError(
                    f"mask {self.name}: fields names {field}, which every event has; hash it instead"
                )
        if self.action == "hash" and len(self.key) < LEAST_KEY:
            raise ValueError(_no_key(self))
        if self.action != "hash" and self.key:
            raise ValueError(f"mask {self.name}: key is for `action: hash` only")
        if self.keep < 1:
            raise ValueError(f"mask {self.name}: keep must be 1 or more; to keep nothing, remove the field")


def _no_key(mask: Mask) -> str:
    if mask.key:
        return f"mask {mask.name}: key is too short: it must have {LEAST_KEY} letters or more, such as 32 hex digits"
    return (
        f"mask {mask.name}: `hash` needs a key, and there is no default: write `key: ${{file:PATH}}` or "
        "`key: ${env:NAME}`; `openssl rand -hex 32` makes one"
    )


def _names(_instance: Any, _attribute: Any, value: tuple[str, ...]) -> None:
    from yaat_plugin_scrub.detectors import select

    select(value)


def _once(_instance: Any, _attribute: Any, value: tuple[Rule | Mask, ...]) -> None:
    names = [one.name for one in value]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"each needs a name of its own; twice: {', '.join(twice)}")


@configuration
class ScrubConfig:
    """Redaction: secrets, personal data, rules of your own, masks of whole fields; drop rules."""

    detectors: tuple[str, ...] = option(
        default=("secrets",),
        help="What to find without a rule: sets (`secrets`, `pii`, `all`) or single detectors (`email`).",
        example=["secrets", "email"],
        validator=_names,
    )
    rules: tuple[Rule, ...] = option(
        default=(),
        help="Rules of your own, applied in order, before the detectors.",
        example=[{"name": "order", "pattern": "order-\\d+"}],
        validator=_once,
    )
    masks: tuple[Mask, ...] = option(
        default=(),
        help="Fields that are masked whole, before the rules.",
        example=[{"name": "user", "fields": ["tags.user"], "action": "remove"}],
        validator=_once,
    )


def _check_name(name: str) -> None:
    if not _RULE_NAME.fullmatch(name):
        raise ValueError(f"name must be letters, digits, `_`, `.` and `-`, got {name!r}")


def _groups(rule: Rule) -> int:
    """How many groups the pattern has; refuses one that RE2 does not take."""
    try:
        pattern = compiled(rule.pattern)
    except ValueError as error:
        raise ValueError(f"rule {rule.name}: pattern {error}") from None
    found = [match for text in _SHORT for match in pattern.finditer(text)]
    if not rule.drop and any(match.start() == match.end() for match in found):
        raise ValueError(
            f"rule {rule.name}: pattern matches the empty text, so it would match where nothing is; "
            "write `+` where it has `*`, or make less of it optional"
        )
    return int(pattern.groups)


def _check_replacement(name: str, replacement: str, groups: int) -> None:
    for found in _REFERENCE.finditer(replacement):
        after = found[1]
        if after is None:
            raise ValueError(
                f"rule {name}: replacement has a single backslash; write `\\\\` for one, or `\\1` for a group"
            )
        if after != "\\" and int(after) > groups:
            raise ValueError(f"rule {name}: replacement names group \\{after}, but the pattern has {groups}")


def _check_field(field: str) -> None:
    if field in COLUMNS or field == "tags" or (field.startswith("tags.") and len(field) > len("tags.")):
        return
    near = difflib.get_close_matches(field, [*COLUMNS, "tags"], 1)
    guess = f"did you mean `{near[0]}`? " if near else ""
    raise ValueError(f"no field {field!r}: {guess}There are {', '.join(COLUMNS)}, tags and tags.NAME")
