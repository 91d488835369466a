"""What can be done with dead letters: events that a sink refused for good, kept whole with the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import attrs
from msgspec import Meta

from yaat_core.actions.base import Action, SinkName
from yaat_core.deadletters import DeadEvent, Letter
from yaat_core.operations import Operations
from yaat_core.replaying import Replayed

LetterId = Annotated[str, Meta(min_length=1, description="Id of a dead letter, as `dead.list` gives it.")]


@attrs.frozen(kw_only=True)
class DeadList:
    """Which dead letters to list."""

    sink: SinkName | None = None
    limit: Annotated[int, Meta(ge=1, le=10_000, description="Letters at most.")] = 100


@attrs.frozen(kw_only=True)
class DeadShow:
    """Which dead letter to show."""

    id: LetterId
    limit: Annotated[int, Meta(ge=0, le=10_000, description="Events of it at most.")] = 100


@attrs.frozen(kw_only=True)
class DeadPurge:
    """Which dead letters to forget: one, or all of a sink."""

    sink: SinkName
    id: Annotated[str | None, Meta(description="Id of one letter; null: all of the sink.")] = None


@attrs.frozen(kw_only=True)
class Letters:
    """Dead letters, oldest first; ``events`` of all there are, by sink, also beyond the limit."""

    letters: Sequence[Letter]
    events: Mapping[str, int]


@attrs.frozen(kw_only=True)
class LetterShown:
    """A dead letter with its events (the first ones, up to the limit)."""

    letter: Letter
    events: Sequence[DeadEvent]


@attrs.frozen(kw_only=True)
class DeadPurged:
    """How many letters are gone, and how many events count as `dropped` instead of `dead` now."""

    sink: str
    letters: int
    events: int


@attrs.frozen(kw_only=True)
class DeadReplay:
    """Which dead letters to deliver again: one, those of a sink, or (neither is given) all."""

    sink: SinkName | None = None
    id: Annotated[str | None, Meta(description="Id of one letter; null: all of the sink.")] = None
    after: Annotated[
        str | None, Meta(description="What the answer before has as `next`: go on from there.")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=1_000, description="Letters in this step at most.")] = 256


async def _dead_list(agent: Operations, given: DeadList) -> Letters:
    found, events = await agent.dead_letters(given.sink and _full(given.sink), given.limit)
    return Letters(letters=tuple(found), events=events)


async def _dead_show(agent: Operations, given: DeadShow) -> LetterShown:
    letter, events = await agent.dead_letter(given.id, given.limit)
    return LetterShown(letter=letter, events=tuple(events))


async def _dead_purge(agent: Operations, given: DeadPurge) -> DeadPurged:
    letters, events = await agent.dead_purge(_full(given.sink), given.id)
    return DeadPurged(sink=_full(given.sink), letters=letters, events=events)


async def _dead_replay(agent: Operations, given: DeadReplay) -> Replayed:
    return await agent.dead_replay(given.sink and _full(given.sink), given.id, given.after, given.limit)


def _full(sink: str) -> str:
    return "sinks." + sink.removeprefix("sinks.")


DEAD_LIST: Final = Action(
    name="dead.list",
    command="dead list",
    summary="Dead letters: which sink refused how many events, and why.",
    danger="read",
    arguments=DeadList,
    result=Letters,
    handler=_dead_list,
)
DEAD_SHOW: Final = Action(
    name="dead.show",
    command="dead show",
    summary="One dead letter with its events and their reasons.",
    danger="read",
    arguments=DeadShow,
    result=LetterShown,
    handler=_dead_show,
)
DEAD_PURGE: Final = Action(
    name="dead.purge",
    command="dead purge",
    summary="Forget dead letters of a sink; their events count as dropped.",
    danger="destroy",
    arguments=DeadPurge,
    result=DeadPurged,
    handler=_dead_purge,
)
DEAD_REPLAY: Final = Action(
    name="dead.replay",
    command="dead replay",
    summary="Deliver dead letters again; their events are queued until the sink has answered.",
    danger="change",
    arguments=DeadReplay,
    result=Replayed,
    handler=_dead_replay,
)

DEAD_ACTIONS: Final = (DEAD_LIST, DEAD_SHOW, DEAD_PURGE, DEAD_REPLAY)
