"""Where each value of the configuration comes from, as the agent finds it: its files, its environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs
import trio

from yaat_core.actions.base import Action, Nothing
from yaat_core.config.origins import Sourced
from yaat_core.operations import Operations


@attrs.frozen(kw_only=True)
class Origins:
    """Every effective value, secrets masked, in the order of the configuration. ``file`` is null when there is none."""

    file: str | None
    values: Sequence[Sourced]


async def _origins(agent: Operations, _: Nothing) -> Origins:
    return await trio.to_thread.run_sync(_found, agent)


def _found(agent: Operations) -> Origins:
    from yaat_core.config.origins import origins

    desk = agent.editor.desk()
    configuration = desk.load()
    path = configuration.path
    return Origins(file=str(path) if path else None, values=origins(configuration, desk.plugins))


CONFIG_ORIGINS: Final = Action(
    name="config.origins",
    command="config show",
    summary="Each value of the configuration with where it comes from: file and line, environment, default.",
    danger="private",
    arguments=Nothing,
    result=Origins,
    handler=_origins,
)
