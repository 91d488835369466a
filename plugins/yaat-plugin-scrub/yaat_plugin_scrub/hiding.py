"""What was taken out of a text, shown without giving it away."""

from __future__ import annotations

import difflib
import re
from typing import Final

_WORDS: Final = re.compile(r"\s+|\S+")
#: A masked text shows this many characters at both ends when it is at least `_LONG`.
_SHOWN: Final = 2
_LONG: Final = 12
#: Texts with more words are compared from their ends only: finding what is common takes time by the square of these.
_MOST_WORDS: Final = 400


def hidden(before: str, after: str) -> str:
    """The text before, with the middle of whatever was taken out of it hidden."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(old), len(new)) > _MOST_WORDS:
        return _hidden(before, after)
    steps = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return "".join(
        "".join(old[a:b]) if step == "equal" else _hidden("".join(old[a:b]), "".join(new[c:d]))
        for step, a, b, c, d in steps
    )


def _hidden(before: str, after: str) -> str:
    """What both have in common at the ends stays; of the rest only the ends are shown."""
    start = _common(before, after)
    end = _common(before[start:][::-1], after[start:][::-1])
    middle = before[start : len(before) - end]
    shown = _SHOWN if len(middle) >= _LONG else 0
    mask = f"{middle[:shown]}…{middle[len(middle) - shown :]}" if middle else ""
    return before[:start] + mask + before[len(before) - end :]


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next(
        (index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
