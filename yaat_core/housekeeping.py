"""What has to be looked at now and then: gauges, expired dead letters, removed sinks, the event loop itself."""

from __future__ import annotations

import trio

from yaat_core import report
from yaat_core.attach import expire
from yaat_core.rooms import Rooms
from yaat_core.stats import Stats

#: Seconds between rounds.
EVERY = 5.0
#: Seconds between looks at the event loop.
BEAT = 0.5


async def keep_house(rooms: Rooms, stats: Stats, dead_letters_kept: float) -> None:
    """Rounds, until cancelled. ``dead_letters_kept`` in seconds."""
    while True:
        await expire(rooms.detached, rooms.door)
        await rooms.dead_letters.expire(rooms.all_lanes(), dead_letters_kept)
        figures = report.queue_figures(await rooms.door.state(), rooms.lanes.values())
        report.gauges(stats, figures, rooms.lanes)
        await trio.sleep(EVERY)


async def watch_loop(stats: Stats) -> None:
    """How late the event loop wakes up: a component that blocks it shows here."""
    delay = stats.histogram("yaat_event_loop_delay_seconds", "How late the event loop woke up.")
    while True:
        due = trio.current_time() + BEAT
        await trio.sleep_until(due)
        delay.observe(trio.current_time() - due)
