"""The agent's rooms, made and connected: everything that exists between opening the queue and closing it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial

import attrs

from yaat_core import identity
from yaat_core.attach import attach
from yaat_core.complaints import Complaints
from yaat_core.components import Ask, ComponentId, Damage, Queue, TransactionalSink, nobody_to_ask
from yaat_core.config.model import Configuration, SinkEntry, SourceEntry
from yaat_core.health import HealthBoard
from yaat_core.pipeline.chain import Chain
from yaat_core.pipeline.deadletter import DeadLetters
from yaat_core.pipeline.delivery import SinkWorker
from yaat_core.pipeline.door import QueueDoor
from yaat_core.pipeline.intake import Intake
from yaat_core.pipeline.lane import Lane
from yaat_core.pipeline.retention import Retention
from yaat_core.pipeline.start import Start
from yaat_core.pipeline.writer import QueueWriter
from yaat_core.stats import ComponentStats, Stats
from yaat_core.supervisor import Keeper, failures
from yaat_core.taps import Taps
from yaat_core.workshop import Steps, Workshop

log = logging.getLogger("yaat.agent")


@attrs.define(kw_only=True, eq=False)
class Rooms:
    """What `open_rooms` made. A reload exchanges parts of it."""

    workshop: Workshop
    steps: Steps
    queue: Queue
    door: QueueDoor
    lanes: dict[str, Lane]
    """By component name of the sink."""
    detached: dict[str, Lane]
    retention: Retention
    intake: Intake
    writer: QueueWriter
    start: Start
    dead_letters: DeadLetters
    complaints: Complaints
    health: HealthBoard
    taps: Taps
    workers: dict[str, SinkWorker] = attrs.field(factory=dict)
    """By the sink's name in the configuration."""
    sources: dict[str, Keeper] = attrs.field(factory=dict)
    """By the source's name in the configuration."""

    def all_lanes(self) -> list[Lane]:
        """Lanes of present sinks and of removed ones."""
        return [*self.lanes.values(), *self.detached.values()]

    def chains(self, workshop: Workshop, steps: Steps) -> dict[str, Chain]:
        """What the sources' batches would go through."""
        return workshop.chains(steps, partial(_processor_failed, self.health))

    def worker(self, entry: SinkEntry) -> SinkWorker:
        """A new worker for a sink that has a lane."""
        counted = ComponentStats(self.workshop.stats, str(entry.id))
        return SinkWorker(
            self.lanes[str(entry.id)],
            partial(self.workshop.make, entry),
            self.start,
            self.dead_letters,
            Keeper(entry.id, entry.type.name, self.health, failures=failures(counted)),
            self.health,
            counted,
            self.complaints,
            self.taps,
        )

    def keeper(self, entry: SourceEntry) -> Keeper:
        """A new keeper for a source."""
        return Keeper(
            entry.id,
            entry.type.name,
            self.health,
            told=partial(_of_its_format, self.writer, str(entry.id)),
            failures=failures(ComponentStats(self.workshop.stats, str(entry.id))),
        )

    def hear_processors(self) -> None:
        """What is in place now is asked how it is."""
        self.complaints.steady([(str(step.id), step.processor) for step in self.steps.all()])


def open_rooms(
    configuration: Configuration,
    stats: Stats,
    health: HealthBoard,
    *,
    once: bool,
    query: Ask = nobody_to_ask,
    taps: Taps | None = None,
) -> Rooms:
    """Make the processors, open the queue, attach the sinks. The caller holds the state lock.

    Raises:
        YaatError: a processor can't be made, or the queue can't be opened.
    """
    agent_id = identity.load_or_make(configuration.state_dir, partial(_tell_identity, health))
    workshop = Workshop(
        configuration=configuration,
        agent_id=agent_id,
        stats=stats,
        once=once,
        query=query,
        diary=health.diary,
    )
    steps = workshop.steps()
    queue: Queue = workshop.make(configuration.queue)
    damage = queue.open()
    try:
        _tell_damage(health, damage)
        intact = not damage and not queue.fresh
        return _connect(configuration, workshop, steps, queue, health, taps or Taps(), intact=intact)
    except BaseException:
        queue.close()
        raise


def _connect(
    configuration: Configuration,
    workshop: Workshop,
    steps: Steps,
    queue: Queue,
    health: HealthBoard,
    taps: Taps,
    *,
    intact: bool,
) -> Rooms:
    door = QueueDoor(queue, health)
    lanes, detached = attach(configuration, queue, door)
    retention = Retention(door, lambda: [*lanes.values(), *detached.values()], health, workshop.stats)
    intake = Intake()
    chains = workshop.chains(steps, partial(_processor_failed, health))
    rooms = Rooms(
        workshop=workshop,
        steps=steps,
        queue=queue,
        door=door,
        lanes=lanes,
        detached=detached,
        retention=retention,
        intake=intake,
        writer=QueueWriter(
            intake,
            chains,
            door,
            workshop.stats,
            gate=retention.room,
            written=retention.after_append,
            taps=taps,
        ),
        start=Start(queue, intact=intact, sinks=_transactional(configuration, workshop), health=health),
        dead_letters=DeadLetters(configuration.state_dir / configuration.dead_letter.path),
        complaints=Complaints(health),
        health=health,
        taps=taps,
    )
    rooms.hear_processors()
    rooms.workers = {name: rooms.worker(entry) for name, entry in configuration.sinks.items()}
    rooms.sources = {name: rooms.keeper(entry) for name, entry in configuration.sources.items()}
    return rooms


def _of_its_format(writer: QueueWriter, source: str) -> str:
    chain = writer.chain(source)
    return chain.parser.processor.detail() if chain and chain.parser else ""


def _transactional(configuration: Configuration, workshop: Workshop) -> list[str]:
    return [
        str(sink.id)
        for sink in configuration.sinks.values()
        if isinstance(workshop.make(sink), TransactionalSink)
    ]


def _tell_identity(health: HealthBoard, what: str) -> None:
    log.error("%s", what)
    health.set("agent", what, advice="see whether the disk of the state directory is sound", level="warn")


def _tell_damage(health: HealthBoard, damage: Sequence[Damage]) -> None:
    for one in damage:
        log.error("queue: %s", one.what)
    if damage:
        health.set(
            "queue",
            f"{len(damage)} damaged places were set aside at start: {damage[0].what}",
            advice="see the folder quarantine in the state directory, and `yaat diagnose` for what was lost",
            level="warn",
            topic="damage",
        )


def _processor_failed(health: HealthBoard, id: ComponentId, what: str) -> None:
    health.set(str(id), what, advice="the log names the error; report it to the plugin", level="warn")
