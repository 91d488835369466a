"""Before something is gone for good: a person types its name, a script gives it as ``--confirm``."""

from __future__ import annotations

import sys

import click

from yaat_core.cli.door import Door
from yaat_core.errors import UsageError


def confirmed(door: Door, what: str, name: str, given: str | None) -> None:
    """Returns when it was meant.

    Raises:
        UsageError: nobody can be asked and `--confirm` is missing or another name.
        click.Abort: the person did not type the name (exit 130).
    """
    if given is None and sys.stdin.isatty():
        door.note(what)
        given = click.prompt(f"Type {name} to go on", default="", show_default=False, err=True)
        if given != name:
            raise click.Abort
    if given is None:
        raise UsageError(f"{what} Nobody is here to ask.", fix=f"--confirm {name}")
    if given != name:
        raise UsageError(f"--confirm {given} does not match: nothing was done", fix=f"--confirm {name}")
