"""`yaat status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from yaat_core.cli import units
from yaat_core.cli.door import Door, command
from yaat_core.cli.marks import STATES, mark
from yaat_core.cli.table import table
from yaat_core.display import terminal_safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from yaat_core.status import Accounting, ComponentStatus, Health, Status

fail_on = click.option(
    "--fail-on",
    type=click.Choice(["warn", "error", "never"]),
    default="error",
    show_default=True,
    help="From which level of problems on the exit code is 1.",
)


@command(example="yaat status\nyaat status --json | jq .accounting\nyaat status --fail-on warn")
@fail_on
@click.pass_obj
def status(door: Door, *, fail_on: str) -> int:
    """What runs and how it is.

    Exit code 0 healthy, 1 a problem of the level of --fail-on, 3 no agent is running.
    """
    from yaat_core.actions.agent import STATUS
    from yaat_core.actions.base import Nothing
    from yaat_core.cli.setup import client

    with client(door) as agent:
        now = agent.call(STATUS, Nothing())
    door.result(now, lambda: show(door, now))
    return exit_code([problem.level for problem in now.health.problems], fail_on)


def exit_code(levels: Sequence[str], fail_on: str) -> int:
    """1 when one of the levels is at least the one that counts."""
    counted = {"warn": {"warn", "error"}, "error": {"error"}, "never": set[str]()}[fail_on]
    return int(any(level in counted for level in levels))


def show(door: Door, now: Status) -> None:
    """All of it, for people."""
    door.line(
        f"{mark(STATES[now.state])} {now.state}  yaat {now.version}, pid {now.pid}, up {units.duration(now.uptime_seconds)}"
    )
    door.line(f"  configuration {terminal_safe(now.config_file or 'none, all defaults')}")
    door.line(f"  state         {terminal_safe(now.state_dir)}")
    door.line(
        f"  queue         {units.count(now.queue.events)} events wait, {units.size(now.queue.bytes)}, "
        f"the oldest for {units.duration(now.queue.oldest_seconds)}"
    )
    door.line()
    components(door, now.components)
    accounting(door, now.accounting)
    rules(door, now.rules)
    problems(door, now.health)


def components(door: Door, all_of_them: Sequence[ComponentStatus]) -> None:
    """A line a component."""
    if not all_of_them:
        return
    rows = [[one.id, one.type, one.state, one.restarts, _figures(one), one.detail] for one in all_of_them]
    lines = table(["component", "type", "state", "restarts", "figures", "detail"], rows)
    door.line("  " + click.style(next(lines), bold=True))
    for one, line in zip(all_of_them, lines, strict=True):
        door.line(f"{mark(STATES[one.state])} {line}")
    door.line()


def accounting(door: Door, numbers: Accounting) -> None:
    """The equation, a line a sink."""
    dropped = sum(numbers.dropped_before_queue.values())
    verdict = "" if numbers.balanced else click.style("  does not balance!", fg="red")
    door.line(
        f"read {units.count(numbers.read)} = accepted {units.count(numbers.accepted)} "
        f"+ dropped before the queue {units.count(dropped)}{verdict}"
    )
    for rule, count in numbers.dropped_before_queue.items():
        door.line(f"  {terminal_safe(rule)}: {units.count(count)}")
    rows = [
        [
            name,
            one.accepted,
            one.delivered,
            one.queued,
            one.dead,
            one.dropped,
            one.lost,
            one.detached_at or "",
        ]
        for name, one in numbers.by_sink.items()
    ]
    if rows:
        head = ["sink", "accepted", "delivered", "queued", "dead", "dropped", "lost", "detached"]
        for line in table(head, rows):
            door.line("  " + line)
    door.line()


def rules(door: Door, found: Mapping[str, Mapping[str, int]]) -> None:
    """What the rules of each processor found, a line a processor."""
    for processor, counts in found.items():
        told = ", ".join(f"{name} {units.count(count)}" for name, count in counts.items())
        door.line(terminal_safe(f"{processor} found since the start: {told}"))
    if found:
        door.line()


def problems(door: Door, health: Health) -> None:
    """What is wrong and what to do."""
    if not health.problems:
        door.line(f"{mark('yes')} healthy")
    for one in health.problems:
        door.line(
            f"{mark(one.level)} {terminal_safe(one.component)}: {terminal_safe(one.what)}  (since {one.since})"
        )
        if one.advice:
            door.line(f"  fix: {terminal_safe(one.advice)}")


def _figures(one: ComponentStatus) -> str:
    return ", ".join(f"{name} {_figure(name, value)}" for name, value in one.figures.items())


def _figure(name: str, value: float) -> str:
    if name.endswith("bytes"):
        return units.size(value)
    return units.duration(value) if name.endswith("seconds") else units.count(value)
