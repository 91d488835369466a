"""Names by globs: the option that sources share, and what it takes."""

from __future__ import annotations

import fnmatch
import re

from yaat_core.config.options import configuration, option


@configuration
class Choice:
    """Which names are taken: all of `include` (empty: all) but those of `exclude`. Globs, as `eth*`."""

    include: tuple[str, ...] = option(
        default=(), help="Globs of what is taken; empty: everything.", example=["eth*"]
    )
    exclude: tuple[str, ...] = option(default=(), help="Globs of what is left out.", example=["veth*"])


class Chosen:
    """A `Choice`, ready to be asked; answers are remembered."""

    def __init__(self, choice: Choice) -> None:
        self._include = _pattern(choice.include) if choice.include else None
        self._exclude = _pattern(choice.exclude) if choice.exclude else None
        self._known: dict[str, bool] = {}

    def __contains__(self, name: str) -> bool:
        answer = self._known.get(name)
        if answer is None:
            answer = self._included(name)
            if len(self._known) < 10_000:
                self._known[name] = answer
        return answer

    def _included(self, name: str) -> bool:
        if self._include is not None and not self._include.fullmatch(name):
            return False
        return self._exclude is None or not self._exclude.fullmatch(name)


def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(fnmatch.translate(glob) for glob in globs))
