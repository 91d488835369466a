"""What was counted and is not yet in the database: written each second, and at the end.

A ``kill -9`` loses the counts since the last write: a second's, and those of the write that was under way. Never an event.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import Final

import trio

from yaat_core.errors import YaatError
from yaat_plugin_gateway.access.meters import Amount
from yaat_plugin_gateway.state.records import Used
from yaat_plugin_gateway.state.store import State
from yaat_plugin_gateway.state.usage import Gathered

log = logging.getLogger("yaat.gateway")

#: Seconds between two writes.
EVERY: Final = 1.0

#: Organization, key, day, type.
_Row = tuple[str, str, str, str]


class Ledger:
    """Counts on their way into the database."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._rows: dict[_Row, list[int]] = {}
        self.still = trio.Lock()
        """Whoever holds it knows that nothing is being written."""
        self.problem = ""
        """Why the last write failed; empty: it did not."""

    def add(self, organization_id: str, key_id: str, day: str, amounts: Mapping[str, Amount]) -> None:
        """These were taken."""
        for event_type, (events, size) in amounts.items():
            row = self._rows.setdefault((organization_id, key_id, day, event_type), [0, 0])
            row[0] += events
            row[1] += size

    def waiting(self, organization_id: str) -> Iterator[Used]:
        """An organization's counts that are not written."""
        for row, (events, size) in self._rows.items():
            if row[0] == organization_id:
                yield _used(row, events, size)

    async def write(
        self, last_used_us: Mapping[str, int], seen_us: Mapping[tuple[str, str, str], int]
    ) -> bool:
        """Write all that waits, in one transaction. When that fails it waits on; whether it went well."""
        async with self.still:
            taken, self._rows = self._rows, {}
            used = [_used(row, events, size) for row, (events, size) in taken.items()]
            gathered = Gathered(used=used, last_used_us=last_used_us, seen_us=seen_us)
            if not gathered:
                return True
            written = False
            try:
                await self._state.ask(self._state.usage.write, gathered)
                written, self.problem = True, ""
            except YaatError as error:
                if not self.problem:
                    log.warning("usage can't be written, and waits in memory: %s", error.line())
                self.problem = error.what
            finally:
                if not written:
                    self._put_back(used)
            return written

    def _put_back(self, used: list[Used]) -> None:
        for one in used:
            self.add(one.organization_id, one.key_id, one.day, {one.event_type: (one.events, one.bytes)})


def _used(row: _Row, events: int, size: int) -> Used:
    organization_id, key_id, day, event_type = row
    return Used(
        organization_id=organization_id,
        key_id=key_id,
        day=day,
        event_type=event_type,
        events=events,
        bytes=size,
    )
