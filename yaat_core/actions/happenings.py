"""What happened to the agent itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import attrs
from msgspec import Meta

from yaat_core.actions.base import Action
from yaat_core.happenings import Happening
from yaat_core.operations import Operations


@attrs.frozen(kw_only=True)
class Events:
    """Which events of the agent."""

    limit: Annotated[int, Meta(ge=1, le=1_000, description="How many at most.")] = 100
    after: Annotated[
        int | None,
        Meta(description="Only the first ones after this `number`; null: the last ones."),
    ] = None


@attrs.frozen(kw_only=True)
class Happenings:
    """Events of the agent, oldest first."""

    happenings: Sequence[Happening]


async def _events(agent: Operations, given: Events) -> Happenings:
    return Happenings(happenings=tuple(agent.happenings(given.after, given.limit)))


EVENTS: Final = Action(
    name="events",
    command="events",
    summary="What happened to the agent: starts, reloads, problems, deliveries that fail and work again.",
    danger="read",
    arguments=Events,
    result=Happenings,
    handler=_events,
)
