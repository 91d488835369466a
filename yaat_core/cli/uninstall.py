"""`yaat uninstall`: everything goes, but what is asked to stay."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from yaat_core.cli import plans
from yaat_core.cli.asking import confirmed
from yaat_core.cli.door import Door, command
from yaat_core.cli.ending import AllClosed
from yaat_core.cli.marks import mark
from yaat_core.errors import UsageError

if TYPE_CHECKING:
    from yaat_core.service.facts import Facts
    from yaat_core.service.removing import Removal


@command(
    example="yaat uninstall --dry-run --purge-data\nsudo yaat uninstall --keep-data\n"
    "sudo yaat uninstall --purge-data --confirm $(hostname)"
)
@click.option(
    "--keep-data/--purge-data",
    "keep_data",
    default=None,
    help="Whether configuration and data stay, or go for good. Asked for when neither is given.",
)
@click.option("--confirm", metavar="HOSTNAME", help="This machine's name: does it without asking.")
@plans.dry_run
@click.pass_obj
def uninstall(door: Door, *, keep_data: bool | None, confirm: str | None, dry_run: bool) -> int:
    """Remove YAAT from this machine: service, user, program, and the data if you want.

    Lists what goes and what stays, then asks for the machine's name. The program goes where it has an environment of
    its own (uv tool, pipx, venv); else the command that removes it is shown.
    """
    from yaat_core.service import facts, removing
    from yaat_core.service.removal import removal

    now = facts.look()
    if keep_data is None:
        keep_data = dry_run or _asked(door)
    wanted = removal(now, door.config_file, everything=True, keep_data=keep_data)
    _not_in_use(now, wanted)
    plan = removing.plan(now, wanted)
    if not door.as_json:
        plans.show(door, plan)
    if not dry_run and plan.changes:
        _need_root(now)
        what = "Everything in the list above goes" + ("." if keep_data else ", the data for good.")
        confirmed(door, what, now.hostname, confirm)
        import msgspec.json  # noqa: F401 - while it is there: the program itself may be gone before the answer is written

        plans.carry_out(door, plan)
    did = not dry_run and bool(plan.changes)
    if door.as_json:
        door.document({"plan": plan.to_json(), "dry_run": dry_run, "changed": did, "keep_data": keep_data})
    elif did:
        door.line(f"{mark('yes')} removed")
    return AllClosed(0)


def _asked(door: Door) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("keep the data, or remove it for good?", fix="--keep-data or --purge-data")
    door.note("Configuration and data (queue, database, dead letters) can stay for a later install.")
    return click.confirm("Keep them?", default=True, err=True)


def _not_in_use(now: Facts, wanted: Removal) -> None:
    """Only the service is stopped; an agent that somebody started is not."""
    from yaat_core.control.lock import holder
    from yaat_core.errors import StateInUse

    if now.active or wanted.state_dir is None:
        return
    pid = holder(wanted.state_dir)
    if pid is not None:
        raise StateInUse(
            f"an agent runs on {wanted.state_dir} (pid {pid or 'unknown'}), and not as the service",
            where=str(wanted.state_dir),
            fix=f"stop it: kill {pid}" if pid else "stop it",
        )


def _need_root(now: Facts) -> None:
    from yaat_core.service.installing import NotRoot
    from yaat_core.service.removing import needs_root

    if not now.root and needs_root(now):
        raise NotRoot(
            "only root may remove the machine's service: nothing was done",
            fix=f"sudo {now.program.path} {' '.join(sys.argv[1:])}",
        )
