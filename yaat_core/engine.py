"""What runs: the rooms, the configuration they were made from, and the crews of sources, sinks and services in them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from typing import Final

import attrs

from yaat_core.components import Neighbour
from yaat_core.config.model import Configuration, SinkEntry, SourceEntry
from yaat_core.crew import Crew, Work
from yaat_core.neighbours import neighbours
from yaat_core.pipeline.intake import SourceOutlet
from yaat_core.rooms import Rooms
from yaat_core.supervisor import Keeper

log = logging.getLogger("yaat.agent")

#: Failures in a row after which `--once` gives up on a source.
ONCE_ATTEMPTS = 3
#: Name of the service with the health endpoints.
HEALTH: Final = "health"


@attrs.define(eq=False)
class Engine:
    """``configuration`` is always that of what runs. ``rooms`` are there from when the queue is open."""

    configuration: Configuration
    once: bool = False
    sources: Crew = attrs.field()
    sinks: Crew = attrs.field(factory=Crew)
    services: Crew = attrs.field(factory=Crew)
    rooms: Rooms = attrs.field(init=False)
    serve_health: Work = attrs.field(init=False)

    @sources.default
    def _sources(self) -> Crew:
        return Crew(stays=not self.once)

    def all_hands(self) -> None:
        """Everything that is configured begins, when its crew runs."""
        for sink in self.configuration.sinks.values():
            self.start_sink(sink)
        for source in self.configuration.sources.values():
            self.start_source(source)

    def start_sink(self, entry: SinkEntry) -> None:
        """Its worker is made."""
        worker = self.rooms.workers[entry.id.name]
        self.sinks.add(entry.id.name, partial(worker.keeper.keep, worker.run))

    def start_source(self, entry: SourceEntry) -> None:
        """Its keeper is made."""
        keeper = self.rooms.sources[entry.id.name]
        attempts = ONCE_ATTEMPTS if self.once else None
        work = partial(keeper.keep, partial(self._read, entry, keeper), attempts=attempts)
        self.sources.add(entry.id.name, work)

    async def _read(self, entry: SourceEntry, keeper: Keeper) -> None:
        rooms, id = self.rooms, str(entry.id)
        source = rooms.workshop.make(entry)
        if self.once and not source.supports_once:
            log.warning("%s listens, so `--once` skips it", entry.id)
            return
        await rooms.intake.drained(id)  # what a failed run had sent counts in where to resume
        stored = await rooms.door.call(partial(rooms.queue.checkpoints, id))
        resumed = {key: checkpoint.value for key, checkpoint in stored.items()}
        beside = await self._beside(entry) if source.inherits else ()
        keeper.works()
        with rooms.complaints.hear(id, source):
            await source.run(SourceOutlet(rooms.intake, id, resumed, beside))

    async def _beside(self, entry: SourceEntry) -> Sequence[Neighbour]:
        rooms = self.rooms
        return await rooms.door.call(partial(neighbours, self.configuration, rooms.queue, entry))
