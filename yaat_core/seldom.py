"""What a log says again and again is said once, and then now and then with how often it happened."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

#: Seconds between two lines of the same text.
EVERY: Final = 60.0
#: Texts that are remembered.
_MOST: Final = 100


class Seldom(logging.Filter):
    """For loggers that report the same trouble many times a second. The first traceback is enough as well."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._said: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; how often it was not is added to the next one that is."""
        if record.levelno < logging.WARNING:
            return True
        text, now = record.getMessage(), self._clock()
        said, kept_back = self._said.get(text, (None, 0))
        if said is not None and now - said < EVERY:
            self._said[text] = (said, kept_back + 1)
            return False
        self._said.pop(text, None)
        while len(self._said) >= _MOST:
            del self._said[next(iter(self._said))]
        self._said[text] = (now, 0)
        if said is not None:
            record.msg, record.args = f"{text} (and {kept_back} times in the {now - said:.0f} s before)", ()
            record.exc_info = record.exc_text = None
        return True
