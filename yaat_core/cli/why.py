"""`yaat why`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import click

from yaat_core.cli.door import Door, command
from yaat_core.display import terminal_safe

if TYPE_CHECKING:
    from yaat_core.lineage.model import Lineage, Place, StepTold

_MARKS: Final = {
    "delivered": "ok",
    "queued": "warn",
    "dead": "error",
    "settled": "ok",
    "not_attached": "off",
    "unknown": "warn",
}
#: Seconds that all may take: a database and the queue are searched.
_PATIENCE: Final = 180.0


@command(
    example="""
    yaat why 01a22fbc-3f3e-8006-8436-d400000081c4
    yaat why $(yaat tap --limit 1 --json | jq -r .event_id) --json
    """
)
@click.argument("event_id")
@click.pass_obj
def why(door: Door, *, event_id: str) -> None:
    """The lineage of one event.

    Where it came from, its place in the queue, what each sink says, and what the pipeline as it is configured now does to it,
    step by step. It is looked for in the databases, the dead letters and the queue of the running agent.
    """
    from yaat_core.actions.live import WHY, WhyGiven
    from yaat_core.cli.setup import load
    from yaat_core.control.client import Client

    with Client(load(door).configuration.state_dir, patience=_PATIENCE) as agent:
        told = agent.call(WHY, WhyGiven(event_id=event_id))
    door.result(told, lambda: door.line("\n".join(lines_of(told))))


def lines_of(told: Lineage) -> Iterator[str]:
    """For people, styled; all that is data is made safe."""
    from yaat_core.cli.event_lines import event_line
    from yaat_core.cli.marks import mark

    yield event_line(told.event)
    yield ""
    yield from _origin(told)
    yield f"queue    {_place(told.queue)}"
    yield ""
    wide = max((len(one.sink) for one in told.sinks), default=0)
    for one in told.sinks:
        letter = f" (dead letter {one.letter})" if one.letter else ""
        detail = f"  {one.detail}{letter}"
        yield f"{mark(_MARKS[one.fate])} {terminal_safe(f'{one.sink:<{wide}}  {one.fate:<12}{detail}').rstrip()}"
    yield ""
    yield "What the pipeline does to it now:"
    for step in told.steps:
        yield from _step(step)
    if not told.steps:
        yield "  nothing: no step is configured for its source"
    yield ""
    for limit in told.limits:
        yield click.style(f"  {limit}", dim=True)


def _origin(told: Lineage) -> Iterator[str]:
    origin = told.origin
    source = origin.source or "not said"
    gone = "" if origin.configured or not origin.source else ", which is not configured any more"
    yield terminal_safe(f"from     {source}{gone}, received {origin.received_at}")
    if origin.position is not None:
        yield f"         position {origin.position:,} of a stream that was first seen {origin.first_seen}"
    elif origin.first_seen is not None:
        yield f"         its identity was made {origin.first_seen}; its source has no positions"
    for name, value in origin.told.items():
        yield terminal_safe(f"         {name} = {value}")


def _place(place: Place) -> str:
    where = f"sequence {place.sequence:,}" if place.sequence is not None else ""
    if place.state == "deleted":
        return f"{where + ', ' if where else ''}deleted: every sink has it"
    if place.state == "not_found":
        return terminal_safe(f"not found: {place.searched}")
    said = "waits for a sink" if place.state == "waiting" else "kept for a while, every sink has it"
    return f"{where}, in the record {place.first:,} to {place.last:,}, accepted {place.accepted_at}: {said}"


def _step(step: StepTold) -> Iterator[str]:
    said = {
        "unchanged": "lets it pass as it is",
        "changed": "changes it:",
        "dropped": f"drops it ({step.why})",
        "failed": f"fails on it ({step.why})",
    }[step.what]
    yield terminal_safe(f"  {step.step}  {said}")
    for change in step.changes:
        yield terminal_safe(f"    {change.field}: {_shown(change.before)} -> {_shown(change.after)}")


def _shown(value: Any) -> str:
    return "nothing" if value is None else f'"{value}"' if isinstance(value, str) else str(value)
