"""`yaat diagnose`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click

from yaat_core.cli import status as view
from yaat_core.cli import units
from yaat_core.cli.door import Door, command
from yaat_core.cli.marks import STATES, mark
from yaat_core.display import terminal_safe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from yaat_core.checks.base import Check
    from yaat_core.diagnosis import Diagnosis

#: What a level is called beside its sign.
_WORDS = {"ok": "ok", "warn": "warning", "error": "error", "skipped": "skipped"}
#: Seconds: two examinations, if another one is under way.
_PATIENCE = 60.0
_MARKS = {"ok": "yes", "warn": "warn", "error": "error", "skipped": "off"}


@command(
    example="yaat diagnose\nyaat diagnose --fail-on warn\nyaat diagnose --offline\n"
    "yaat diagnose --json | jq '.checks[] | select(.level == \"error\")'"
)
@view.fail_on
@click.option("--offline", is_flag=True, help="Don't reach for the sinks: no name, connection, TLS or key.")
@click.option("--problems", is_flag=True, help="Show only what is not well.")
@click.pass_obj
def diagnose(door: Door, *, fail_on: str, offline: bool, problems: bool) -> int:
    """What is wrong and what to do about it, with the accounting of every event.

    The running agent looks, with its own rights. Without one this command does, with yours, reads the accounting from the
    queue, and ends with exit code 3.
    """
    from yaat_core.actions.checks import DIAGNOSE, Checks
    from yaat_core.cli.doing import do

    found = do(door, DIAGNOSE, Checks(reach=not offline), long=_PATIENCE)
    door.result(found, lambda: _show(door, found, problems=problems))
    if not found.running:
        return 3
    levels = [problem.level for problem in found.health.problems]
    return view.exit_code([*levels, *(check.level for check in found.checks)], fail_on)


def _show(door: Door, found: Diagnosis, *, problems: bool) -> None:
    state = found.state or "no agent is running"
    up = f", up {units.duration(found.uptime_seconds)}" if found.uptime_seconds is not None else ""
    kind = STATES[found.state] if found.state else "error"
    door.line(f"{mark(kind)} {state}  yaat {found.version}{up}, state {terminal_safe(found.state_dir)}")
    if not found.running:
        door.line("  what follows was looked at by this command, with this user's rights")
    door.line()
    if not problems:
        if found.accounting is not None:
            view.accounting(door, found.accounting)
        view.rules(door, found.rules)
    _groups(door, found.checks, problems=problems)
    _beyond(door, found)
    if found.last_error:
        door.line(f"last error: {terminal_safe(found.last_error)}")
    _sum(door, found.checks)


def _groups(door: Door, checks: Sequence[Check], *, problems: bool) -> None:
    from yaat_core.checks.base import GROUPS

    for group, title in GROUPS.items():
        some = [
            one for one in checks if one.group == group and not (problems and one.level in ("ok", "skipped"))
        ]
        if not some:
            continue
        door.line(click.style(title, bold=True))
        for one in some:
            word = _WORDS[one.level]
            door.line(
                f"{mark(_MARKS[one.level])} {word:<7}  {terminal_safe(one.name)}: {terminal_safe(one.what)}"
            )
            if one.advice:
                door.line(f"             fix: {terminal_safe(one.advice)}")
        door.line()


def _beyond(door: Door, found: Diagnosis) -> None:
    """Health, as far as no check has said it already."""
    said = {one.component or one.name for one in found.checks}
    rest = [one for one in found.health.problems if one.component not in said]
    if rest or found.ok:
        view.problems(door, attrs.evolve(found.health, problems=rest))


def _sum(door: Door, checks: Sequence[Check]) -> None:
    counts = {level: sum(one.level == level for one in checks) for level in _WORDS}
    told = ", ".join(f"{count} {_WORDS[level]}" for level, count in counts.items() if count)
    door.line(f"{len(checks)} checks: {told}")
