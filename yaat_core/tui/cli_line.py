"""An action with its arguments as the command line that does the same: what ``Y`` copies and the palette shows."""

from __future__ import annotations

import shlex
from typing import Any

import attrs
import click

from yaat_core.actions.base import Action


def command_line(action: Action[Any, Any], given: Any = None, *, config: str = "") -> str:
    """``yaat dead show 5f0c2a``; empty when the action has no command.

    Arguments become what the click command calls them: its argument or option of the same name. What has its default
    is left out.
    """
    if not action.command:
        return ""
    words = ["yaat", *action.command.split()]
    if config:
        words += ["-c", config]
    command = _command(action.command)
    if command is not None and given is not None:
        words += _arguments(command, given)
    return shlex.join(words)


def _command(path: str) -> click.Command | None:
    from yaat_core.cli.main import cli

    found: click.Command | None = cli
    for name in path.split():
        if not isinstance(found, click.Group):
            return None
        found = found.get_command(click.Context(found), name)
    return found


def _arguments(command: click.Command, given: Any) -> list[str]:
    words: list[str] = []
    last: list[str] = []
    parameters = {parameter.name: parameter for parameter in command.params}
    for field in attrs.fields(type(given)):
        value = getattr(given, field.name)
        if value is None or value == field.default:
            continue
        parameter = parameters.get(field.name) or parameters.get(f"{field.name}_")
        if isinstance(parameter, click.Argument):
            last.append(str(value))
        elif isinstance(parameter, click.Option):
            option = max(parameter.opts, key=len)
            if parameter.is_flag:
                words += [option] if value else []
            else:
                words += [option, str(value)]
    return [*words, *last]
