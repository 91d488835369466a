"""What can be done with the agent as a whole: how it is, asking its database, stopping it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import attrs
from msgspec import Meta

from yaat_core.actions.base import Accepted, Action, Nothing, SinkName
from yaat_core.components import QueryRequest
from yaat_core.operations import Operations
from yaat_core.status import Status

# --- arguments ----------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Query:
    """SQL for a sink's database."""

    sql: Annotated[str, Meta(min_length=1, max_length=500_000, description="One SELECT statement.")]
    sink: SinkName | None = None
    limit: Annotated[int, Meta(ge=1, le=10_000_000, description="Rows at most.")] = 100_000
    timeout: Annotated[float, Meta(gt=0, le=3600, description="Seconds that it may take.")] = 30.0


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


async def _query(agent: Operations, given: Query) -> Any:
    request = QueryRequest(sql=given.sql, rows=given.limit, seconds=given.timeout)
    return await agent.query(request, given.sink and given.sink.removeprefix("sinks."))


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
    command="status",
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
QUERY: Final = Action(
    name="query",
    command="query",
    summary="SQL over stored events, read-only.",
    danger="read",
    arguments=Query,
    result=dict,
    handler=_query,
    stream=True,
)
ACCEPT_LOSS: Final = Action(
    name="accept_loss",
    command="queue accept-loss",
    summary="Start without the sinks that don't say where they stand.",
    danger="destroy",
    arguments=Nothing,
    result=Accepted,
    handler=_accept_loss,
)
STOP: Final = Action(
    name="stop",
    command="stop",
    summary="Drain and stop; a second time: at once.",
    danger="change",
    arguments=Nothing,
    result=Accepted,
    handler=_stop,
)
CONFIG_SHOW: Final = Action(
    name="config.show",
    command="config show",
    summary="The configuration that the agent runs with, secrets masked.",
    danger="read",
    arguments=Nothing,
    result=ConfigShown,
    handler=_config_show,
)

AGENT_ACTIONS: Final = (STATUS, STATS, QUERY, ACCEPT_LOSS, STOP, CONFIG_SHOW)
