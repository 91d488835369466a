"""SQL for the database of a running sink."""

from __future__ import annotations

from functools import partial

import attrs
import trio

from yaat_core.components import QueryAnswer, QueryRequest
from yaat_core.control.interrupting import interrupting
from yaat_core.errors import StoreUnavailable, UsageError
from yaat_core.guessing import guess
from yaat_core.plugins import Plugins
from yaat_core.rooms import Rooms


async def query(rooms: Rooms, plugins: Plugins, request: QueryRequest, sink: str | None) -> QueryAnswer:
    """As `Operations.query`."""
    names = [sink] if sink else list(rooms.workers)
    absent: list[str] = []
    begun: list[QueryAnswer] = []
    request = attrs.evolve(request, begins=begun.append)
    for name in names:
        worker = rooms.workers.get(name)
        if worker is None:
            raise UsageError(f"no sink `{name}`", fix=guess(name, rooms.workers))
        if worker.sink is None:
            absent.append(name)
            continue
        ask = partial(
            plugins.manager.hook.query,
            sink=worker.sink,
            context=rooms.workshop.context(worker.keeper.id),
            request=request,
        )
        async with interrupting(lambda: begun[0] if begun else None):
            answer: QueryAnswer | None = await trio.to_thread.run_sync(ask)
        if answer is not None:
            return answer
    if absent:
        raise StoreUnavailable(
            f"{', '.join(f'sinks.{name}' for name in absent)} does not run at this moment",
            cause="the agent is starting or stopping, or the sink has failed",
            fix="ask again in a moment; `yaat status` says what is wrong",
        )
    raise UsageError(
        "no running sink can answer SQL", fix="configure a sink of type duckdb, or see `yaat status`"
    )
