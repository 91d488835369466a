"""Keeps the configuration's secrets out of what the agent says of itself: one for the process, as the log is."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final

#: Letters that a value must have to be looked for: shorter ones would make the log unreadable.
SHORTEST: Final = 6
HIDDEN: Final = "***"


class Concealer:
    """Replaces every value that it was told of. What it knows it never forgets, and never shows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: tuple[str, ...] = ()

    def learn(self, values: Iterable[str]) -> None:
        """These are secrets."""
        with self._lock:
            new = {line.strip() for value in values for line in (value, *value.splitlines())}
            known = {*self._values, *(one for one in new if len(one) >= SHORTEST)}
            self._values = tuple(sorted(known, key=len, reverse=True))

    def __call__(self, text: str) -> str:
        """The text without them."""
        for value in self._values:
            if value in text:
                text = text.replace(value, HIDDEN)
        return text


conceal: Final = Concealer()
