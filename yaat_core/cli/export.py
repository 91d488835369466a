"""`yaat queue export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import click
import msgspec

from yaat_core.cli import units
from yaat_core.cli.door import Door, command

if TYPE_CHECKING:
    from yaat_core.cli.progress import Progress
    from yaat_core.components import QueryAnswer

#: Ends with this when events of the range are not in the queue any more.
IN_PART: Final = 5


@attrs.define
class Written:
    """What an export wrote. ``missing``: events between the first and the last one that the queue does not hold."""

    events: int = 0
    first: int | None = None
    last: int | None = None
    missing: int = 0
    file: str | None = None


@command(
    "export",
    example="""
    yaat queue export > waiting.jsonl
    yaat queue export --from 1200 --to 1300 -o part.jsonl --json
    yaat queue export | jq -r .event.message
    """,
)
@click.option("--from", "first", type=click.IntRange(1), default=1, help="Sequence of the first event.")
@click.option("--to", "last", type=click.IntRange(1), help="Sequence of the last event; default: the newest.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to a file instead of stdout; --json then prints what was written.",
)
@click.pass_obj
def export(door: Door, *, first: int, last: int | None, output: Path | None) -> int:
    """Events of the queue as JSON, a line each: {"sequence": ..., "event": {...}}.

    They are as the queue has them: redacted. Changes nothing. Exit code 5 when events of the range are not in the
    queue any more, because they were damaged.
    """
    from yaat_core.actions.queue import QUEUE_EXPORT, QueueExport
    from yaat_core.cli.doing import stream
    from yaat_core.cli.output import written_to
    from yaat_core.cli.progress import Progress

    done = Written(file=str(output) if output else None)
    with (
        stream(door, QUEUE_EXPORT, QueueExport(first=first, last=last)) as answer,
        written_to(output) as file,
        Progress(door, "events") as progress,
    ):
        _write(answer, file, done, progress if output else None)
    told = f"{units.count(done.events)} events"
    if done.events:
        told += f", {done.first} to {done.last}"
    if output is not None and door.as_json:
        door.document(done)
    else:
        door.note(told)
    if done.missing:
        door.note(
            f"{units.count(done.missing)} events between them are not in the queue: damaged, or never there"
        )
    return IN_PART if done.missing else 0


def _write(answer: QueryAnswer, file: Any, done: Written, progress: Progress | None) -> None:
    """Line by line; a batch is in memory at a time."""
    from yaat_core.event import EventBatch
    from yaat_core.exporting import SEQUENCE
    from yaat_core.wire import rows_to_json

    for batch in answer:
        sequences = batch.column(SEQUENCE).to_pylist()
        events = rows_to_json(EventBatch(batch.drop_columns([SEQUENCE])))
        for sequence, event in zip(sequences, events, strict=True):
            file.write(msgspec.json.encode({"sequence": sequence, "event": msgspec.Raw(event)}) + b"\n")
        if sequences:
            expected = sequences[0] if done.last is None else done.last + 1
            done.missing += sequences[0] - expected
            done.first = sequences[0] if done.first is None else done.first
            done.last = sequences[-1]
            done.events += len(sequences)
            if progress is not None:
                progress.often(done.events, None)
    file.flush()
