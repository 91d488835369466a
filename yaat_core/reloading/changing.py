"""Does what a plan says, in an order in which nothing is lost or repeated:

new parts are made (what can't be made refuses the whole) ─▶ bounds ─▶ sinks leave, change, come ─▶ sources that leave or
change stop, and what they sent becomes durable ─▶ processors are exchanged between two batches ─▶ sources start
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Final

import attrs
import trio

from yaat_core.attach import attach_more, detach
from yaat_core.components import Sink
from yaat_core.config.model import DeadLetterSettings, Entry
from yaat_core.control import health as health_endpoint
from yaat_core.engine import HEALTH, Engine
from yaat_core.faults import reached
from yaat_core.pipeline.chain import Chain
from yaat_core.reloading.plan import Plan
from yaat_core.workshop import Steps, Workshop

log = logging.getLogger("yaat.reload")

#: Seconds that components have to stop, and what they sent to become durable, before the reload goes on without.
PATIENCE: Final = 10.0


@attrs.frozen(eq=False)
class Made:
    """What a plan needs that is new; made, and in nobody's way."""

    workshop: Workshop
    steps: Steps
    chains: Mapping[str, Chain]


async def make(engine: Engine, plan: Plan) -> Made:
    """Make what is new: processors to stay, sources and sinks to see that they can be made.

    Raises:
        PluginError: something can't be made. Nothing has changed.
    """
    rooms = engine.rooms
    workshop = attrs.evolve(rooms.workshop, configuration=plan.configuration)
    steps = await trio.to_thread.run_sync(workshop.steps, rooms.steps)
    try:
        for entry in _new(plan):
            tried = await trio.to_thread.run_sync(workshop.make, entry)
            if isinstance(tried, Sink):
                await tried.aclose()
    except BaseException:
        _close_new(rooms.steps, steps)
        raise
    return Made(workshop, steps, rooms.chains(workshop, steps))


def possible(engine: Engine, plan: Plan) -> Plan:
    """The plan without what can't be done at this moment, which is among what needs a restart then."""
    if not plan.has("dead_letter.path"):
        return plan
    waiting = [lane for lane in engine.rooms.all_lanes() if lane.cursor.replaying or lane.cursor.files]
    if not waiting:
        return plan
    settings = DeadLetterSettings(
        path=engine.configuration.dead_letter.path, retention=plan.configuration.dead_letter.retention
    )
    return attrs.evolve(
        plan,
        configuration=attrs.evolve(plan.configuration, dead_letter=settings),
        changes=[change for change in plan.changes if change.component != "dead_letter.path"],
        restart_needed=[*plan.restart_needed, "dead_letter.path"],
    )


async def change(engine: Engine, plan: Plan, made: Made) -> None:
    """Do it."""
    rooms, after = engine.rooms, plan.configuration
    rooms.workshop = made.workshop
    for name in plan.of("sinks", "changed"):
        rooms.lanes[f"sinks.{name}"].bounds = after.sinks[name].bounds
    if plan.has("dead_letter.path"):
        await rooms.dead_letters.move(after.state_dir / after.dead_letter.path)
    if plan.has("health.listen"):
        await _serve_elsewhere(engine)
    await _sinks(engine, plan)
    reached("reload.sinks")
    await _stop_sources(engine, plan)
    reached("reload.sources.stopped")
    await _exchange(engine, made)
    engine.configuration = after
    reached("reload.processors")
    for name in plan.of("sources", "started", "restarted"):
        entry = after.sources[name]
        rooms.sources[name] = rooms.keeper(entry)
        engine.start_source(entry)
    rooms.sources = {name: rooms.sources[name] for name in after.sources}
    rooms.workers = {name: rooms.workers[name] for name in after.sinks}


async def _sinks(engine: Engine, plan: Plan) -> None:
    rooms, after = engine.rooms, plan.configuration
    gone, other = plan.of("sinks", "stopped"), plan.of("sinks", "restarted")
    await _dismiss(engine, "sinks", [*gone, *other])
    for name in gone:
        await detach(f"sinks.{name}", rooms)
        del rooms.workers[name]
        _forget(engine, f"sinks.{name}")
    for name in other:
        lane = rooms.lanes[f"sinks.{name}"]
        lane.bounds, lane.ready = after.sinks[name].bounds, False
    fresh = plan.of("sinks", "started")
    await attach_more([after.sinks[name] for name in fresh], rooms)
    for name in [*other, *fresh]:
        rooms.workers[name] = rooms.worker(after.sinks[name])
        engine.start_sink(after.sinks[name])


async def _stop_sources(engine: Engine, plan: Plan) -> None:
    """What they sent becomes durable; where that takes long, it goes on without: see `QueueWriter.rewire`."""
    rooms = engine.rooms
    leaving = plan.of("sources", "stopped", "restarted")
    await _dismiss(engine, "sources", leaving)
    with trio.move_on_after(PATIENCE):
        for name in leaving:
            await rooms.intake.drained(f"sources.{name}")
    for name in plan.of("sources", "stopped"):
        rooms.sources.pop(name, None)
        _forget(engine, f"sources.{name}")


async def _exchange(engine: Engine, made: Made) -> None:
    rooms = engine.rooms
    kept = {id(step) for step in made.steps.all()}
    gone = {str(step.id) for step in rooms.steps.all() if id(step) not in kept}
    await rooms.writer.rewire(made.chains)
    rooms.steps = made.steps
    rooms.hear_processors()
    there = {str(step.id) for step in made.steps.all()}
    for component in gone:
        rooms.health.forget(component)
        if component not in there:
            rooms.workshop.stats.forget(component=component)


async def _serve_elsewhere(engine: Engine) -> None:
    await engine.services.dismiss([HEALTH], patience=PATIENCE)
    engine.rooms.health.forget(health_endpoint.COMPONENT)
    engine.services.add(HEALTH, engine.serve_health)


async def _dismiss(engine: Engine, kind: str, names: Sequence[str]) -> None:
    crew = engine.sinks if kind == "sinks" else engine.sources
    for name in await crew.dismiss(names, patience=PATIENCE):
        log.warning("%s.%s has not stopped within %.0f s; the reload goes on", kind, name, PATIENCE)


def _forget(engine: Engine, component: str) -> None:
    engine.rooms.health.forget(component)
    engine.rooms.workshop.stats.forget(component=component)


def _new(plan: Plan) -> list[Entry]:
    whole = plan.configuration
    sources = [whole.sources[name] for name in plan.of("sources", "started", "restarted")]
    sinks = [whole.sinks[name] for name in plan.of("sinks", "started", "restarted")]
    return [*sources, *sinks]


def _close_new(before: Steps, steps: Steps) -> None:
    known = {id(step) for step in before.all()}
    for step in steps.all():
        if id(step) not in known:
            step.processor.close()
