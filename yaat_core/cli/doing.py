"""Who does it: the running agent, or with none this process, on the queue and the dead letters as they lie there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, TypeVar

from yaat_core.cli.door import Door

if TYPE_CHECKING:
    from yaat_core.actions.base import Action
    from yaat_core.components import QueryAnswer

A = TypeVar("A")
R = TypeVar("R")

#: Seconds that an action may take which reads the whole queue.
_LONG: Final = 3600.0


def do(door: Door, action: Action[A, R], given: A, *, long: float = 0.0) -> R:
    """The action's result. ``long``: seconds that the agent may take, if more than usual.

    A running agent is asked also where the configuration can't be read from here: a file that was broken since, a variable
    that only the service has.
    """
    from yaat_core.cli import offline
    from yaat_core.cli.setup import load, reach
    from yaat_core.config.problems import ConfigError
    from yaat_core.control.client import PATIENCE, Client
    from yaat_core.errors import AgentNotRunning

    patience = long or PATIENCE
    try:
        setup = load(door)
    except ConfigError as broken:
        try:
            with Client(reach(door), patience=patience) as agent:
                return agent.call(action, given)
        except AgentNotRunning:
            raise broken from None
    try:
        with Client(setup.configuration.state_dir, patience=patience) as agent:
            return agent.call(action, given)
    except AgentNotRunning:
        return offline.call(setup, action, given, door.note)


@contextlib.contextmanager
def stream(door: Door, action: Action[A, R], given: A) -> Iterator[QueryAnswer]:
    """The answer of an action that streams."""
    from yaat_core.cli import offline
    from yaat_core.cli.setup import load
    from yaat_core.control.client import Client
    from yaat_core.errors import AgentNotRunning

    setup = load(door)
    with contextlib.ExitStack() as stack:
        try:
            agent = stack.enter_context(Client(setup.configuration.state_dir))
            answer: QueryAnswer = stack.enter_context(agent.stream(action, given))
        except AgentNotRunning:
            answer = stack.enter_context(offline.stream(setup, action, given, door.note))
        yield answer


def reads_everything() -> float:
    """``long`` of an action that reads the whole queue."""
    return _LONG
