"""`yaat flare`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from yaat_core.cli import units
from yaat_core.cli.door import Door, command
from yaat_core.cli.marks import mark
from yaat_core.cli.table import table
from yaat_core.display import terminal_safe

if TYPE_CHECKING:
    from yaat_core.flare.model import Flare


@command(example="yaat flare\nyaat flare --dry-run\nyaat flare --yes --output support.tar.gz")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The archive to write; a new file. Default: yaat-flare-HOST-TIME.tar.gz here.",
)
@click.option("--dry-run", is_flag=True, help="Show what would go in; write nothing.")
@click.option("--yes", is_flag=True, help="Write it without asking.")
@click.pass_obj
def flare(door: Door, *, output: Path | None, dry_run: bool, yes: bool) -> int:
    """A redacted support bundle: shows what goes in, asks, and writes one archive for you alone.

    Nothing is sent anywhere. Secrets of the configuration and of the environment, and what the redaction plugin finds, are
    taken out; what can't be scanned is left out. Names of hosts, files and users stay.
    """
    from yaat_core.errors import UsageError
    from yaat_core.flare.packing import pack

    if not (yes or dry_run or sys.stdin.isatty()):
        raise UsageError("nobody is here to ask", fix="--yes to write it, --dry-run to see what would go in")
    made = _made(door)
    path = output or _default()
    if not door.as_json:
        _show(door, made)
    if not (yes or dry_run or click.confirm(f"Write {path}?", default=False, err=True)):
        door.note("nothing was written")
        return 130
    size = None if dry_run else pack(made, path)
    document = {
        "files": [
            {"name": one.name, "why": one.why, "bytes": one.bytes, "redacted": one.redacted}
            for one in made.files
        ],
        "left_out": made.left_out,
        "scanned": made.scanned,
        "written": None if dry_run else str(path),
        "bytes": size,
    }
    door.result(document, lambda: _told(door, path, size))
    return 0


def _made(door: Door) -> Flare:
    """By the agent, else here; with a configuration that can't be read, what can be told without one."""
    from yaat_core.actions.base import Nothing
    from yaat_core.actions.flare import FLARE_WRITE
    from yaat_core.cli.doing import do
    from yaat_core.cli.progress import waiting
    from yaat_core.config.problems import ConfigError

    try:
        with waiting(door, "gathering and redacting what goes in"):
            return do(door, FLARE_WRITE, Nothing(), long=120.0)
    except ConfigError as error:
        from yaat_core.cli.outside import without_configuration

        door.note(
            "the configuration can't be used, so the bundle holds little more than what is wrong with it"
        )
        return without_configuration(error)


def _show(door: Door, made: Flare) -> None:
    rows = [
        [
            one.name,
            units.size(one.bytes),
            one.why,
            ", ".join(f"{kind}: {n}" for kind, n in one.redacted.items()),
        ]
        for one in made.files
    ]
    for line in table(["file", "size", "why", "redacted"], rows):
        door.line(line)
    for out in made.left_out:
        door.line(f"{mark('off')} left out: {out.name}: {terminal_safe(out.why)}")
    if not made.scanned:
        door.line(
            f"{mark('warn')} no redaction plugin is installed: texts that can't be scanned are left out"
        )
    door.line()


def _told(door: Door, path: Path, size: int | None) -> None:
    if size is None:
        door.line("nothing was written (--dry-run)")
    else:
        door.line(
            f"{mark('yes')} wrote {terminal_safe(str(path))}, {units.size(size)}, readable by you alone"
        )
        door.line("  look into it before you give it away: tar -xzOf FILE | less")


def _default() -> Path:
    import re
    import socket
    from datetime import UTC, datetime

    host = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname()) or "host"
    return Path(f"yaat-flare-{host}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.tar.gz")
