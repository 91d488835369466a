"""Puts the lineage of an event together."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import trio

from yaat_core.components import Ask, TransactionalSink
from yaat_core.config.model import Configuration
from yaat_core.errors import UsageError
from yaat_core.lineage.finding import Found, find, made_at_ms, position_of
from yaat_core.lineage.model import Answer, Lineage, Origin
from yaat_core.lineage.rerun import LIMITS, rerun, steps_of
from yaat_core.pipeline.lane import Lane
from yaat_core.rooms import Rooms

_SOURCE: Final = "yaat.source"
#: How the names of tags begin that say where an event came from.
_WHERE: Final = ("log.", "container.", "host.", "k8s.", "process.", "journald.", "systemd.", "yaat.")


async def lineage(rooms: Rooms, configuration: Configuration, ask: Ask, id: str) -> Lineage:
    """Of the event with this identity.

    Raises:
        UsageError: it is no identity, or nothing here has such an event.
    """
    wanted = _identity(id)
    found = await find(rooms, ask, wanted)
    if found.event is None:
        raise UsageError(
            f"no database, dead letter or record of the queue here has an event {wanted}",
            cause=f"searched in the queue: {found.place.searched}; it may have been dropped on the way (the accounting "
            "counts why), expired, or come to another agent",
            fix="`yaat diagnose` shows the accounting; ids are those of the column event_id",
        )
    tags = found.event["tags"]
    source = str(tags.get(_SOURCE, ""))
    entries = steps_of(configuration, source)
    steps = await trio.to_thread.run_sync(partial(rerun, rooms.workshop, entries, found.event))
    where = ["queue"] if found.place.state in ("waiting", "kept") else []
    return Lineage(
        event_id=str(wanted),
        event=found.event,
        found_in=[*where, *found.stored, *(f"dead letters of {sink}" for sink in found.dead)],
        origin=_origin(wanted, found.event, source, configuration),
        queue=found.place,
        sinks=[_answer(rooms, lane, found) for lane in rooms.all_lanes()],
        steps=steps,
        limits=LIMITS,
    )


def _identity(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no event id", fix="give the event_id of an event, such as one of `yaat tap --json`"
        ) from None


def _origin(id: uuid.UUID, event: Mapping[str, Any], source: str, configuration: Configuration) -> Origin:
    made = made_at_ms(id)
    return Origin(
        source=source,
        configured=source.removeprefix("sources.") in configuration.sources,
        first_seen=None
        if made is None
        else datetime.fromtimestamp(made / 1e3, UTC).isoformat(timespec="milliseconds"),
        position=position_of(id),
        received_at=str(event["received_at"]),
        told={
            key: value for key, value in event["tags"].items() if key.startswith(_WHERE) and key != _SOURCE
        },
    )


def _answer(rooms: Rooms, lane: Lane, found: Found) -> Answer:
    sink, cursor, sequence = lane.name, lane.cursor, found.place.sequence
    if sink in found.dead:
        head, event = found.dead[sink]
        if head.state == "queued":
            return Answer(
                sink=sink,
                fate="queued",
                letter=head.id,
                detail="a dead letter that waits to be delivered again",
            )
        return Answer(sink=sink, fate="dead", letter=head.id, detail=event.reason)
    if sink in found.stored:
        return Answer(sink=sink, fate="delivered", detail="its database has it")
    if _came_before(lane, found):
        return Answer(sink=sink, fate="not_attached", detail="the sink was attached later")
    if sequence is not None and not cursor.is_settled(sequence, sequence):
        ahead = sequence - cursor.done - 1
        before = "it is the next one" if not ahead else f"{ahead:,} event{'s' if ahead > 1 else ''} before it"
        return Answer(sink=sink, fate="queued", detail=before)
    if sequence is None and found.place.state == "not_found":
        return Answer(sink=sink, fate="unknown", detail="its place in the queue was not found")
    return _settled(rooms, lane)


def _came_before(lane: Lane, found: Found) -> bool:
    if found.place.sequence is not None:
        return found.place.sequence <= lane.cursor.attached_after
    assert found.event is not None
    received = datetime.fromisoformat(str(found.event["received_at"]))
    return received.timestamp() * 1e6 < lane.cursor.attached_at_us and lane.cursor.attached_after > 0


def _settled(rooms: Rooms, lane: Lane) -> Answer:
    """The queue owes the sink nothing of it, and keeps no list of what became of each."""
    cursor, sink = lane.cursor, lane.name
    worker = rooms.workers.get(sink.removeprefix("sinks."))
    database = worker is not None and isinstance(worker.sink, TransactionalSink)
    others = [
        f"{count:,} {word}" for count, word in ((cursor.dropped, "dropped"), (cursor.lost, "lost")) if count
    ]
    if database:
        among = f", or it is among the {' and '.join(others)} of this sink" if others else ""
        return Answer(sink=sink, fate="settled", detail=f"its database has it no more: it expired{among}")
    if others:
        return Answer(
            sink=sink,
            fate="settled",
            detail=f"delivered, unless it is among the {' and '.join(others)} of this sink",
        )
    return Answer(sink=sink, fate="delivered", detail="confirmed by the sink")
