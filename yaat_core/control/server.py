"""Serves the control API on the two Unix sockets of a state directory."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import trio

from yaat_core.control import sockets
from yaat_core.control.listen import App, Limits, serve_http
from yaat_core.operations import Operations

#: Queries at one time; each has a thread and a cursor in the database.
MAX_QUERIES: Final = 8


async def serve(
    operations: Operations,
    state_dir: Path,
    *,
    limits: Limits | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled. The caller holds the lock on the state directory. The sockets are removed at the end.

    Raises:
        SocketPathTooLong: the state directory's path leaves no room for a socket.
        StoreUnavailable: the sockets can't be made.
    """
    paths = {name: state_dir / name for name in sockets.MODES}
    try:
        bound = {name: sockets.bind(path, sockets.MODES[name]) for name, path in paths.items()}
        async with trio.open_nursery() as nursery:
            slots = trio.CapacityLimiter(MAX_QUERIES)
            for name, listening in bound.items():
                app = partial(_app, operations, name, slots)
                await nursery.start(partial(serve_http, app, listening, limits or Limits()))
            task_status.started()
    finally:
        for path in paths.values():
            sockets.unlink(path)


def _app(operations: Operations, name: str, slots: trio.CapacityLimiter) -> App:
    """What the socket of this name serves."""
    from yaat_core.actions import ACTIONS
    from yaat_core.control.app import make_app

    served = [action for action in ACTIONS.values() if name == sockets.CONTROL or action.danger == "read"]
    return make_app(operations, served, slots)
