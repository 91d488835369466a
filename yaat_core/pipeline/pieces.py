"""What waits in a lane, cut into deliveries; one is read ahead while the one before it is being delivered."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import trio

from yaat_core.components import Checkpoints, Position, Record, Sink
from yaat_core.event import EventBatch
from yaat_core.pipeline.lane import Lane


@attrs.frozen(eq=False)
class Piece:
    """Consecutive events of a lane, for one delivery."""

    batch: EventBatch
    position: Position


@attrs.frozen
class Hole:
    """Sequences that the queue should have and does not."""

    first: int
    last: int


@attrs.frozen
class _Range:
    """Where a piece begins, the last sequence that may be in it, and how many rows it has at most."""

    first: int
    upto: int
    rows: int


class Pieces:
    """Of one lane, for one life of its sink."""

    def __init__(self, lane: Lane, sink: Sink) -> None:
        self._lane = lane
        self._sink = sink
        self._ahead: Piece | None = None

    async def next(self, held: int | None) -> Piece | Hole:
        """What to deliver now; the sink holds everything up to ``held``."""
        there = self._range(held)
        if there.first > there.upto:
            return Piece(EventBatch.empty(), self._position(there.first, there.first - 1, {}))
        ahead, self._ahead = self._ahead, None
        if ahead is None or not _fits(ahead, there):
            found = await self._read(there)
            if isinstance(found, Hole):
                return found
            ahead = found
        waiting = max(0, there.upto - ahead.position.last)
        return Piece(ahead.batch, attrs.evolve(ahead.position, waiting=waiting))

    async def look_ahead(self, position: Position) -> None:
        """Read what follows ``position``, where so much waits that its size is known already."""
        rows = self._sink.batch_rows
        if self._sink.stable_batches or position.waiting < rows:
            return
        found = await self._read(_Range(position.last + 1, position.last + position.waiting, rows))
        self._ahead = found if isinstance(found, Piece) else None

    def forget(self) -> None:
        """What was read ahead is not what comes next."""
        self._ahead = None

    def _range(self, held: int | None) -> _Range:
        first, end = self._lane.cursor.next_piece()
        upto = self._lane.tail if end is None else min(end, self._lane.tail)
        if held is not None:
            first = held + 1
        inflight = self._lane.cursor.inflight
        if inflight is not None and inflight[1] >= first:
            # What was announced is sent again as it was, whatever the sink wants by now.
            upto = min(upto, inflight[1])
            return _Range(first, upto, upto - first + 1)
        return _Range(first, upto, self._sink.batch_rows)

    async def _read(self, there: _Range) -> Piece | Hole:
        records = await self._lane.door.read(
            there.first - 1, max_rows=there.rows, max_bytes=self._sink.batch_bytes
        )
        if not records or records[0].first > there.first:
            last = records[0].first - 1 if records else self._lane.tail
            return Hole(there.first, min(last, there.upto))
        limit = min(there.upto, there.first + there.rows - 1)
        return await trio.to_thread.run_sync(self._joined, records, limit)

    def _joined(self, records: Sequence[Record], limit: int) -> Piece:
        """Consecutive records as one delivery up to ``limit``."""
        batches: list[EventBatch] = []
        checkpoints: dict[str, Checkpoints] = {}
        first = records[0].first
        last, accepted_us = first - 1, 0
        for record in records:
            if record.first != last + 1 or last >= limit:
                break
            room = limit - last
            batches.append(record.batch.slice(0, room) if len(record.batch) > room else record.batch)
            last += len(batches[-1])
            accepted_us = max(accepted_us, record.time_us)
            if last == record.last:
                for component, written in record.checkpoints.items():
                    checkpoints[component] = {**checkpoints.get(component, {}), **written}
        return Piece(EventBatch.concat(batches), self._position(first, last, checkpoints, accepted_us))

    def _position(
        self, first: int, last: int, checkpoints: dict[str, Checkpoints], accepted_us: int = 0
    ) -> Position:
        return Position(
            queue_id=self._lane.door.queue.state().queue_id,
            sink=self._lane.name,
            first=first,
            last=last,
            checkpoints=checkpoints,
            accepted_us=accepted_us,
        )


def _fits(piece: Piece, there: _Range) -> bool:
    at = piece.position
    return at.first == there.first and at.last <= there.upto and len(piece.batch) <= there.rows
