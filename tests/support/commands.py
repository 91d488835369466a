"""Every command of `yaat` that does something, by its words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import click

from yaat_core.cli.main import cli


def commands_of(names: Iterable[str]) -> Iterator[tuple[str, click.Command]]:
    """Those below the commands of these names: ``queue list``."""
    ctx = click.Context(cli)
    waiting = [(name, cli.get_command(ctx, name)) for name in names]
    while waiting:
        name, command = waiting.pop()
        assert command is not None, name
        if isinstance(command, click.Group):
            waiting += [
                (f"{name} {part}", command.get_command(ctx, part)) for part in command.list_commands(ctx)
            ]
        else:
            yield name, command
