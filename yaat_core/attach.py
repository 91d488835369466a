"""Sinks come and go: who has a lane in the queue, from where, and for how long after it was removed."""

from __future__ import annotations

import logging
import time
from typing import Final

import attrs

from yaat_core.clock import ages
from yaat_core.components import Queue, QueueState
from yaat_core.config.model import Bounds, Configuration, SinkEntry
from yaat_core.config.options import Duration, Size
from yaat_core.cursor import Cursor
from yaat_core.pipeline.door import QueueDoor
from yaat_core.pipeline.lane import Lane

log = logging.getLogger("yaat.sinks")

#: How long the place of a removed sink is kept.
DETACHED_FOR: Final = Duration(24 * 3600)
_DETACHED_BOUNDS: Final = Bounds(max_bytes=Size(2**30), retention=DETACHED_FOR, when_full="drop_oldest")


def attach(
    configuration: Configuration, queue: Queue, door: QueueDoor
) -> tuple[dict[str, Lane], dict[str, Lane]]:
    """Lanes of the configured sinks, and of those that were removed, by component name.

    Stores what changed: new cursors, and when a sink was first found missing.
    """
    state = queue.state()
    now_us = time.time_ns() // 1_000
    lanes = {
        str(entry.id): _lane(
            door, state, str(entry.id), entry.bounds, _cursor(entry, state, now_us, new=queue.fresh)
        )
        for entry in configuration.sinks.values()
    }
    gone = {
        name: _lane(door, state, name, _DETACHED_BOUNDS, _detach(cursor, now_us))
        for name, cursor in state.cursors.items()
        if name not in lanes
    }
    queue.put_cursors({name: lane.cursor for name, lane in {**lanes, **gone}.items()}, sync=True)
    return lanes, gone


async def expire(detached: dict[str, Lane], door: QueueDoor) -> None:
    """Forget sinks that were removed long ago; what still waited for them counts as dropped."""
    horizon = ages.now_us() - int(DETACHED_FOR * 1e6)
    for name, lane in list(detached.items()):
        if (lane.cursor.detached_at_us or 0) < horizon:
            log.warning(
                "%s was removed over 24 h ago: %d events that waited for it are dropped", name, lane.queued
            )
            del detached[name]
            await door.put_cursors({name: None})


def _cursor(entry: SinkEntry, state: QueueState, now_us: int, *, new: bool) -> Cursor:
    kept = state.cursors.get(str(entry.id))
    if kept is not None:
        return attrs.evolve(kept, detached_at_us=None)
    oldest = entry.start == "oldest" or (entry.start is None and new)
    return Cursor.attach(state.deleted_upto if oldest else state.tail, now_us)


def _detach(cursor: Cursor, now_us: int) -> Cursor:
    return cursor if cursor.detached_at_us else attrs.evolve(cursor, detached_at_us=now_us)


def _lane(door: QueueDoor, state: QueueState, name: str, bounds: Bounds, cursor: Cursor) -> Lane:
    ready = cursor.detached_at_us is not None
    return Lane(
        name=name,
        bounds=bounds,
        door=door,
        cursor=cursor,
        tail=state.tail,
        total_bytes=state.total_bytes,
        ready=ready,
    )
