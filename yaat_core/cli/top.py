"""`yaat top`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from yaat_core.cli.door import Door, command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yaat_core.status import Status


@command(example="yaat top\nyaat top --once\nyaat top --json | jq -c '.rates[] | [.component, .in_]'")
@click.option(
    "--once", is_flag=True, help="Print one picture and stop; so it is anyway where no terminal is."
)
@click.pass_obj
def top(door: Door, *, once: bool) -> None:
    """Live rates by component.

    On a terminal it is a screen: a digit sorts by that column, the same digit again turns the order, q quits. Elsewhere one
    picture. With --json: an object a line every second; with --once only one.
    """
    from yaat_core.actions.base import Nothing
    from yaat_core.actions.live import WATCH
    from yaat_core.cli.following import followed, json_line
    from yaat_core.cli.setup import client
    from yaat_core.cli.top_screen import Screen, picture

    with client(door) as agent:
        if door.as_json:
            for status in followed(door, agent, WATCH, Nothing()):
                json_line(_document(status))
                if once:
                    return
        elif once or not door.on_terminal:
            with agent.follow(WATCH, Nothing()) as stream:
                for line in picture(next(stream)):
                    door.line(line)
        else:
            Screen(door, agent).run()


def _document(status: Status) -> Mapping[str, Any]:
    return {
        "version": status.version,
        "state": status.state,
        "uptime_seconds": status.uptime_seconds,
        "healthy": status.health.ok,
        "queue": status.queue,
        "rates": status.rates,
    }
