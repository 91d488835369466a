"""What can be watched of a running agent. Live actions go on until the asker leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Final

import attrs
import trio
from msgspec import Meta

from yaat_core.actions.base import Action, Nothing
from yaat_core.lineage.model import Lineage
from yaat_core.operations import Operations
from yaat_core.own_log import KEPT, LevelNow, LogLevel, LogLines
from yaat_core.rates import History
from yaat_core.status import Status
from yaat_core.taps import QUEUE, TapBatch

#: Seconds between two results of `watch`.
INTERVAL: Final = 1.0


# --- arguments ----------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class TapGiven:
    """Where to look, and at what."""

    at: Annotated[
        str,
        Meta(
            min_length=1,
            description="A component (`sources.app`, or `app` where no other one has that name), or `queue`: what it takes. "
            "Sources and processors show what leaves them, sinks what comes to them.",
        ),
    ] = QUEUE
    filter: Annotated[
        str | None,
        Meta(description="Only events for which this DuckDB expression is true."),
    ] = None
    per_second: Annotated[
        int, Meta(ge=1, le=10_000, description="Events shown a second at most; the others are counted.")
    ] = 200
    backlog: Annotated[
        bool, Meta(description="At the queue: begin with what waits and is in no database yet.")
    ] = False


@attrs.frozen(kw_only=True)
class LogGiven:
    """How much of the agent's own log."""

    lines: Annotated[int, Meta(ge=0, le=KEPT, description="How many to begin with, at most.")] = 100
    level: Annotated[LogLevel, Meta(description="This level and worse ones.")] = "debug"


@attrs.frozen(kw_only=True)
class LevelGiven:
    """How much the agent is to say, and for how long."""

    level: Annotated[LogLevel | None, Meta(description="From now on; null: as the agent was started.")] = None
    seconds: Annotated[float, Meta(gt=0, le=86_400, description="After so long it goes back by itself.")] = (
        300.0
    )


@attrs.frozen(kw_only=True)
class WhyGiven:
    """Which event."""

    event_id: Annotated[str, Meta(min_length=1, max_length=100, description="Its event_id, a UUID.")]


# --- handlers -----------------------------------------------------------------------------------


async def _watch(agent: Operations, _: Nothing) -> AsyncIterator[Status]:
    return _statuses(agent)


async def _statuses(agent: Operations) -> AsyncIterator[Status]:
    due = trio.current_time()
    while True:
        yield await agent.status()
        due = max(due + INTERVAL, trio.current_time())
        await trio.sleep_until(due)


async def _history(agent: Operations, _: Nothing) -> History:
    return agent.live.history()


async def _tap(agent: Operations, given: TapGiven) -> AsyncIterator[TapBatch]:
    return await agent.live.tap(given.at, given.filter, given.per_second, backlog=given.backlog)


async def _log(agent: Operations, given: LogGiven) -> AsyncIterator[LogLines]:
    return agent.live.log.follow(given.lines, given.level)


async def _log_level(agent: Operations, given: LevelGiven) -> LevelNow:
    levels = agent.live.levels
    return levels.back() if given.level is None else levels.set(given.level, given.seconds)


async def _why(agent: Operations, given: WhyGiven) -> Lineage:
    return await agent.live.why(agent.query, given.event_id)


WATCH: Final = Action(
    name="watch",
    command="top",
    summary="The status every second, with the rates of every component.",
    danger="read",
    arguments=Nothing,
    result=Status,
    handler=_watch,
    live=True,
    event="status",
)
HISTORY: Final = Action(
    name="history",
    summary="What flowed and what waited in the last five minutes, second by second.",
    danger="read",
    arguments=Nothing,
    result=History,
    handler=_history,
)
TAP: Final = Action(
    name="tap",
    command="tap",
    summary="Events as they pass a point of the pipeline, redacted.",
    danger="private",
    arguments=TapGiven,
    result=TapBatch,
    handler=_tap,
    live=True,
)
LOG: Final = Action(
    name="log",
    command="agent-log",
    summary="The agent's own log: the last lines, then what comes.",
    danger="private",
    arguments=LogGiven,
    result=LogLines,
    handler=_log,
    live=True,
)
LOG_LEVEL: Final = Action(
    name="log.level",
    command="log-level",
    summary="How much the agent says in its own log, for a time.",
    danger="change",
    arguments=LevelGiven,
    result=LevelNow,
    handler=_log_level,
)
WHY: Final = Action(
    name="why",
    command="why",
    summary="The lineage of one event.",
    danger="private",
    arguments=WhyGiven,
    result=Lineage,
    handler=_why,
)

LIVE_ACTIONS: Final = (WATCH, HISTORY, TAP, LOG, LOG_LEVEL, WHY)
