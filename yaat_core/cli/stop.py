"""`yaat stop`."""

from __future__ import annotations

import click

from yaat_core.cli.door import Door, command


@command(example="yaat stop")
@click.pass_obj
def stop(door: Door) -> None:
    """Stop the running agent; nothing is lost.

    What is on its way is delivered within shutdown_grace, or stays in the queue. It returns at once.

    Of a service, use `yaat service stop`: systemd would start the agent again.
    """
    from yaat_core.actions.agent import STOP
    from yaat_core.actions.base import Nothing
    from yaat_core.cli.setup import client

    with client(door) as agent:
        done = agent.call(STOP, Nothing())
    door.result(done, lambda: door.line("the agent is stopping"))
