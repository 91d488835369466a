"""The order of processors."""

from __future__ import annotations

from typing import Annotated, Final

import attrs
from msgspec import Meta

from yaat_core.actions.base import Action
from yaat_core.actions.components import Hash, Name, edited
from yaat_core.actions.config import ConfirmSeconds, DryRun
from yaat_core.config.editing.results import Applied
from yaat_core.operations import Operations


@attrs.frozen(kw_only=True)
class MoveGiven:
    """Where a processor goes: events pass through them in their order."""

    name: Name
    before: Annotated[
        str | None, Meta(description="The processor that it is put before; null: it becomes the last one.")
    ] = None
    hash: Hash = None
    dry_run: DryRun = False
    confirm_seconds: ConfirmSeconds = None


async def _move(agent: Operations, given: MoveGiven) -> Applied:
    from yaat_core.config.editing.components import moving

    edit = moving(given.name, given.before, agent.editor.desk().plugins)
    return await edited(agent, given, edit, f"move processors.{given.name}")


COMPONENTS_MOVE: Final = Action(
    name="components.move",
    command="processors move",
    summary="Put a processor before another one, or at the end.",
    danger="change",
    arguments=MoveGiven,
    result=Applied,
    handler=_move,
)
