"""What can be done with a running agent: one typed table.

The routes of the control API, its JSON Schemas, the calls of its client and the commands of `yaat` come from `ACTIONS`,
so that they can't differ. Arguments and results are attrs classes; constraints and help of an argument are its
annotation (`msgspec.Meta`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, Literal, TypeVar

import attrs
from msgspec import Meta

from yaat_core.components import Damage, QueryRequest, RecordInfo
from yaat_core.diagnosis import Diagnosis, diagnose
from yaat_core.errors import UsageError
from yaat_core.operations import Operations
from yaat_core.status import Status

Danger = Literal["read", "change", "destroy"]
A = TypeVar("A")
R = TypeVar("R")


@attrs.frozen(kw_only=True)
class Action(Generic[A, R]):
    """One thing that can be done.

    ``danger``: `read` changes nothing and is served on both sockets; `change` and `destroy` (what is gone can't be had
    back) on the control socket alone. ``stream``: the handler returns a `QueryAnswer`, and ``result`` is the
    shape of a row.
    """

    name: str
    summary: str
    danger: Danger
    arguments: type[A]
    result: type[R]
    handler: Callable[[Operations, A], Awaitable[Any]]
    stream: bool = False

    @property
    def path(self) -> str:
        """Where the API serves it: `queue.list` at ``/v1/queue/list``."""
        return "/v1/" + self.name.replace(".", "/")


# --- arguments ----------------------------------------------------------------------------------

Sequence_ = Annotated[int, Meta(ge=1, description="Sequence number of an event.")]
SinkName = Annotated[
    str, Meta(min_length=1, description="Name of a configured sink, `local` or `sinks.local`.")
]


@attrs.frozen(kw_only=True)
class Nothing:
    """No arguments."""


@attrs.frozen(kw_only=True)
class Query:
    """SQL for a sink's database."""

    sql: Annotated[str, Meta(min_length=1, max_length=500_000, description="One SELECT statement.")]
    sink: SinkName | None = None
    limit: Annotated[int, Meta(ge=1, le=10_000_000, description="Rows at most.")] = 100_000
    timeout: Annotated[float, Meta(gt=0, le=3600, description="Seconds that it may take.")] = 30.0


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


# --- results ------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Series:
    """One series of the agent's own numbers. ``buckets`` are [upper bound, cumulative count], null for no bound."""

    name: str
    type: str
    help: str
    labels: Mapping[str, str]
    value: float | None
    count: int = 0
    buckets: Sequence[tuple[float | None, int]] = ()


@attrs.frozen(kw_only=True)
class StatsReport:
    """Counters, gauges and histograms of the agent."""

    series: Sequence[Series]


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
class Accepted:
    """The request was taken."""

    done: bool = True


@attrs.frozen(kw_only=True)
class ConfigShown:
    """The effective configuration, secrets masked."""

    configuration: Mapping[str, Any]


# --- handlers -----------------------------------------------------------------------------------


async def _status(agent: Operations, _: Nothing) -> Status:
    return await agent.status()


async def _stats(agent: Operations, _: Nothing) -> StatsReport:
    return StatsReport(
        series=[
            Series(
                name=sample.name,
                type=sample.type,
                help=sample.help,
                labels=sample.labels,
                value=_finite(sample.value),
                count=sample.count,
                buckets=[(_finite(bound), count) for bound, count in sample.buckets],
            )
            for sample in agent.stats.snapshot()
        ]
    )


async def _diagnose(agent: Operations, _: Nothing) -> Diagnosis:
    return diagnose(await agent.status())


async def _query(agent: Operations, given: Query) -> Any:
    request = QueryRequest(sql=given.sql, rows=given.limit, seconds=given.timeout)
    return await agent.query(request, given.sink and given.sink.removeprefix("sinks."))


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


async def _accept_loss(agent: Operations, _: Nothing) -> Accepted:
    await agent.accept_loss()
    return Accepted()


async def _stop(agent: Operations, _: Nothing) -> Accepted:
    agent.stop()
    return Accepted()


async def _config_show(agent: Operations, _: Nothing) -> ConfigShown:
    return ConfigShown(configuration=agent.configuration())


def _finite(value: float) -> float | None:
    return value if value - value == 0 else None


STATUS: Final = Action(
    name="status",
    summary="What runs and how it is.",
    danger="read",
    arguments=Nothing,
    result=Status,
    handler=_status,
)
STATS: Final = Action(
    name="stats",
    summary="The agent's own counters, gauges and histograms.",
    danger="read",
    arguments=Nothing,
    result=StatsReport,
    handler=_stats,
)
DIAGNOSE: Final = Action(
    name="diagnose",
    summary="The accounting, what is wrong, and what to do about it.",
    danger="read",
    arguments=Nothing,
    result=Diagnosis,
    handler=_diagnose,
)
QUERY: Final = Action(
    name="query",
    summary="SQL over stored events, read-only.",
    danger="read",
    arguments=Query,
    result=dict,
    handler=_query,
    stream=True,
)
QUEUE_LIST: Final = Action(
    name="queue.list",
    summary="What waits in the queue, by record.",
    danger="read",
    arguments=QueueList,
    result=Records,
    handler=_queue_list,
)
QUEUE_SHOW: Final = Action(
    name="queue.show",
    summary="One record of the queue with its events.",
    danger="read",
    arguments=QueueShow,
    result=RecordShown,
    handler=_queue_show,
)
QUEUE_VERIFY: Final = Action(
    name="queue.verify",
    summary="Read and check the whole queue; changes nothing.",
    danger="read",
    arguments=Nothing,
    result=Verified,
    handler=_queue_verify,
)
QUEUE_PURGE: Final = Action(
    name="queue.purge",
    summary="Drop what waits for one sink.",
    danger="destroy",
    arguments=QueuePurge,
    result=Purged,
    handler=_queue_purge,
)
ACCEPT_LOSS: Final = Action(
    name="accept_loss",
    summary="Start without the sinks that don't say where they stand.",
    danger="destroy",
    arguments=Nothing,
    result=Accepted,
    handler=_accept_loss,
)
STOP: Final = Action(
    name="stop",
    summary="Drain and stop; a second time: at once.",
    danger="change",
    arguments=Nothing,
    result=Accepted,
    handler=_stop,
)
CONFIG_SHOW: Final = Action(
    name="config.show",
    summary="The configuration that the agent runs with, secrets masked.",
    danger="read",
    arguments=Nothing,
    result=ConfigShown,
    handler=_config_show,
)

#: Every action by name.
ACTIONS: Final[Mapping[str, Action[Any, Any]]] = {
    action.name: action
    for action in (
        STATUS,
        STATS,
        DIAGNOSE,
        QUERY,
        QUEUE_LIST,
        QUEUE_SHOW,
        QUEUE_VERIFY,
        QUEUE_PURGE,
        ACCEPT_LOSS,
        STOP,
        CONFIG_SHOW,
    )
}


def schema(model: type) -> dict[str, Any]:
    """The JSON Schema of an arguments or result class; nested models are in ``$defs``."""
    import msgspec

    return msgspec.json.schema(model)
