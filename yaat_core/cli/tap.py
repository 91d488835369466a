"""`yaat tap`."""

from __future__ import annotations

import click

from yaat_core.cli import completing
from yaat_core.cli.door import Door, command


@command(
    example="""
    yaat tap
    yaat tap app --filter "level = 'error'"
    yaat tap processors.dedupe --limit 10
    yaat tap sinks.cloud --json | jq .message
    """
)
@click.argument("name", default="queue", shell_complete=completing.points)
@click.option(
    "--filter",
    "expression",
    metavar="EXPR",
    help="Only events for which this DuckDB expression is true, as in the processor `filter`.",
)
@click.option("--limit", type=click.IntRange(1), help="Stop after so many events.")
@click.option(
    "--rate",
    type=click.IntRange(1, 10_000),
    default=200,
    show_default=True,
    help="Events shown a second at most; a note says when there are more.",
)
@click.pass_obj
def tap(door: Door, *, name: str, expression: str | None, limit: int | None, rate: int) -> None:
    """Events as they pass a point of the pipeline, redacted.

    NAME is a source or a processor (what leaves it), a sink (what comes to it) or `queue` (what it takes), which is the
    default. With --json: an event a line. Before the redaction, texts are shown as it will leave them; nothing is kept.
    """
    from yaat_core.actions.live import TAP, TapGiven
    from yaat_core.cli.event_lines import event_line
    from yaat_core.cli.following import Notes, followed, json_line
    from yaat_core.cli.setup import client

    left = limit
    notes = Notes(door)
    with client(door) as agent:
        for batch in followed(door, agent, TAP, TapGiven(at=name, filter=expression, per_second=rate)):
            if not batch.seen and door.on_terminal:
                door.note(f"what passes {batch.at} from now on; Ctrl-C ends it")
            events = batch.events if left is None else batch.events[:left]
            for event in events:
                json_line(event) if door.as_json else door.line(event_line(event))
            notes.heard(batch)
            if left is not None:
                left -= len(events)
                if not left:
                    return
