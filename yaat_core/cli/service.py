"""`yaat service`: the agent as a systemd service."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from yaat_core.cli import plans, units
from yaat_core.cli import status as view
from yaat_core.cli.door import Door, DoorGroup
from yaat_core.cli.marks import mark
from yaat_core.display import terminal_safe

if TYPE_CHECKING:
    from yaat_core.errors import YaatError
    from yaat_core.service.configured import Configured
    from yaat_core.service.facts import Facts
    from yaat_core.service.plan import Plan, Step
    from yaat_core.service.state import UnitStatus
    from yaat_core.status import Status


@click.group(cls=DoorGroup)
def service() -> None:
    """The agent as a systemd service: install, start, stop, status, uninstall."""


@service.command(
    "install",
    example="yaat service install --dry-run\nsudo yaat service install\nsudo yaat service install -c /etc/yaat/yaat.yaml --yes",
)
@click.option(
    "--read-all-logs", is_flag=True, help="Let it read every file of this machine (CAP_DAC_READ_SEARCH)."
)
@click.option(
    "--docker", is_flag=True, help="Let it read containers: the group docker, which is as good as root."
)
@click.option(
    "--write",
    "writable",
    type=click.Path(path_type=Path, file_okay=False),
    multiple=True,
    metavar="FOLDER",
    help="Let it write this folder, too: a database outside of state_dir. May be repeated.",
)
@click.option("--replace", is_flag=True, help="Overwrite a unit that is not ours, or was edited by hand.")
@click.option("--no-start", is_flag=True, help="Install it and start it at boot, but not now.")
@plans.dry_run
@plans.yes
@click.pass_obj
def install(
    door: Door,
    *,
    read_all_logs: bool,
    docker: bool,
    writable: tuple[Path, ...],
    replace: bool,
    no_start: bool,
    dry_run: bool,
    yes: bool,
) -> int:
    """Install, or install anew: a user, a hardened unit, started now and at every boot.

    Uses -c FILE, else /etc/yaat/yaat.yaml, which is written when it is missing. What is so already stays as it is.
    """
    import attrs

    from yaat_core.service import configured, facts, installing, systemd

    systemd.need_systemd()
    now = facts.look()
    path = (door.config_file or installing.CONFIG).absolute()
    read: Configured | None = None
    if path.exists() or door.config_file:
        read = configured.read(path)
    wish = installing.Wish(
        config=path,
        read_all_logs=read_all_logs,
        docker=docker,
        writable=[folder.absolute() for folder in writable],
        replace=replace,
        start=not no_start,
    )
    if read is not None:
        wish = attrs.evolve(wish, state_dir=read.state_dir, grace=read.grace)
    plan = installing.plan(now, wish)
    if read is not None:
        plan = attrs.evolve(plan, notes=[*plan.notes, *read.notes])
    return _done(door, plan, now, dry_run=dry_run, yes=yes)


@service.command("start", example="sudo yaat service start")
@click.pass_obj
def start(door: Door) -> int:
    """Start it, and wait until it is ready."""
    return _switch(door, "start")


@service.command("stop", example="sudo yaat service stop")
@click.pass_obj
def stop(door: Door) -> int:
    """Stop it: what is on its way is delivered within shutdown_grace, or stays in the queue."""
    return _switch(door, "stop")


@service.command("status", example="yaat service status\nyaat service status --json | jq .unit.active")
@view.fail_on
@click.pass_obj
def status(door: Door, *, fail_on: str) -> int:
    """The unit and the agent's own health.

    Exit code 0 healthy, 1 a problem of the level of --fail-on, 3 it does not run or is not installed.
    """
    from yaat_core.service import facts, state, systemd

    systemd.need_systemd()
    now = facts.look()
    agent, read, why = _agent(now)
    unit = state.look(now, read.grace if read else None, read.state_dir if read else None)
    document = {"unit": unit, "agent": agent, "agent_error": why.to_json() if why else None}
    door.result(document, lambda: _show_status(door, unit, agent, why))
    if agent is None:
        return 3 if unit.active != "active" or why is None else why.exit_code
    levels = [*(one.level for one in unit.problems), *(one.level for one in agent.health.problems)]
    return view.exit_code(levels, fail_on)


@service.command("uninstall", example="yaat service uninstall --dry-run\nsudo yaat service uninstall --yes")
@plans.dry_run
@plans.yes
@click.pass_obj
def uninstall(door: Door, *, dry_run: bool, yes: bool) -> int:
    """Stop it and remove its unit and user; configuration, data and program stay.

    `yaat uninstall` removes these, too.
    """
    from yaat_core.service import facts, removing, systemd
    from yaat_core.service.removal import removal

    systemd.need_systemd()
    now = facts.look()
    plan = removing.plan(now, removal(now, door.config_file, everything=False, keep_data=True))
    return _done(door, plan, now, dry_run=dry_run, yes=yes)


def _done(door: Door, plan: Plan, now: Facts, *, dry_run: bool, yes: bool) -> int:
    """Show, ask, do."""
    if not door.as_json:
        plans.show(door, plan, texts=dry_run)
    if not dry_run and plan.changes:
        need_root(now)
        plans.agreed(door, plan, yes=yes)
        plans.carry_out(door, plan)
    did = not dry_run and bool(plan.changes)
    if door.as_json:
        door.document({"plan": plan.to_json(), "dry_run": dry_run, "changed": did})
    elif did:
        door.line(
            f"{mark('yes')} done" + ("; `yaat service status` shows it" if plan.action == "install" else "")
        )
    return 0


def _switch(door: Door, verb: str) -> int:
    from yaat_core.service import facts, steps, systemd, unit
    from yaat_core.service.plan import Plan, Step

    systemd.need_systemd()
    now = facts.look()
    if now.unit is None:
        from yaat_core.errors import UsageError

        raise UsageError("the service is not installed", fix="sudo yaat service install")
    done = now.active == (verb == "start")
    step = Step(kind="run", what=f"{verb} the service", command=("systemctl", verb, unit.NAME), done=done)
    before = [*_given_back(now)] if verb == "start" else []
    plan = Plan(action="start" if verb == "start" else "stop", steps=[*before, step])
    done = not plan.changes
    if not done:
        need_root(now)
        steps.carry_out(plan, lambda *_: None)
    word = "runs" if verb == "start" else "is stopped"
    door.result(
        {"unit": unit.NAME, "active": verb == "start", "changed": not done},
        lambda: door.line(f"{mark('yes')} the service {word}" + (" already" if done else "")),
    )
    return 0


def _given_back(now: Facts) -> Iterator[Step]:
    from yaat_core.errors import YaatError
    from yaat_core.service import configured, installing

    path = configured.installed(now)
    if path is not None and now.root and now.user is not None:
        with contextlib.suppress(YaatError):  # a wrong configuration is told when the service does not start
            yield from installing.give_back(configured.read(path).state_dir, now.user.uid)


def need_root(now: Facts) -> None:
    from yaat_core.service.installing import NotRoot

    if not now.root:
        raise NotRoot(
            "only root may change the machine's services: nothing was done",
            fix=f"sudo {now.program.path} {' '.join(sys.argv[1:])}",
        )


def _agent(now: Facts) -> tuple[Status | None, Configured | None, YaatError | None]:
    """What the agent says of itself, what its configuration says, or why neither can be had."""
    from yaat_core.actions.agent import STATUS
    from yaat_core.actions.base import Nothing
    from yaat_core.control.client import Client
    from yaat_core.errors import YaatError
    from yaat_core.service import configured

    path = configured.installed(now)
    if path is None:
        return None, None, None
    read = None
    try:
        if not os.access(path, os.R_OK):
            raise _not_for_you(path)
        read = configured.read(path)
        with Client(read.state_dir) as agent:
            return agent.call(STATUS, Nothing()), read, None
    except YaatError as error:
        return None, read, error


def _not_for_you(path: Path) -> YaatError:
    from yaat_core.errors import NotAllowed

    return NotAllowed(
        "this user may not talk to the service",
        where=str(path),
        cause="its configuration and its sockets are for root, the user yaat and the group yaat",
        fix="use sudo, or join the group to look: sudo usermod -aG yaat $USER, and log in again",
    )


def _show_status(door: Door, unit: UnitStatus, agent: Status | None, why: YaatError | None) -> None:
    if not unit.installed:
        door.line(f"{mark('off')} the service is not installed")
        door.line("  fix: sudo yaat service install")
        return
    kind = {"active": "ok", "failed": "error"}.get(unit.active, "off")
    facts = [unit.active, f"since {unit.since}" if unit.since and unit.active == "active" else ""]
    facts += [
        f"pid {unit.pid}" if unit.pid else "",
        "starts at boot" if unit.enabled else "does not start at boot",
    ]
    facts += [f"restarted {units.of(unit.restarts, 'time')}" if unit.restarts else ""]
    facts += [f"memory {units.size(unit.memory_bytes)}" if unit.memory_bytes else ""]
    door.line(f"{mark(kind)} service  {', '.join(filter(None, facts))}")
    door.line(
        f"  unit          {terminal_safe(unit.path or '')}" + ("" if unit.ours else "  (not written by yaat)")
    )
    door.line(f"  configuration {terminal_safe(unit.config_file or 'not known')}")
    for one in unit.problems:
        door.line(f"{mark(one.level)} {terminal_safe(one.what)}")
        door.line(f"  fix: {terminal_safe(one.advice)}")
    if agent is not None:
        door.line()
        view.show(door, agent)
    elif why is not None and unit.active == "active":
        door.line(f"{mark('error')} the agent did not answer: {terminal_safe(why.what)}")
        if why.fix:
            door.line(f"  fix: {terminal_safe(why.fix)}")
