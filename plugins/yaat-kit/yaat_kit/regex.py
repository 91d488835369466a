"""Patterns that users write: RE2 alone, which never takes more than linear time, and advice where it can't say something."""

from __future__ import annotations

import re
from typing import Any, Final

_LACKS: Final = (
    (re.compile(r"\(\?<?[=!]"), "RE2 has no lookahead or lookbehind: match the text around as well"),
    (re.compile(r"\\[1-9]|\(\?P="), "RE2 has no backreferences: write out what may be repeated"),
    (
        re.compile(r"\(\?>|[*+?}]\+"),
        "RE2 has no atomic groups or possessive quantifiers, and never backtracks: leave them out",
    ),
)
_SYNTAX: Final = "The syntax: https://github.com/google/re2/wiki/Syntax"


def compiled(pattern: str) -> Any:
    """The pattern as `re2` has it.

    Raises:
        ValueError: it is not RE2: says why, and what to write.
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        advice = next((advice for lack, advice in _LACKS if lack.search(pattern)), _SYNTAX)
        raise ValueError(f"is not a regular expression of RE2: {said}. {advice}") from None
