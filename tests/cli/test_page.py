"""docs/cli.md against the commands: each is on the page, and each of its options there or on the page of its part."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from support.commands import commands_of

from yaat_core.cli.door import DoorCommand
from yaat_core.cli.main import cli
from yaat_core.cli.mounted import plugin_commands

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
MORE = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("plugins/*/README.md"))]
EVERYTHING = PAGE + "".join(path.read_text(encoding="utf-8") for path in MORE)
#: The same commands for each kind are written out once.
ALIKE = re.compile(r"^(processors|sinks) (?=list|add|edit|remove|test)")
#: Commands of test plugins are not ours.
OURS = [name for name in cli.list_commands(click.Context(cli)) if name != "hello"]


COMMANDS = dict(sorted(commands_of(OURS)))


@pytest.mark.parametrize("name", COMMANDS)
def test_it_is_on_the_page_with_its_options(name: str) -> None:
    shown = ALIKE.sub("sources ", name)
    assert f"yaat {shown}" in PAGE or f"`{shown}`" in PAGE
    for param in COMMANDS[name].params:
        for option in param.opts:
            if option.startswith("--"):
                assert re.search(rf"{re.escape(option)}(?![\w-])", EVERYTHING), option


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.split()[0] in plugin_commands()])
def test_commands_of_plugins_have_what_every_command_has(name: str) -> None:
    command = COMMANDS[name]
    assert isinstance(command, DoorCommand)
    assert f"yaat {name}" in command.example
    assert {"--json", "--color", "--no-pager", "--config"} <= {
        one for param in command.params for one in param.opts
    }
    assert command.help


def test_what_the_page_shows_exists() -> None:
    """Each command line in a block of the page begins with a command that there is, and has options that it has."""
    lines = [
        line.partition(" #")[0].partition(" | ")[0].strip()
        for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S)
        for line in block.splitlines()
    ]
    seen = 0
    for line in lines:
        words = line.removeprefix("sudo ").split()
        if words[:1] != ["yaat"] or len(words) < 2:
            continue
        command: click.Command = cli
        while isinstance(command, click.Group) and len(words) > 1 and not words[1].startswith("-"):
            found = command.get_command(click.Context(command), words.pop(1))
            assert found is not None, line
            command = found
        known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
        for word in words[1:]:
            option = word.partition("=")[0]
            assert not re.fullmatch(r"--[a-z][a-z-]*", option) or option in known, (line, option)
        seen += 1
    assert seen > 60
