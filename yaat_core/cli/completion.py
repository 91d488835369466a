"""`yaat completion`."""

from __future__ import annotations

from typing import Final

import click

from yaat_core.cli.door import Door, command

#: How to install what is printed.
_INSTALL: Final = {
    "bash": "install: echo 'source <(yaat completion bash)' >> ~/.bashrc",
    "zsh": "install: echo 'source <(yaat completion zsh)' >> ~/.zshrc   (after compinit)",
    "fish": "install: yaat completion fish > ~/.config/fish/completions/yaat.fish",
}


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
    lines = kind(cli, {}, "yaat", "_YAAT_COMPLETE").source().lstrip().split("\n")
    lines.insert(1 if lines[0].startswith("#compdef") else 0, f"# {_INSTALL[shell]}")
    script = "\n".join(lines)
    door.result({"shell": shell, "script": script}, lambda: click.echo(script))
