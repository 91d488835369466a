"""Patterns that users write: RE2 only, whose time is linear in the text whatever the pattern."""

from __future__ import annotations


def check_pattern(pattern: str) -> None:
    """Is it fit for the type `regex`?

    Raises:
        ValueError: not RE2, no named group, an unnamed one, or a name twice; says what to write.
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise ValueError(_reason(pattern, str(error))) from error
    names = compiled.groupindex
    if not names:
        raise ValueError("pattern names no group: write (?P<name>...) around each part that is to be kept")
    if compiled.groups > len(names):
        raise ValueError(
            "pattern has a group without a name, or a name twice: write (?:...) for groups that keep nothing"
        )


def _reason(pattern: str, error: str) -> str:
    text = error.removeprefix("b'").removesuffix("'")
    if any(part in pattern for part in ("(?=", "(?!", "(?<=", "(?<!")):
        return f"pattern is not RE2: {text} (there is no look-ahead or look-behind: match the text around and name a group)"
    return f"pattern is not RE2: {text}"
