"""`yaat reload`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from yaat_core.cli.door import Door, command
from yaat_core.cli.marks import mark
from yaat_core.display import terminal_safe

if TYPE_CHECKING:
    from yaat_core.reloading.results import Reloaded

#: Seconds that a reload may take: components stop, and what they sent becomes durable.
_PATIENCE = 120.0


@command(example="yaat reload\nyaat reload --json | jq .changes")
@click.pass_obj
def reload(door: Door) -> None:
    """Take up the changed configuration.

    A file that is not valid changes nothing: all its problems are told, and the exit code is 2.
    """
    from yaat_core.actions.base import Nothing
    from yaat_core.actions.reloading import RELOAD
    from yaat_core.cli.setup import reach
    from yaat_core.control.client import Client

    with Client(reach(door), patience=_PATIENCE) as agent:
        done = agent.call(RELOAD, Nothing())
    door.result(done, lambda: _show(door, done))


def _show(door: Door, done: Reloaded) -> None:
    for one in done.changes:
        door.line(f"{one.what:9} {terminal_safe(one.component)}")
    if not done.changes:
        door.line(f"nothing is different from what the agent read at {done.was_read_at}")
    door.line(f"{mark('yes')} reloaded; {done.unchanged} components went on as they were")
    if done.restart_needed:
        names = ", ".join(done.restart_needed)
        door.line(f"{mark('warn')} {terminal_safe(names)}: takes a restart of the agent")
