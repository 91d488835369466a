"""What both readers of the journal are told, and what they do."""

from __future__ import annotations

from typing import Final, Literal, Protocol

import attrs

from yaat_plugin_journald.cursors import Cursor
from yaat_plugin_journald.entries import Collector, Entries
from yaat_plugin_journald.matching import Alternative
from yaat_plugin_journald.places import Places
from yaat_plugin_journald.since import Start

#: A batch holds about so many entries, or bytes of their fields.
BATCH_ROWS: Final = 4096
BATCH_BYTES: Final = 2 * 2**20
#: Seconds between looks at a journal that tells nothing of its changes, or whose files may come and go.
POLL: Final = 1.0
RESCAN: Final = 10.0


@attrs.frozen(kw_only=True)
class Asked:
    """What is to be read. ``fields`` None: all fields. ``once``: to the present end."""

    places: Places
    journal: Literal["all", "system", "user"] = "all"
    alternatives: tuple[Alternative, ...] = ()
    fields: frozenset[str] | None = None
    max_field_bytes: int = 2**20
    once: bool = False

    def collector(self) -> Collector:
        """A new one."""
        wanted = None if self.fields is None else frozenset(name.encode() for name in self.fields)
        return Collector(wanted, self.max_field_bytes)


@attrs.frozen
class Nearest:
    """Where a cursor's entry is looked for, whatever was asked for: is it there? Else the first one after it."""

    there: bool
    after: Cursor | None = None


class Reader(Protocol):
    """One way to read the journal. Used by one task; what it raises restarts the source."""

    async def nearest(self, cursor: Cursor) -> Nearest:
        """Look for an entry, among all of the journal."""
        ...

    async def open(self, start: Start) -> None:
        """Begin there. An entry at its very cursor is not given again."""
        ...

    async def next(self) -> Entries | None:
        """The next entries, waiting for them; None at the end when it is read once. Can be cancelled without loss."""
        ...

    async def close(self) -> None:
        """Safe twice, and without `open`."""
        ...
