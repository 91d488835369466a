"""Sinks come and go: who has a lane in the queue, from where, and for how long after it was removed."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from functools import partial
from typing import Final, Protocol

import attrs

from yaat_core.clock import ages
from yaat_core.components import Queue, QueueState
from yaat_core.config.model import Bounds, Configuration, SinkEntry
from yaat_core.config.options import Duration, Size
from yaat_core.cursor import Cursor
from yaat_core.pipeline.door import QueueDoor
from yaat_core.pipeline.lane import Lane
from yaat_core.pipeline.retention import Retention

log = logging.getLogger("yaat.sinks")


class Lanes(Protocol):
    """What of `yaat_core.rooms.Rooms` is needed here."""

    @property
    def door(self) -> QueueDoor:
        """The queue."""
        ...

    @property
    def retention(self) -> Retention:
        """What deletes from it."""
        ...

    @property
    def lanes(self) -> dict[str, Lane]:
        """Of configured sinks."""
        ...

    @property
    def detached(self) -> dict[str, Lane]:
        """Of removed ones."""
        ...


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


async def attach_more(entries: Sequence[SinkEntry], rooms: Lanes) -> None:
    """Lanes for sinks that are new, or were removed lately, in a running agent: known, and durable, when this returns."""
    back = [entry for entry in entries if str(entry.id) in rooms.detached]
    for entry in back:
        lane = rooms.detached.pop(str(entry.id))
        lane.bounds, lane.ready = entry.bounds, False
        rooms.lanes[lane.name] = lane
        await lane.store(attrs.evolve(lane.cursor, detached_at_us=None), sync=True)
    fresh = [entry for entry in entries if entry not in back]
    if not fresh:
        return
    # Between the look at what the queue still has and the lane's being known, nothing may be deleted.
    with rooms.retention.keeping():
        state, cursors = await rooms.door.change(partial(_new_cursors, fresh, rooms.door.queue))
        for entry in fresh:
            name = str(entry.id)
            rooms.lanes[name] = _lane(rooms.door, state, name, entry.bounds, cursors[name])
        for entry in fresh:
            await rooms.lanes[str(entry.id)].measure()


async def detach(name: str, rooms: Lanes) -> None:
    """The sink is not configured any more: its place is kept for a while."""
    lane = rooms.lanes.pop(name)
    rooms.detached[name] = lane
    lane.bounds, lane.ready, lane.settled = _DETACHED_BOUNDS, True, None
    await lane.store(_detach(lane.cursor, time.time_ns() // 1_000), sync=True)


def _new_cursors(entries: Sequence[SinkEntry], queue: Queue) -> tuple[QueueState, dict[str, Cursor]]:
    state, now_us = queue.state(), time.time_ns() // 1_000
    cursors = {str(entry.id): _cursor(entry, state, now_us, new=False) for entry in entries}
    queue.put_cursors(cursors, sync=True)
    return state, cursors


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
