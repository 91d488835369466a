"""`yaat logs`."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import attrs
import click

from yaat_core.cli.door import Door, command
from yaat_core.config.options import Duration
from yaat_core.errors import AgentNotRunning, UsageError
from yaat_core.tailing import LEVELS, Wanted, joined, last_sql

if TYPE_CHECKING:
    from yaat_core.taps import TapBatch


@command(
    example="""
    yaat logs
    yaat logs --level warning --service shop --service cart
    yaat logs --grep "time.?out" --since 10m --no-follow
    yaat logs --json | jq -r .message
    """
)
@click.option(
    "-n",
    "--lines",
    type=click.IntRange(0, 100_000),
    default=50,
    show_default=True,
    help="How many to begin with.",
)
@click.option("--level", type=click.Choice(LEVELS), help="This level and worse ones.")
@click.option(
    "--grep",
    metavar="REGEX",
    help="Only where message or stack trace match (RE2, upper and lower case are equal).",
)
@click.option("--service", multiple=True, help="Only this service; may be repeated.")
@click.option(
    "--since", metavar="WHEN", help="Begin here: how long ago (10m, 2h, 1d) or a time (2026-01-31T14:00:00Z)."
)
@click.option("--all", "everything", is_flag=True, help="Spans and metrics too.")
@click.option("--no-follow", is_flag=True, help="Print what is there and stop.")
@click.option(
    "--rate",
    type=click.IntRange(1, 10_000),
    default=1_000,
    show_default=True,
    help="Events followed a second at most; a note says when there are more.",
)
@click.pass_obj
def logs(
    door: Door,
    *,
    lines: int,
    level: str | None,
    grep: str | None,
    service: Sequence[str],
    since: str | None,
    everything: bool,
    no_follow: bool,
    rate: int,
) -> None:
    """Live tail of events.

    The last lines from the database and the queue, then what the queue takes, as it comes. Without an agent, or with
    --no-follow: what the database has. With --json: an event a line. Times are UTC.
    """
    wanted = Wanted(level=level, grep=grep, services=service, everything=everything).condition()
    begin = _since(since)
    if no_follow:
        _print(door, _stored(door, wanted, begin, lines))
        return
    _follow(door, wanted, begin, lines, rate)


def _follow(door: Door, wanted: str | None, begin: datetime | None, lines: int, rate: int) -> None:
    from yaat_core.actions.live import TAP, TapGiven
    from yaat_core.cli.following import Notes, followed
    from yaat_core.cli.setup import client

    given = TapGiven(at="queue", filter=wanted, per_second=rate, backlog=True)
    notes = Notes(door)
    with client(door) as agent:
        batches = followed(door, agent, TAP, given, again=attrs.evolve(given, backlog=False))
        try:
            waiting = _until_live(batches, lines)
        except AgentNotRunning:
            _print(door, _stored(door, wanted, begin, lines))
            raise
        known = _print(door, _last(door, wanted, begin, lines, waiting))
        for batch in batches:
            _print(door, [event for event in batch.events if event["event_id"] not in known])
            notes.heard(batch)


def _until_live(batches: Iterator[TapBatch], lines: int) -> list[Any]:
    """The last events that wait in the queue."""
    waiting: deque[Any] = deque(maxlen=max(lines, 1))
    for batch in batches:
        if batch.live:
            break
        waiting.extend(batch.events)
    return list(waiting)[-lines:] if lines else []


def _last(
    door: Door, wanted: str | None, begin: datetime | None, lines: int, waiting: Sequence[Any]
) -> list[Any]:
    """The last lines: those of the database, then those that wait and that it does not have yet."""
    try:
        stored = _stored(door, wanted, begin, lines)
    except UsageError as error:
        if waiting:
            return list(waiting)
        door.note(f"nothing from before: {error.what}")
        return []
    return joined(stored, waiting, lines=lines, begin=begin)


def _stored(door: Door, wanted: str | None, begin: datetime | None, lines: int) -> list[Any]:
    """From the database, oldest first."""
    from yaat_core.actions.agent import Query
    from yaat_core.cli.answering import answering
    from yaat_core.control.rows import rows_of

    if not lines:
        return []
    with answering(door, Query(sql=last_sql(wanted, begin, lines), limit=max(lines, 1))) as answer:
        rows = [row for batch in answer for row in rows_of(batch)]
    rows.reverse()
    return rows


def _print(door: Door, events: Sequence[Any]) -> set[Any]:
    """Print them; their identities."""
    from yaat_core.cli.event_lines import event_line
    from yaat_core.cli.following import json_line

    for event in events:
        json_line(event) if door.as_json else door.line(event_line(event))
    return {event["event_id"] for event in events}


def _since(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.now(UTC) - timedelta(seconds=Duration.parse(text))
    except (ValueError, OverflowError):
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--since {text} is neither a duration nor a time",
            fix="write 10m, 2h, 1d or 2026-01-31T14:00:00Z",
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
