"""`yaat dead`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from yaat_core.cli import completing, units
from yaat_core.cli.asking import confirmed
from yaat_core.cli.doing import do
from yaat_core.cli.door import Door, DoorGroup, command
from yaat_core.cli.marks import mark
from yaat_core.cli.table import table
from yaat_core.display import terminal_safe

if TYPE_CHECKING:
    from yaat_core.replaying import Refused, Replayed

#: Characters of a reason or an answer in a table; `--json`, and `yaat dead show` above its table, have all that is kept.
_SHORT: Final = 100
#: Seconds that one step of a replay may take: it reads some letters to their ends.
_STEP_SECONDS: Final = 300.0
#: Letters that are named which can't be delivered again.
_MOST_TOLD: Final = 20


@click.group(cls=DoorGroup)
def dead() -> None:
    """Events that a sink refused for good, with the reason.

    Asks the running agent; without one the directory is read here, under the lock on the state directory.
    """


@command("list", example="yaat dead list\nyaat dead list --sink cloud --json")
@click.option("--sink", shell_complete=completing.components("sinks"), help="Only those of one sink.")
@click.option(
    "--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="Letters at most."
)
@click.pass_obj
def list_(door: Door, *, sink: str | None, limit: int) -> None:
    """Dead letters, oldest first: a letter is what was refused of one delivery."""
    from yaat_core.actions.dead import DEAD_LIST, DeadList

    found = do(door, DEAD_LIST, DeadList(sink=sink, limit=limit))
    rows = [
        [
            one.id[:12],
            one.sink,
            one.state,
            one.events,
            f"{one.first}-{one.last}",
            one.time,
            one.attempts or None,
            short(one.problem or next(iter(one.reasons), "")),
            short(one.answer),
        ]
        for one in found.letters
    ]

    def human() -> None:
        for line in table(
            ["id", "sink", "state", "events", "of sequences", "since", "attempts", "reason", "last answer"],
            rows,
        ):
            door.line(line)
        for name, count in found.events.items():
            door.note(f"{terminal_safe(name)}: {units.count(count)} dead events in all")
        if not rows:
            door.note("no dead letters")

    door.result(found, human, long=True)


@command("show", example="yaat dead show 5f0c2a\nyaat dead show 5f0c2a --limit 1 --json")
@click.argument("id", shell_complete=completing.letters)
@click.option(
    "--limit", type=click.IntRange(0, 10_000), default=100, show_default=True, help="Events at most."
)
@click.pass_obj
def show(door: Door, *, id: str, limit: int) -> None:
    """One dead letter: its events, and why each was refused. The beginning of its id will do."""
    from yaat_core.actions.dead import DEAD_SHOW, DeadShow

    found = do(door, DEAD_SHOW, DeadShow(id=id, limit=limit))
    letter = found.letter

    def human() -> None:
        door.line(
            f"{letter.id}: {units.of(letter.events, 'event')} that {terminal_safe(letter.sink)} refused, {letter.time}"
        )
        if letter.state == "queued":
            door.line("waits to be delivered again")
        if letter.attempts:
            door.line(f"sent {units.of(letter.attempts, 'time')}")
        if letter.answer:
            door.line(f"last answer: {terminal_safe(letter.answer)}")
        for reason, count in letter.reasons.items():
            door.line(f"{mark('error')} {terminal_safe(reason)}: {units.count(count)}")
        names = ("timestamp", "service_name", "level", "message")
        rows = [
            [one.sequence, short(one.reason), *(one.event.get(name) for name in names)]
            for one in found.events
        ]
        for line in table(["sequence", "reason", "timestamp", "service", "level", "message"], rows):
            door.line(line)

    door.result(found, human, long=True)


@command("purge", example="yaat dead purge cloud --yes\nyaat dead purge cloud --id 5f0c2a --yes")
@click.argument("sink", shell_complete=completing.components("sinks"))
@click.option("--id", "id", shell_complete=completing.letters, help="Only this letter.")
@click.option("--yes", is_flag=True, help="Don't ask: for scripts.")
@click.option("--confirm", metavar="SINK", help="The sink's name again, instead of the question.")
@click.pass_obj
def purge(door: Door, *, sink: str, id: str | None, yes: bool, confirm: str | None) -> None:
    """Forget dead letters of a sink. Their events count as `dropped`, and can't be had back."""
    from yaat_core.actions.dead import DEAD_PURGE, DeadPurge

    which = f"The dead letter {id} of {sink}" if id else f"Every dead letter of {sink}"
    confirmed(door, f"{which} will be deleted for good.", sink, sink if yes else confirm)
    done = do(door, DEAD_PURGE, DeadPurge(sink=sink, id=id))
    door.result(
        done,
        lambda: door.line(
            f"{units.count(done.letters)} letters deleted; {units.count(done.events)} events count as dropped "
            f"for {terminal_safe(done.sink)}"
        ),
    )


def short(text: str) -> str:
    """As much of a reason or an answer as a cell of a table has room for."""
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"


@command(
    "replay", example="yaat dead replay cloud\nyaat dead replay --id 5f0c2a\nyaat dead replay --all --json"
)
@click.argument("sink", required=False, shell_complete=completing.components("sinks"))
@click.option(
    "--id", "id", shell_complete=completing.letters, help="Only this letter. The beginning of its id will do."
)
@click.option("--all", "all_", is_flag=True, help="Every letter of every sink.")
@click.pass_obj
def replay(door: Door, *, sink: str | None, id: str | None, all_: bool) -> int:
    """Deliver dead letters again, to the sink that refused them.

    Their events are queued until it has answered, with the same ids: then they are delivered, or dead again with
    the new reason. Exit code 5 when some of the letters can't be delivered again, 1 when none can.
    """
    from yaat_core.actions.dead import DEAD_REPLAY, DeadReplay
    from yaat_core.cli.progress import Progress
    from yaat_core.errors import UsageError
    from yaat_core.replaying import Replayed

    if all_ == bool(sink or id):
        raise UsageError("which dead letters?", fix="name a sink, give --id ID, or --all (alone)")
    letters, events, after = 0, 0, None
    refused: list[Refused] = []
    with Progress(door, "dead letters") as progress:
        while True:
            done = do(door, DEAD_REPLAY, DeadReplay(sink=sink, id=id, after=after), long=_STEP_SECONDS)
            letters, events, after = letters + done.letters, events + done.events, done.next
            refused += done.refused
            progress.at(letters + len(refused), letters + len(refused) + done.left)
            if after is None:
                break
    whole = Replayed(letters=letters, events=events, refused=refused, left=0, next=None)
    door.result(whole, lambda: _told(door, whole))
    return 0 if not refused else 5 if letters else 1


def _told(door: Door, whole: Replayed) -> None:
    if whole.letters or not whole.refused:
        door.line(
            f"{units.of(whole.letters, 'letter')} with {units.of(whole.events, 'event')} queued to be delivered again"
            if whole.letters
            else "no dead letters"
        )
    for one in whole.refused[:_MOST_TOLD]:
        door.note(f"{mark('error')} {one.id[:12]} of {terminal_safe(one.sink)} {terminal_safe(one.problem)}")
    if len(whole.refused) > _MOST_TOLD:
        door.note(f"and {units.count(len(whole.refused) - _MOST_TOLD)} more that stay as they are")


for _one in (list_, show, purge, replay):
    dead.add_command(_one)
