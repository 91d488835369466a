"""What was probably meant by a name that nobody knows: one wording for every message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

from yaat_core.display import terminal_safe

#: How alike two names must be, 0 to 1, and by how much others may be less alike than the best.
_ALIKE: Final = 0.55
_BESIDES: Final = 0.12
_MOST: Final = 3


def near(name: str, known: Iterable[str]) -> Sequence[str]:
    """The known names that are most like ``name``, the best first; upper and lower case are the same."""
    wanted = name.lower()
    alike = {one: difflib.SequenceMatcher(None, one.lower(), wanted).ratio() for one in known}
    best = max(alike.values(), default=0.0)
    if best < _ALIKE:
        return []
    found = [one for one, ratio in alike.items() if ratio >= max(_ALIKE, best - _BESIDES)]
    return sorted(found, key=lambda one: -alike[one])[:_MOST]


def guess(name: str, known: Iterable[str], there: str = "configured") -> str:
    """What to do instead, for an error's ``fix``: "did you mean `web`?", else all that are ``there``."""
    names = list(dict.fromkeys(known))
    found = [f"`{terminal_safe(one)}`" for one in near(name, names)]
    if found:
        return f"did you mean {' or '.join(found)}?"
    return f"{there}: {', '.join(map(terminal_safe, names)) or 'none'}"
