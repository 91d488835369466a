"""What is looked at now and then: gauges, limits of what waits, expired dead letters, removed sinks, the event loop itself."""

from __future__ import annotations

import logging

import trio

from yaat_core import report
from yaat_core.attach import expire
from yaat_core.config.model import Configuration
from yaat_core.engine import Engine
from yaat_core.health import HealthBoard
from yaat_core.limits import look_at
from yaat_core.memory import forget_code
from yaat_core.rooms import Rooms
from yaat_core.stats import Stats

log = logging.getLogger("yaat.agent")

#: Seconds between rounds.
EVERY = 5.0
#: Seconds until what only the start needed is let go.
STARTED = 2.0
#: Seconds between looks at the event loop.
BEAT = 0.5


async def keep_house(engine: Engine, stats: Stats, health: HealthBoard) -> None:
    """Rounds, until cancelled. What the system refuses is told, and tried again."""
    while True:
        try:
            await _round(engine.rooms, stats, health, engine.configuration)
        except OSError as error:
            log.warning("housekeeping has to wait: %s", error)
            health.set(
                "agent",
                f"housekeeping has to wait: {error}",
                advice="mend what the message names (descriptors: raise the limit of open files); it goes on by itself",
                level="warn",
                topic="house",
            )
        else:
            health.clear("agent", "house")
        await trio.sleep(EVERY)


async def settle() -> None:
    """Once, a little after the start: less memory."""
    await trio.sleep(STARTED)
    try:
        await trio.to_thread.run_sync(forget_code)
    except OSError as error:
        log.debug("no memory was given back after the start: %s", error)


async def watch_loop(stats: Stats) -> None:
    """How late the event loop wakes up: a component that blocks it shows here."""
    delay = stats.histogram("yaat_event_loop_delay_seconds", "How late the event loop woke up.")
    while True:
        due = trio.current_time() + BEAT
        await trio.sleep_until(due)
        delay.observe(trio.current_time() - due)


async def _round(rooms: Rooms, stats: Stats, health: HealthBoard, configuration: Configuration) -> None:
    await look_at(list(rooms.lanes.values()), configuration.health, health)
    await expire(rooms.detached, rooms.door)
    await rooms.dead_letters.expire(rooms.all_lanes(), float(configuration.dead_letter.retention))
    figures = await report.queue_figures(rooms.lanes.values())
    report.gauges(stats, figures, rooms.lanes)
