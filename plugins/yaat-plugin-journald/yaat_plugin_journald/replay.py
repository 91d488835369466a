"""Reading again after a restart: from before the first entry that waited, taking what waited, passing over what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from yaat_plugin_journald.cursors import Cursor, Places
from yaat_plugin_journald.entries import Entries
from yaat_plugin_journald.groups import name_of


class Replay:
    """``until`` is the last entry that was read before; ``waiting`` says of each writer which entry was the first that waited."""

    def __init__(self, until: Cursor, waiting: Mapping[str, Cursor]) -> None:
        self._until = until
        self._waiting = dict(waiting)
        self._taking: set[str] = set()
        self.over = False
        """All that was read before has come."""

    @property
    def missing(self) -> int:
        """Writers whose first entry did not come."""
        return len(self._waiting)

    def wanted(self, entries: Entries, places: Places) -> Any:
        """Which of the next entries are new or waited: booleans."""
        wanted = np.ones(len(entries), bool)
        for row in range(len(entries)):
            self.over = self.over or _after(places, row, self._until)
            if self.over:
                break
            wanted[row] = self._waited(entries, places, row)
            self.over = bytes(entries.cursors[row]) == self._until.text.encode()
        return wanted

    def _waited(self, entries: Entries, places: Places, row: int) -> bool:
        name = name_of(entries, places, row)
        if name in self._taking:
            return True
        first = self._waiting.get(name)
        if first is None or not (entries.cursors[row] == first.text.encode() or _after(places, row, first)):
            return False
        del self._waiting[name]
        self._taking.add(name)
        return True


def _after(places: Places, row: int, cursor: Cursor) -> bool:
    """Numbers say so within one sequence, times between two."""
    if places.streams[row][:32].decode() == cursor.sequence:
        return int(places.numbers[row]) > cursor.number
    return int(places.times[row]) > cursor.us
