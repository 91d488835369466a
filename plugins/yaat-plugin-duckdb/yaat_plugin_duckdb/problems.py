"""What is wrong with the database while it goes on: found by the writer's threads, asked for by health."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Final

from yaat_core.components import Finding
from yaat_core.config.options import Size
from yaat_plugin_duckdb.places import Places
from yaat_plugin_duckdb.store import Store

#: With less free space than this nothing useful can be stored.
LEAST_FREE: Final = 64 * 2**20
#: CHECKPOINTs that may fail in a row before it is told.
_FAILURES: Final = 3
_MOST_NAMED: Final = 3


class Problems:
    """By topic. Any thread."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._found: dict[str, Finding] = {}
        self._failures = 0

    def now(self) -> Sequence[Finding]:
        """All that is wrong."""
        return tuple(self._found.values())

    def look(self, store: Store) -> None:
        """At the files, and at the disk."""
        self._say("missing", _missing(store))
        self._say("gaps", _gaps(store))
        self._say("damaged", damaged(self._places))
        self._say("space", room(self._places))

    def not_moved(self, why: str) -> None:
        """A CHECKPOINT failed."""
        self._failures += 1
        if self._failures >= _FAILURES:
            problem = f"DuckDB's log can't be moved into the file, {self._failures} times in a row: {why}"
            advice = (
                "events are stored, and stay in the queue as well until it works: make room, or see the log"
            )
            self._say("checkpoint", Finding(problem=problem, advice=advice, level="warn"))

    def moved(self) -> None:
        """A CHECKPOINT succeeded."""
        self._failures = 0
        self._say("checkpoint", None)

    def _say(self, topic: str, finding: Finding | None) -> None:
        found = {name: one for name, one in self._found.items() if name != topic}
        self._found = found | ({topic: finding} if finding else {})


def damaged(places: Places) -> Finding | None:
    """Files that were set aside and still lie there."""
    files = places.damaged()
    if not files:
        return None
    are = "is a damaged file that was" if len(files) == 1 else "are damaged files that were"
    return Finding(
        problem=f"{_named([str(file) for file in files])} {are} set aside",
        advice="its events were delivered again as far as the queue had them; look into it, then delete it",
        level="warn",
    )


def room(places: Places) -> Finding | None:
    """Too little space for anything."""
    folder = places.path.parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free >= LEAST_FREE:
        return None
    return Finding(
        problem=f"only {Size(free)} are free beside {places.path}", advice="make room on this disk"
    )


def _missing(store: Store) -> Finding | None:
    numbers = store.missing()
    if not numbers:
        return None
    return Finding(
        problem=f"files of the database are gone: {_named([str(number) for number in numbers])}",
        advice="their events can't be asked for: put the files back from a backup and restart, or wait until "
        "retention has passed them",
        level="warn",
    )


def _gaps(store: Store) -> Finding | None:
    gaps = store.gaps()
    if not gaps:
        return None
    return Finding(
        problem="files of the database do not follow each other, events are missing between them: "
        + _named([f"{first} to {last}" for first, last in gaps]),
        advice="a backup was restored over newer files: restore all of its files into an empty folder",
        level="warn",
    )


def _named(names: list[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
