"""Which services and environments were seen: what `GET /v1/services` tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Final

Sighting = tuple[str, str, str]
"""Organization, service, environment."""

#: Seconds between two writes of a service's last sighting.
_EVERY: Final = 60.0
#: Services that are kept; a sender that makes up names for ever can't fill the memory, or the database.
REMEMBERED: Final = 10_000
#: As the table has it.
_LONGEST: Final = 200


class Sightings:
    """Collected from batches, written with the usage."""

    def __init__(self, *, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._written: dict[Sighting, float] = {}
        self._waiting: dict[Sighting, float] = {}
        self.left_out = 0
        """Sightings of services beyond `REMEMBERED`, or with names that can't be kept."""

    def seen(self, organization_id: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Events of these (service, environment) were taken. Give each pair of a batch once."""
        now = self._wall()
        for service, environment in pairs:
            what = (organization_id, service, environment)
            known = self._written.get(what)
            if known is not None and abs(now - known) < _EVERY:
                continue
            if known is None and not self._room(service, environment):
                self.left_out += 1
                continue
            self._written[what] = now
            self._waiting[what] = now

    def take(self) -> Mapping[Sighting, int]:
        """What should be written now, in microseconds; it is the caller's from then on."""
        taken, self._waiting = self._waiting, {}
        return {what: int(at * 1e6) for what, at in taken.items()}

    def put_back(self, taken: Mapping[Sighting, int]) -> None:
        """It could not be written."""
        for what, at in taken.items():
            self._waiting.setdefault(what, at / 1e6)

    def _room(self, *names: str) -> bool:
        fits = all(0 < len(name) <= _LONGEST and "\0" not in name for name in names)
        return fits and len(self._written) < REMEMBERED
