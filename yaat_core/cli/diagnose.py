"""`yaat diagnose`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from yaat_core.cli import status as view
from yaat_core.cli import units
from yaat_core.cli.door import Door, command
from yaat_core.cli.marks import STATES, mark
from yaat_core.display import terminal_safe

if TYPE_CHECKING:
    from yaat_core.cli.setup import Setup
    from yaat_core.diagnosis import Diagnosis
    from yaat_core.errors import AgentNotRunning


@command(example="yaat diagnose\nyaat diagnose --json | jq .accounting")
@view.fail_on
@click.pass_obj
def diagnose(door: Door, *, fail_on: str) -> int:
    """What is wrong and what to do about it, with the accounting of every event.

    Without a running agent it checks what can be checked from outside, reads the accounting from the queue, and
    ends with exit code 3.
    """
    from yaat_core.actions.agent import DIAGNOSE
    from yaat_core.actions.base import Nothing
    from yaat_core.cli.setup import client, load
    from yaat_core.errors import AgentNotRunning

    try:
        with client(door) as agent:
            found = agent.call(DIAGNOSE, Nothing())
    except AgentNotRunning as error:
        found = _from_outside(load(door), error)
    door.result(found, lambda: _show(door, found))
    if not found.running:
        return 3
    levels = [problem.level for problem in found.health.problems]
    return view.exit_code([*levels, *(check.level for check in found.checks)], fail_on)


def _from_outside(setup: Setup, error: AgentNotRunning) -> Diagnosis:
    """Components as `yaat validate` sees them, the accounting that the queue holds, and the disk."""
    from datetime import UTC, datetime

    from yaat_core import __version__
    from yaat_core.cli.checking import check
    from yaat_core.cli.offline import account
    from yaat_core.diagnosis import Check, Diagnosis, disk_space
    from yaat_core.errors import AgentNotRunning, YaatError
    from yaat_core.status import Health, Problem

    whole = setup.configuration
    checks = [
        Check(
            name=one.component,
            level="error" if not one.ok else "warn" if one.findings else "ok",
            what="; ".join(finding.problem for finding in one.findings) or f"{one.type}, {one.stage}",
            advice="; ".join(finding.advice for finding in one.findings if finding.advice),
        )
        for one in check(setup, offline=False)
    ]
    accounting = figures = None
    if whole.state_dir.exists():
        checks.append(disk_space(str(whole.state_dir)))
        try:
            accounting, figures = account(setup)
        except AgentNotRunning:
            pass  # no agent ever ran here: there is nothing to account for
        except YaatError as refusal:
            checks.append(Check(name="queue", level="error", what=refusal.what, advice=refusal.fix))
    since = datetime.now(UTC).isoformat(timespec="seconds")
    problem = Problem(component="agent", since=since, what=error.what, advice=error.fix)
    return Diagnosis(
        version=__version__,
        running=False,
        ok=False,
        health=Health(ok=False, problems=[problem]),
        checks=checks,
        accounting=accounting,
        queue=figures,
        state_dir=str(whole.state_dir),
        config_file=str(whole.path) if whole.path else None,
    )


def _show(door: Door, found: Diagnosis) -> None:
    state = found.state or "no agent is running"
    up = f", up {units.duration(found.uptime_seconds)}" if found.uptime_seconds is not None else ""
    kind = STATES[found.state] if found.state else "error"
    door.line(f"{mark(kind)} {state}  yaat {found.version}{up}, state {terminal_safe(found.state_dir)}")
    door.line()
    if found.accounting is not None:
        view.accounting(door, found.accounting)
    view.rules(door, found.rules)
    for check in found.checks:
        kind = "yes" if check.level == "ok" else check.level
        door.line(f"{mark(kind)} {terminal_safe(check.name)}: {terminal_safe(check.what)}")
        if check.advice:
            door.line(f"    fix: {terminal_safe(check.advice)}")
    door.line()
    view.problems(door, found.health)
    if found.last_error:
        door.line(f"last error: {terminal_safe(found.last_error)}")
