"""The table of actions against what is made from it."""

from __future__ import annotations

import attrs
import click
import pytest

from yaat_core.actions import ACTIONS
from yaat_core.actions.base import Action, schema
from yaat_core.cli.main import COMMANDS, cli
from yaat_core.control.app import make_app

#: Actions without a command, and why.
WITHOUT_VERB = {
    "stats": "for screens; `/metrics` has the same numbers",
    "history": "for the curves of screens; `yaat top` shows what is now",
}


def command(path: str) -> click.Command | None:
    found: click.Command | None = cli
    for name in path.split():
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), name)
    return found


@pytest.mark.parametrize("action", ACTIONS.values(), ids=lambda action: action.name)
def test_each_action_has_a_route_schemas_and_a_verb(action: Action) -> None:
    routes = {route.path: route.methods for route in make_app(None, [action], None).routes}
    assert "POST" in routes[action.path]
    assert ("GET" in routes[action.path]) == action.looks
    assert attrs.has(action.arguments)
    for field in attrs.fields(action.arguments):
        shape = schema(action.arguments)["$defs"][action.arguments.__name__]["properties"][field.name]
        assert "description" in str(shape), f"{action.name}: {field.name} has no help"
    if not action.stream:
        assert schema(action.result)["$defs"][action.result.__name__]["description"]
    assert bool(action.command) != (action.name in WITHOUT_VERB)
    if action.command:
        assert isinstance(command(action.command), click.Command)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_the_summary_of_the_list_a_help_and_the_common_options(name: str) -> None:
    found = command(name)
    assert found is not None
    assert (found.help or "").partition("\n")[0] == COMMANDS[name][1]
    leaves = [found] if not isinstance(found, click.Group) else list(found.commands.values())
    for leaf in leaves:
        names = {option for parameter in leaf.params for option in parameter.opts}
        assert {"-c", "--config", "--json", "--color"} <= names, leaf.name
        assert leaf.help
        assert "yaat" in getattr(leaf, "example", ""), leaf.name
