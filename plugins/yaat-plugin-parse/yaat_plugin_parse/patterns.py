"""Patterns that users write: RE2 only, whose time is linear in the text whatever the pattern."""

from __future__ import annotations

from yaat_kit.regex import compiled


def check_pattern(pattern: str) -> None:
    """Is it fit for the type `regex`?

    Raises:
        ValueError: not RE2, no named group, an unnamed one, or a name twice; says what to write.
    """
    try:
        found = compiled(pattern)
    except ValueError as error:
        raise ValueError(f"pattern {error}") from None
    names = found.groupindex
    if not names:
        raise ValueError("pattern names no group: write (?P<name>...) around each part that is to be kept")
    if found.groups > len(names):
        raise ValueError(
            "pattern has a group without a name, or a name twice: write (?:...) for groups that keep nothing"
        )
