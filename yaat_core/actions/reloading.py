"""Taking up a changed configuration."""

from __future__ import annotations

from typing import Final

from yaat_core.actions.base import Action, Nothing
from yaat_core.operations import Operations
from yaat_core.reloading.results import Reloaded

#: Who asked, in the log and in the agent's events.
BY: Final = "the API"


async def _reload(agent: Operations, _: Nothing) -> Reloaded:
    return await agent.reload(BY)


RELOAD: Final = Action(
    name="reload",
    command="reload",
    summary="Take up the changed configuration; a file that is not valid changes nothing.",
    danger="change",
    arguments=Nothing,
    result=Reloaded,
    handler=_reload,
)
