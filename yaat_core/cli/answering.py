"""Who answers a query: the running agent, or with none a sink's database opened here; waits for one that is just starting."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from yaat_core.cli.door import Door
from yaat_core.cli.setup import Setup, load, workshop
from yaat_core.errors import AgentNotRunning, StateInUse, StoreUnavailable, UsageError, YaatError
from yaat_core.guessing import guess

if TYPE_CHECKING:
    from yaat_core.actions.agent import Query
    from yaat_core.components import QueryAnswer
    from yaat_core.config.model import SinkEntry


#: Seconds to wait for an agent that is starting or stopping, and between two looks.
PATIENCE: Final = 5.0
_LOOK: Final = 0.1


class _NotYet(Exception):
    """The answer may come in a moment; the argument is the error to raise when it does not."""


@contextlib.contextmanager
def answering(door: Door, asked: Query, *, setup: Setup | None = None) -> Iterator[QueryAnswer]:
    """The answer, closed at the end of the block. ``setup``: when it is loaded already."""
    with answered(setup or load(door), asked) as answer:
        yield answer


@contextlib.contextmanager
def answered(setup: Setup, asked: Query) -> Iterator[QueryAnswer]:
    """As `answering`, for whoever has a configuration and no command line."""
    deadline = time.monotonic() + PATIENCE
    with contextlib.ExitStack() as stack:
        while True:
            try:
                answer = _asked(stack, setup, asked)
                break
            except _NotYet as error:
                if time.monotonic() >= deadline:
                    raise error.args[0] from None
            time.sleep(_LOOK)
        yield answer


def _asked(stack: contextlib.ExitStack, setup: Setup, asked: Query) -> QueryAnswer:
    from yaat_core.control.client import Client

    with contextlib.ExitStack() as attempt:
        try:
            agent = attempt.enter_context(Client(setup.configuration.state_dir))
            answer: QueryAnswer = attempt.enter_context(agent.query(asked))
        except AgentNotRunning:
            _refuse_while_in_use(setup)
            try:
                answer = attempt.enter_context(contextlib.closing(_offline(setup, asked)))
            except StateInUse as error:
                raise _NotYet(error) from None
        except YaatError as error:
            if error.code == StoreUnavailable.code:
                raise _NotYet(error) from None
            raise
        stack.enter_context(attempt.pop_all())
    return answer


def _refuse_while_in_use(setup: Setup) -> None:
    """An agent that starts or stops has the database and no socket: opening it too would be in its way."""
    from yaat_core.control.lock import holder

    pid = holder(setup.configuration.state_dir)
    if pid is not None:
        raise _NotYet(
            AgentNotRunning(
                f"pid {pid or '?'} holds the state directory and does not answer",
                where=str(setup.configuration.state_dir),
                cause="an agent that is starting or stopping, or another command",
                fix="try again in a moment",
            )
        )


def _offline(setup: Setup, asked: Query) -> QueryAnswer:
    from yaat_core.components import QueryRequest

    request = QueryRequest(sql=asked.sql, rows=asked.limit, seconds=asked.timeout)
    shop = workshop(setup)
    for entry in _sinks(setup, asked.sink):
        answer: QueryAnswer | None = setup.plugins.manager.hook.query(
            sink=entry.options, context=shop.context(entry.id), request=request
        )
        if answer is not None:
            return answer
    raise UsageError(
        "no configured sink can answer SQL",
        where=str(setup.configuration.path or "no configuration file"),
        fix="configure a sink of type duckdb: sinks: {local: {type: duckdb}}",
    )


def _sinks(setup: Setup, name: str | None) -> list[SinkEntry]:
    sinks = setup.configuration.sinks
    if name is None:
        return list(sinks.values())
    entry = sinks.get(name.removeprefix("sinks."))
    if entry is None:
        raise UsageError(f"no sink `{name}`", fix=guess(name.removeprefix("sinks."), sinks))
    return [entry]
