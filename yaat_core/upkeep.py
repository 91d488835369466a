"""What a person has done to the queue and the dead letters of a running agent."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import trio

from yaat_core.components import Damage, QueryAnswer
from yaat_core.deadletters import DeadEvent, Letter
from yaat_core.errors import UsageError
from yaat_core.exporting import Exported
from yaat_core.guessing import guess
from yaat_core.maintenance import Repairable, gaps
from yaat_core.pipeline.deadletter import chosen, found, shown, to_replay
from yaat_core.pipeline.lane import Lane
from yaat_core.replaying import Refused, Replayed, not_configured
from yaat_core.rooms import Rooms


async def repair(rooms: Rooms) -> tuple[Sequence[Damage], dict[str, int]]:
    """See `yaat_core.operations.Operations.queue_repair`."""
    queue = rooms.queue
    if not isinstance(queue, Repairable):
        raise not_repairable()
    damage = await rooms.door.call(queue.repair)
    lost: dict[str, int] = {}
    for lane in rooms.all_lanes():
        missing = await gaps(
            lambda after, limit: rooms.door.infos(after, limit=limit), lane.cursor.done, lane.tail
        )
        lost[lane.name] = sum([await lane.settle(first, last, "lost") for first, last in missing])
    return damage, lost


async def export(rooms: Rooms, first: int, last: int | None) -> QueryAnswer:
    """See `yaat_core.operations.Operations.queue_export`."""
    tail = (await rooms.door.state()).tail
    read = rooms.queue.read
    return Exported(
        lambda after, rows, size: read(after, max_rows=rows, max_bytes=size),
        first,
        tail if last is None else min(last, tail),
    )


async def dead_letters(rooms: Rooms, sink: str | None, limit: int) -> tuple[Sequence[Letter], dict[str, int]]:
    """See `yaat_core.operations.Operations.dead_letters`."""
    return await trio.to_thread.run_sync(partial(found, rooms.dead_letters.folder, sink, limit))


async def dead_letter(rooms: Rooms, id: str, limit: int) -> tuple[Letter, Sequence[DeadEvent]]:
    """See `yaat_core.operations.Operations.dead_letter`."""
    return await trio.to_thread.run_sync(partial(shown, rooms.dead_letters.folder, id, limit))


async def dead_purge(rooms: Rooms, sink: str, id: str | None) -> tuple[int, int]:
    """See `yaat_core.operations.Operations.dead_purge`."""
    letters = await trio.to_thread.run_sync(partial(chosen, rooms.dead_letters.folder, sink, id))
    return len(letters), await rooms.dead_letters.forget(_lane(rooms, sink), letters)


async def dead_replay(
    rooms: Rooms, sink: str | None, id: str | None, after: str | None, limit: int
) -> Replayed:
    """See `yaat_core.operations.Operations.dead_replay`."""
    if sink is not None:
        _lane(rooms, sink)
    folder = rooms.dead_letters.folder
    step = await trio.to_thread.run_sync(partial(to_replay, folder, sink, id, after, limit))
    letters, events = 0, 0
    refused: list[Refused] = []
    for name in dict.fromkeys(head.sink for head in step.letters):
        of_it = [head for head in step.letters if head.sink == name]
        if (lane := rooms.lanes.get(name)) is None:
            refused += not_configured(of_it)
            continue
        taken, count, more = await rooms.dead_letters.take_up(lane, of_it)
        letters, events, refused = letters + taken, events + count, [*refused, *more]
    return Replayed(letters=letters, events=events, refused=refused, left=step.left, next=step.next)


async def queue_purge(rooms: Rooms, sink: str) -> int:
    """See `yaat_core.operations.Operations.queue_purge`."""
    lane = _lane(rooms, sink)
    waited = lane.waiting
    if waited:
        await lane.give_up(lane.open_from + 1, lane.tail)
    await rooms.dead_letters.put_back(lane)
    return waited - lane.waiting


def _lane(rooms: Rooms, sink: str) -> Lane:
    lane = rooms.lanes.get(sink) or rooms.detached.get(sink)
    if lane is None:
        raise UsageError(f"no sink `{sink}`", fix=guess(sink, [*rooms.lanes, *rooms.detached], "known"))
    return lane


def not_repairable() -> UsageError:
    """The queue's type has no `repair`."""
    return UsageError(
        "the configured type of queue can't be repaired by command", fix="its documentation says how"
    )
