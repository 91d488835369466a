"""The support bundle: what goes in, redacted."""

from __future__ import annotations

from typing import Final

import attrs

from yaat_core.actions.base import Action, Nothing
from yaat_core.flare.model import Flare
from yaat_core.operations import Operations


async def _plan(agent: Operations, _: Nothing) -> Flare:
    flare = await agent.inspector.flare()
    return attrs.evolve(flare, files=[attrs.evolve(one, text="") for one in flare.files])


async def _write(agent: Operations, _: Nothing) -> Flare:
    return await agent.inspector.flare()


FLARE_PLAN: Final = Action(
    name="flare.plan",
    command="flare",
    summary="What the support bundle would hold: each file with its size, why, and what was redacted.",
    danger="private",
    arguments=Nothing,
    result=Flare,
    handler=_plan,
)
FLARE_WRITE: Final = Action(
    name="flare.write",
    command="flare",
    summary="The files of the support bundle, redacted; who asks packs them (`yaat_core.flare.pack`).",
    danger="private",
    arguments=Nothing,
    result=Flare,
    handler=_write,
)

FLARE_ACTIONS: Final = (FLARE_PLAN, FLARE_WRITE)
