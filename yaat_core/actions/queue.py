"""What can be done with the queue, by a running agent or on the queue itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import attrs
from msgspec import Meta

from yaat_core.actions.base import Action, Nothing, SinkName
from yaat_core.components import Damage, RecordInfo
from yaat_core.errors import UsageError
from yaat_core.operations import Operations

Sequence_ = Annotated[int, Meta(ge=1, description="Sequence number of an event.")]


@attrs.frozen(kw_only=True)
class QueueList:
    """Which records to list."""

    after: Annotated[int, Meta(ge=0, description="Only records with events after this sequence.")] = 0
    limit: Annotated[int, Meta(ge=1, le=10_000, description="Records at most.")] = 100


@attrs.frozen(kw_only=True)
class QueueShow:
    """Which record to show."""

    sequence: Sequence_
    limit: Annotated[int, Meta(ge=0, le=10_000, description="Events of it at most.")] = 100


@attrs.frozen(kw_only=True)
class QueuePurge:
    """For which sink to drop what waits."""

    sink: SinkName


@attrs.frozen(kw_only=True)
class QueueExport:
    """Which events to export."""

    first: Annotated[int, Meta(ge=1, description="Sequence of the first event.")] = 1
    last: Annotated[int | None, Meta(description="Sequence of the last event; null: the newest one.")] = None


@attrs.frozen(kw_only=True)
class Records:
    """Records of the queue, oldest first."""

    records: Sequence[RecordInfo]


@attrs.frozen(kw_only=True)
class RecordShown:
    """One record with its events (the first ones, up to the limit). ``checkpoints``: keys by component."""

    first: int
    last: int
    accepted_at: str
    bytes: int
    checkpoints: Mapping[str, Sequence[str]]
    events: Sequence[Mapping[str, Any]]


@attrs.frozen(kw_only=True)
class Verified:
    """What verification found; an empty list means intact."""

    ok: bool
    damage: Sequence[Damage]


@attrs.frozen(kw_only=True)
class Purged:
    """How many events were dropped for the sink; they count as `dropped`."""

    sink: str
    events: int


@attrs.frozen(kw_only=True)
class Repaired:
    """What was found damaged and set aside, and how many events that waited are `lost` for each sink through it."""

    ok: bool
    damage: Sequence[Damage]
    lost: Mapping[str, int]


# --- handlers -----------------------------------------------------------------------------------


async def _queue_list(agent: Operations, given: QueueList) -> Records:
    return Records(records=tuple(await agent.queue_infos(given.after, given.limit)))


async def _queue_show(agent: Operations, given: QueueShow) -> RecordShown:
    from yaat_core.control.rows import rows_of  # what decodes events imports pyarrow

    record = await agent.queue_record(given.sequence)
    if record is None:
        raise UsageError(
            f"the queue holds no record with sequence {given.sequence}",
            cause="every sink has it, so it was deleted, or it was never written",
            fix="`yaat queue list` shows what waits",
        )
    return RecordShown(
        first=record.first,
        last=record.last,
        accepted_at=datetime.fromtimestamp(record.time_us / 1e6, UTC).isoformat(),
        bytes=record.bytes,
        checkpoints={
            name: [key.decode("utf-8", "backslashreplace") for key in keys]
            for name, keys in record.checkpoints.items()
        },
        events=rows_of(record.batch.columns.slice(0, given.limit)),
    )


async def _queue_verify(agent: Operations, _: Nothing) -> Verified:
    damage = tuple(await agent.queue_verify())
    return Verified(ok=not damage, damage=damage)


async def _queue_purge(agent: Operations, given: QueuePurge) -> Purged:
    sink = "sinks." + given.sink.removeprefix("sinks.")
    return Purged(sink=sink, events=await agent.queue_purge(sink))


async def _queue_repair(agent: Operations, _: Nothing) -> Repaired:
    damage, lost = await agent.queue_repair()
    return Repaired(ok=not damage and not any(lost.values()), damage=tuple(damage), lost=lost)


async def _queue_export(agent: Operations, given: QueueExport) -> Any:
    if given.last is not None and given.last < given.first:
        raise UsageError(
            f"there is nothing from {given.first} to {given.last}", fix="give the smaller one first"
        )
    return await agent.queue_export(given.first, given.last)


QUEUE_LIST: Final = Action(
    name="queue.list",
    command="queue list",
    summary="What waits in the queue, by record.",
    danger="read",
    arguments=QueueList,
    result=Records,
    handler=_queue_list,
)
QUEUE_SHOW: Final = Action(
    name="queue.show",
    command="queue show",
    summary="One record of the queue with its events.",
    danger="read",
    arguments=QueueShow,
    result=RecordShown,
    handler=_queue_show,
)
QUEUE_VERIFY: Final = Action(
    name="queue.verify",
    command="queue verify",
    summary="Read and check the whole queue; changes nothing.",
    danger="read",
    arguments=Nothing,
    result=Verified,
    handler=_queue_verify,
)
QUEUE_PURGE: Final = Action(
    name="queue.purge",
    command="queue purge",
    summary="Drop what waits for one sink.",
    danger="destroy",
    arguments=QueuePurge,
    result=Purged,
    handler=_queue_purge,
)
QUEUE_REPAIR: Final = Action(
    name="queue.repair",
    command="queue repair",
    summary="Check the whole queue, set aside what is damaged, and say what is lost.",
    danger="change",
    arguments=Nothing,
    result=Repaired,
    handler=_queue_repair,
)
QUEUE_EXPORT: Final = Action(
    name="queue.export",
    command="queue export",
    summary="Events of the queue as they are stored, with their sequence.",
    danger="read",
    arguments=QueueExport,
    result=dict,
    handler=_queue_export,
    stream=True,
)

QUEUE_ACTIONS: Final = (QUEUE_LIST, QUEUE_SHOW, QUEUE_VERIFY, QUEUE_REPAIR, QUEUE_EXPORT, QUEUE_PURGE)
