"""Looks for one event: in the databases, in the dead letters, in the queue."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import attrs
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import trio

from yaat_core.components import Ask, QueryAnswer, QueryRequest
from yaat_core.control.rows import rows_of
from yaat_core.deadletters import DeadEvent, Head, events, heads
from yaat_core.errors import YaatError
from yaat_core.event import SCHEMA
from yaat_core.lineage.model import Place
from yaat_core.rooms import Rooms

#: Seconds that the search in the queue, and the question to a database, may take.
PATIENCE: Final = 20.0
_PAGE: Final = 8_192
_PAGE_BYTES: Final = 16 * 2**20
_HEADERS: Final = 1_000
#: Versions of identities (RFC 9562).
_FROM_TIME, _FROM_POSITION = 7, 8


@attrs.frozen(kw_only=True)
class Found:
    """Where it is: its fields, by sink those whose database has it, by sink the dead letter, its place in the queue."""

    event: Mapping[str, Any] | None
    stored: tuple[str, ...]
    dead: Mapping[str, tuple[Head, DeadEvent]]
    place: Place


def made_at_ms(id: uuid.UUID) -> int | None:
    """The milliseconds since 1970 that an identity of ours begins with: the event did not come before."""
    return id.int >> 80 if id.version in (_FROM_TIME, _FROM_POSITION) else None


def position_of(id: uuid.UUID) -> int | None:
    """The place in its stream; see `yaat_core.ids`."""
    return id.int & (1 << 42) - 1 if id.version == _FROM_POSITION else None


async def find(rooms: Rooms, ask: Ask, id: uuid.UUID) -> Found:
    """Look everywhere."""
    stored: dict[str, Mapping[str, Any]] = {}
    for name in rooms.workers:
        row = await _in_database(ask, name, id)
        if row is not None:
            stored[f"sinks.{name}"] = row
    dead = await trio.to_thread.run_sync(_in_letters, rooms, str(id))
    known = next(iter([*stored.values(), *(one.event for _, one in dead.values())]), None)
    sequence = next((one.sequence for _, one in dead.values()), None)
    place, row = await _in_queue(rooms, id, known, sequence)
    event = known or row
    if event is not None and place.state == "not_found" and (stored or dead):
        place = await _deleted(rooms, place, sequence)
    return Found(event=event, stored=tuple(stored), dead=dead, place=place)


async def _in_database(ask: Ask, sink: str, id: uuid.UUID) -> Mapping[str, Any] | None:
    columns = ", ".join(SCHEMA.names)
    sql = f"SELECT {columns} FROM events WHERE event_id = '{id}' LIMIT 1"
    try:
        answer = await ask(QueryRequest(sql=sql, rows=1, seconds=PATIENCE), sink)
        rows = await trio.to_thread.run_sync(partial(_rows, answer))
    except YaatError:
        return None  # no database, or none that answers now: the others tell
    return rows[0] if rows else None


def _rows(answer: QueryAnswer) -> list[dict[str, Any]]:
    try:
        return [row for batch in answer for row in rows_of(batch)]
    finally:
        answer.close()


def _in_letters(rooms: Rooms, id: str) -> dict[str, tuple[Head, DeadEvent]]:
    found = {}
    for head in heads(rooms.dead_letters.folder, None, ("dead", "queued")):
        try:
            event = next((one for one in events(head.path) if one.event.get("event_id") == id), None)
        except (OSError, msgspec.MsgspecError):
            continue  # `yaat dead list` tells of damaged ones
        if event is not None:
            found[head.sink] = (head, event)
    return found


async def _in_queue(
    rooms: Rooms, id: uuid.UUID, known: Mapping[str, Any] | None, sequence: int | None
) -> tuple[Place, Mapping[str, Any] | None]:
    """From the first record on that may hold it, for a while."""
    state = await rooms.door.state()
    since = await _begin(rooms, state.deleted_upto, _earliest_us(id, known))
    after = since if sequence is None else max(since, sequence - 1)
    wanted = pa.scalar(id.bytes, pa.binary(16))
    began = trio.current_time()
    while after < state.tail:
        if trio.current_time() - began > PATIENCE:
            return Place(
                state="not_found", searched=f"sequences {since + 1} to {after} of {state.tail}"
            ), None
        records = await rooms.door.read(after, max_rows=_PAGE, max_bytes=_PAGE_BYTES)
        if not records:
            break
        for record in records:
            index = pc.index(record.batch.column("event_id"), wanted).as_py()
            if index >= 0:
                found = record.first + index
                waits = any(not lane.cursor.is_settled(found, found) for lane in rooms.lanes.values())
                place = Place(
                    state="waiting" if waits else "kept",
                    sequence=found,
                    first=record.first,
                    last=record.last,
                    accepted_at=_rfc3339(record.time_us),
                )
                return place, rows_of(record.batch.columns.slice(index, 1))[0]
        after = records[-1].last
    told = f"sequences {since + 1} to {state.tail}" if since < state.tail else "nothing that can be it"
    return Place(state="not_found", searched=told), None


async def _begin(rooms: Rooms, after: int, earliest_us: int) -> int:
    """The sequence before the first record that was accepted at that time or later."""
    while True:
        page = await rooms.door.infos(after, limit=_HEADERS)
        for info in page:
            if info.time_us >= earliest_us:
                return max(after, info.first - 1)
            after = info.last
        if len(page) < _HEADERS:
            return after


def _earliest_us(id: uuid.UUID, known: Mapping[str, Any] | None) -> int:
    times = [(made_at_ms(id) or 0) * 1_000]
    if known is not None:
        received = datetime.fromisoformat(str(known["received_at"]))
        times.append(int(received.timestamp() * 1e6) - 1_000)
    return max(times)


async def _deleted(rooms: Rooms, place: Place, sequence: int | None) -> Place:
    state = await rooms.door.state()
    if sequence is not None and sequence > state.deleted_upto:
        return attrs.evolve(place, sequence=sequence)
    return attrs.evolve(place, state="deleted", sequence=sequence)


def _rfc3339(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).isoformat(timespec="milliseconds")
