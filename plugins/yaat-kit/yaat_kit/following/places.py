"""Which generation is found at which path, and which paths are one family of rotated names."""

from __future__ import annotations

import attrs

from yaat_kit.following.generation import Generation
from yaat_kit.following.identity import original_path


def family_of(path: str) -> str:
    """The name that a file and its rotated ones have in common: ``app.log`` for ``app.log.3``."""
    return original_path(path) or path


@attrs.define(eq=False)
class Places:
    """One generation a path at most, one path a generation at most."""

    _by_path: dict[str, Generation] = attrs.field(factory=dict)
    _families: dict[str, set[Generation]] = attrs.field(factory=dict)

    def at(self, path: str | None) -> Generation | None:
        """The one that is found there."""
        return None if path is None else self._by_path.get(path)

    def family(self, path: str) -> set[Generation]:
        """Those that are found under a name of this family."""
        return self._families.get(family_of(path), set())

    def put(self, generation: Generation, path: str) -> None:
        """``path`` leads to this generation, and to no other."""
        self.clear(path)
        if generation.place is not None and self._by_path.get(generation.place) is generation:
            self.clear(generation.place)
        generation.place = path
        self._by_path[path] = generation
        self._families.setdefault(family_of(path), set()).add(generation)

    def clear(self, path: str) -> None:
        """``path`` leads to nothing."""
        generation = self._by_path.pop(path, None)
        if generation is None:
            return
        generation.place = None
        family = self._families[family_of(path)]
        family.discard(generation)
        if not family:
            del self._families[family_of(path)]
