"""`yaat queue`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from yaat_core.cli import completing, units
from yaat_core.cli.asking import confirmed
from yaat_core.cli.doing import do, reads_everything
from yaat_core.cli.door import Door, DoorGroup, command
from yaat_core.cli.export import export
from yaat_core.cli.marks import mark
from yaat_core.cli.table import table
from yaat_core.display import terminal_safe

if TYPE_CHECKING:
    from yaat_core.components import Damage


@click.group(cls=DoorGroup)
def queue() -> None:
    """What waits between sources and sinks.

    Asks the running agent; without one the queue is opened here, under the lock on the state directory.
    """


@command("list", example="yaat queue list\nyaat queue list --after 1200 --json")
@click.option(
    "--after", type=click.IntRange(0), default=0, help="Only records with events after this sequence."
)
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Records at most."
)
@click.pass_obj
def list_(door: Door, *, after: int, limit: int) -> None:
    """Records that are kept, oldest first."""
    from yaat_core.actions.queue import QUEUE_LIST, QueueList

    found = do(door, QUEUE_LIST, QueueList(after=after, limit=limit))
    rows = [
        [one.first, one.last, one.last - one.first + 1, units.size(one.bytes), _time(one.time_us)]
        for one in found.records
    ]

    def human() -> None:
        for line in table(["first", "last", "events", "size", "accepted at"], rows):
            door.line(line)
        if not rows:
            door.note("nothing waits")

    door.result(found, human, long=True)


@command("show", example="yaat queue show 1201\nyaat queue show 1201 --limit 1 --json")
@click.argument("sequence", type=click.IntRange(1))
@click.option(
    "--limit", type=click.IntRange(0, 10_000), default=100, show_default=True, help="Events at most."
)
@click.pass_obj
def show(door: Door, *, sequence: int, limit: int) -> None:
    """The record that holds an event, and its events."""
    from yaat_core.actions.queue import QUEUE_SHOW, QueueShow

    found = do(door, QUEUE_SHOW, QueueShow(sequence=sequence, limit=limit))

    def human() -> None:
        door.line(
            f"events {found.first} to {found.last}, {units.size(found.bytes)}, accepted {found.accepted_at}"
        )
        for component, keys in found.checkpoints.items():
            door.line(f"checkpoints of {terminal_safe(component)}: {', '.join(map(terminal_safe, keys))}")
        head = ["sequence", "timestamp", "service", "level", "message"]
        names = ("timestamp", "service_name", "level", "message")
        rows = [
            [found.first + index, *(event[name] for name in names)]
            for index, event in enumerate(found.events)
        ]
        for line in table(head, rows):
            door.line(line)

    door.result(found, human, long=True)


@command("verify", example="yaat queue verify")
@click.pass_obj
def verify(door: Door) -> int:
    """Read and check everything; changes nothing. Exit code 1 when something is damaged."""
    from yaat_core.actions.base import Nothing
    from yaat_core.actions.queue import QUEUE_VERIFY

    found = do(door, QUEUE_VERIFY, Nothing(), long=reads_everything())

    def human() -> None:
        _tell_damage(door, found.damage)
        if found.ok:
            door.line(f"{mark('yes')} the queue is intact")
        else:
            door.note("`yaat queue repair` sets aside what is damaged, and says what is lost")

    door.result(found, human, long=True)
    return 0 if found.ok else 1


@command("repair", example="yaat queue repair\nyaat queue repair --json")
@click.pass_obj
def repair(door: Door) -> None:
    """Check everything, set aside what is damaged, say what is lost.

    What is set aside stays in the folder quarantine of the queue. Events that waited and are gone count as `lost` for
    each sink that has not had them.
    """
    from yaat_core.actions.base import Nothing
    from yaat_core.actions.queue import QUEUE_REPAIR

    done = do(door, QUEUE_REPAIR, Nothing(), long=reads_everything())

    def human() -> None:
        _tell_damage(door, done.damage)
        for sink, count in done.lost.items():
            if count:
                door.line(f"{mark('error')} {units.count(count)} events are lost for {terminal_safe(sink)}")
        if done.ok:
            door.line(f"{mark('yes')} the queue is intact; nothing was changed")
        elif not any(done.lost.values()):
            door.line(f"{mark('yes')} no event is lost: every sink had what was damaged")

    door.result(done, human)


@command("purge", example="yaat queue purge cloud\nyaat queue purge cloud --yes")
@click.argument("sink", shell_complete=completing.components("sinks"))
@click.option("--yes", is_flag=True, help="Don't ask: for scripts.")
@click.option("--confirm", metavar="SINK", help="The sink's name again, instead of the question.")
@click.pass_obj
def purge(door: Door, *, sink: str, yes: bool, confirm: str | None) -> None:
    """Drop what waits for one sink. It counts as `dropped`, and can't be had back."""
    from yaat_core.actions.queue import QUEUE_PURGE, QueuePurge

    confirmed(
        door, f"Everything that waits for {sink} will be dropped for good.", sink, sink if yes else confirm
    )
    done = do(door, QUEUE_PURGE, QueuePurge(sink=sink))
    door.result(
        done, lambda: door.line(f"{units.count(done.events)} events dropped for {terminal_safe(done.sink)}")
    )


@command("accept-loss", example="yaat queue accept-loss --confirm loss")
@click.option("--confirm", metavar="loss", help="The word `loss`: for scripts, instead of the question.")
@click.pass_obj
def accept_loss(door: Door, *, confirm: str | None) -> None:
    """Start the sources although a sink does not say where it stands.

    What only that sink knew may be read and delivered again, or count as lost.
    """
    from yaat_core.actions.agent import ACCEPT_LOSS
    from yaat_core.actions.base import Nothing
    from yaat_core.cli.setup import client

    confirmed(door, "The agent will go on without the sinks that don't answer.", "loss", confirm)
    with client(door) as agent:
        done = agent.call(ACCEPT_LOSS, Nothing())
    door.result(done, lambda: door.line("the agent goes on"))


for _one in (list_, show, verify, repair, export, purge, accept_loss):
    queue.add_command(_one)


def _tell_damage(door: Door, damage: Sequence[Damage]) -> None:
    for one in damage:
        events = "" if one.last is None else f"  (events {one.first or one.last} to {one.last})"
        door.line(f"{mark('error')} {terminal_safe(one.what)}{events}")


def _time(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).strftime("%Y-%m-%d %H:%M:%S")
