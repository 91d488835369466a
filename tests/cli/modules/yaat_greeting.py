"""A command of a plugin, in a module of its own."""

import click

from yaat_core.cli.door import Door, command


@command(example="yaat greet")
@click.argument("name", default="you")
@click.pass_obj
def greet(door: Door, *, name: str) -> None:
    """Say hello."""
    door.result({"hello": name}, lambda: door.line(f"hello {name}"))
