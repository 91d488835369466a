"""Every command of the core tells how it is used."""

from __future__ import annotations

import click
import pytest
from support.commands import commands_of

from yaat_core.cli.door import DoorCommand
from yaat_core.cli.main import COMMANDS


@pytest.mark.parametrize(
    ("name", "command"),
    sorted(commands_of(COMMANDS)),
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_examples_and_json(name: str, command: click.Command) -> None:
    assert isinstance(command, DoorCommand), name
    options = {option for param in command.params for option in param.opts}
    assert {"--json", "--no-pager", "--color", "-c"} <= options
    lines = [line.strip() for line in command.example.strip().splitlines()]
    assert lines
    assert any(f"yaat {name}" in line for line in lines), lines
    with click.Context(command, info_name=f"yaat {name}") as ctx:
        assert "Examples:" in command.get_help(ctx)
