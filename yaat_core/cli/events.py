"""`yaat events`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

import click

from yaat_core.cli.door import Door, command
from yaat_core.cli.marks import mark
from yaat_core.display import terminal_safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yaat_core.happenings import Happening

#: Seconds between two looks of `--follow`.
_EVERY: Final = 1.0
_MARKS: Final = {"info": "yes", "warning": "warn", "error": "error"}


@command(example="yaat events\nyaat events --follow\nyaat events --json | jq '.happenings[].what'")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="The last ones, so many."
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens from now on, until Ctrl-C.")
@click.pass_obj
def events(door: Door, *, limit: int, follow: bool) -> None:
    """What happened to the agent: starts, reloads, problems, deliveries that fail and work again.

    The agent remembers the last thousand since its start. With --json and --follow each line is a JSON document.
    """
    from yaat_core.actions.happenings import EVENTS, Events
    from yaat_core.cli.setup import reach
    from yaat_core.control.client import Client

    with Client(reach(door)) as agent:
        found = agent.call(EVENTS, Events(limit=limit))
        if not follow:
            door.result(found, lambda: _show(door, found.happenings))
            return
        newest = 0
        while True:
            for one in found.happenings:
                newest = one.number
                _line(door, one)
            time.sleep(_EVERY)
            found = agent.call(EVENTS, Events(limit=1_000, after=newest))


def _line(door: Door, one: Happening) -> None:
    if door.as_json:
        import msgspec

        door.line(msgspec.json.encode(one).decode())
    else:
        _show(door, [one])


def _show(door: Door, happenings: Sequence[Happening]) -> None:
    for one in happenings:
        at = one.at[:19].replace("T", " ")
        door.line(
            f"{at}Z {mark(_MARKS[one.level])} {terminal_safe(one.component)}: {terminal_safe(one.what)}"
        )
        if one.advice:
            door.line(f"{'':22}fix: {terminal_safe(one.advice)}")
