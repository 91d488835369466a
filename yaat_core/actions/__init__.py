"""What can be done with an agent: one typed table.

The routes of the control API, its JSON Schemas, the calls of its clients, the commands of `yaat` and what the screens do
come from `ACTIONS`, so that they can't differ. Arguments and results are attrs classes; constraints and help of an argument are
its annotation (`msgspec.Meta`). One module for each thing that actions are about; `base` says what an action is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from yaat_core.actions.agent import AGENT_ACTIONS
from yaat_core.actions.base import Action
from yaat_core.actions.checks import CHECKS_ACTIONS
from yaat_core.actions.components import COMPONENT_ACTIONS
from yaat_core.actions.config import CONFIG_ACTIONS
from yaat_core.actions.dead import DEAD_ACTIONS
from yaat_core.actions.detect import DETECT_RUN
from yaat_core.actions.flare import FLARE_ACTIONS
from yaat_core.actions.happenings import EVENTS
from yaat_core.actions.live import LIVE_ACTIONS
from yaat_core.actions.ordering import COMPONENTS_MOVE
from yaat_core.actions.origins import CONFIG_ORIGINS
from yaat_core.actions.queue import QUEUE_ACTIONS
from yaat_core.actions.reloading import RELOAD

#: Every action by name.
ACTIONS: Final[Mapping[str, Action[Any, Any]]] = {
    action.name: action
    for action in (
        *AGENT_ACTIONS,
        *CHECKS_ACTIONS,
        *LIVE_ACTIONS,
        *CONFIG_ACTIONS,
        CONFIG_ORIGINS,
        *COMPONENT_ACTIONS,
        COMPONENTS_MOVE,
        DETECT_RUN,
        RELOAD,
        EVENTS,
        *QUEUE_ACTIONS,
        *DEAD_ACTIONS,
        *FLARE_ACTIONS,
    )
}
