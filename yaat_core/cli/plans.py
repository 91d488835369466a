"""How a plan is shown, asked about and carried out on the command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from yaat_core.cli import units
from yaat_core.cli.door import Door
from yaat_core.cli.marks import mark
from yaat_core.display import terminal_safe
from yaat_core.errors import UsageError

if TYPE_CHECKING:
    from yaat_core.service.plan import Plan, Stays, Step

dry_run = click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")
yes = click.option("--yes", is_flag=True, help="Do it without asking.")


def show(door: Door, plan: Plan, *, texts: bool = False) -> None:
    """The plan; ``texts``: with the whole text of what is written."""
    for step in plan.steps:
        _step(door, step, texts=texts)
    if not plan.steps:
        door.line("nothing to do")
    if plan.stays:
        door.line()
        door.line(click.style("What stays", bold=True))
        for one in plan.stays:
            _stays(door, one)
    for note in plan.notes:
        door.line(f"{mark('warn')} {terminal_safe(note)}")


def agreed(door: Door, plan: Plan, *, yes: bool) -> None:
    """Returns when the person wants it.

    Raises:
        UsageError: nobody can be asked, and `--yes` is missing.
        click.Abort: they do not.
    """
    if yes or not plan.changes:
        return
    if not sys.stdin.isatty():
        raise UsageError("Nobody is here to ask: nothing was done", fix="--yes does it, --dry-run shows it")
    click.confirm("Do this?", default=False, abort=True, err=True)


def carry_out(door: Door, plan: Plan) -> None:
    """Do it, and tell each step on stderr as it comes."""
    from yaat_core.service import steps

    def told(step: Step, failed: str) -> None:
        door.note(f"    {terminal_safe(failed)}, which does no harm" if failed else f"» {_headline(step)}")

    steps.carry_out(plan, told)


def _step(door: Door, step: Step, *, texts: bool) -> None:
    sign = mark("yes") if step.done else "  "
    already = "  (is so already)" if step.done else ""
    size = f"  {units.size(step.bytes)}" if step.bytes is not None else ""
    door.line(f"{sign} {_headline(step)}{size}{already}")
    if step.what and _target(step):
        door.line(f"       {terminal_safe(step.what)}")
    if texts and step.text is not None and not step.done:
        for line in step.text.splitlines():
            door.line(f"       | {terminal_safe(line)}".rstrip())


def _headline(step: Step) -> str:
    rights = f"  {step.owner}" if step.owner else ""
    rights += f" {step.mode:04o}" if step.mode is not None else ""
    from yaat_core.service.plan import VERBS

    return f"{VERBS[step.kind]:<7}{terminal_safe(_target(step))}{rights}"


def _target(step: Step) -> str:
    if step.kind == "run":
        return " ".join(step.command)
    if step.kind in ("user", "forget_user"):
        return f"user {step.target}"
    return step.target


def _stays(door: Door, one: Stays) -> None:
    size = f", {units.size(one.bytes)}" if one.bytes is not None else ""
    why = f": {one.why}" if one.why else ""
    door.line(f"   {terminal_safe(one.where)}  ({terminal_safe(one.what)}{size}){terminal_safe(why)}")
    if one.remove:
        door.line(f"       to remove it: {terminal_safe(one.remove)}")
