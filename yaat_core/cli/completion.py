"""`yaat completion`."""

from __future__ import annotations

import click

from yaat_core.cli.door import Door, command


@command(
    example="source <(yaat completion bash)\nyaat completion fish > ~/.config/fish/completions/yaat.fish"
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_obj
def completion(door: Door, *, shell: str) -> None:
    """Print a shell's completion script for yaat."""
    from click.shell_completion import get_completion_class

    from yaat_core.cli.main import cli

    kind = get_completion_class(shell)
    assert kind is not None, shell
    script = kind(cli, {}, "yaat", "_YAAT_COMPLETE").source()
    door.result({"shell": shell, "script": script}, lambda: click.echo(script))
