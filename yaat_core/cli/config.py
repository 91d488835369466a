"""`yaat config`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from yaat_core.cli.config_editing import COMMANDS
from yaat_core.cli.door import Door, DoorGroup, command
from yaat_core.cli.migrating import migrate
from yaat_core.display import terminal_safe

if TYPE_CHECKING:
    from yaat_core.config.nodes import Node


@click.group(cls=DoorGroup)
def config() -> None:
    """The configuration as a whole."""


@command("show", example="yaat config show\nyaat config show --effective --json\nyaat config show --running")
@click.option("--effective", is_flag=True, help="With every default filled in.")
@click.option("--running", is_flag=True, help="What the running agent has, instead of the file.")
@click.pass_obj
def show(door: Door, *, effective: bool, running: bool) -> None:
    """The configuration with the files that it includes, checked; secrets are masked."""
    shown = _of_agent(door) if running else _of_file(door, effective=effective)
    door.result(shown, lambda: _yaml(door, shown), long=True)


@command("schema", example="yaat config schema --json > yaat.schema.json")
@click.pass_obj
def schema(door: Door) -> None:
    """The JSON Schema of yaat.yaml with the plugins that are installed: for editors."""
    from yaat_core import config as configuration
    from yaat_core.cli.setup import disabled
    from yaat_core.plugins import load_plugins

    door.document(configuration.schema(load_plugins(disabled(door))))


for _one in (show, schema, migrate, *COMMANDS):
    config.add_command(_one)


def _of_agent(door: Door) -> dict[str, Any]:
    from yaat_core.actions.agent import CONFIG_SHOW
    from yaat_core.actions.base import Nothing
    from yaat_core.cli.setup import client

    with client(door) as agent:
        return dict(agent.call(CONFIG_SHOW, Nothing()).configuration)


def _of_file(door: Door, *, effective: bool) -> dict[str, Any]:
    from yaat_core import config as configuration
    from yaat_core.cli.setup import load
    from yaat_core.config.including import read

    loaded = load(door).configuration
    shown = configuration.show(loaded)
    if effective:
        return shown
    root = read(loaded.path).document.root if loaded.path else None
    only: dict[str, Any] = _written(shown, root) if root is not None else {}
    return only


def _written(shown: Any, node: Node) -> Any:
    """Of the effective values those that the file has."""
    from yaat_core.config.nodes import Items, Table

    if isinstance(node, Table) and isinstance(shown, dict):
        return {
            name: _written(shown[name], value) for name, (_, value) in node.entries.items() if name in shown
        }
    if isinstance(node, Items) and isinstance(shown, list) and len(node.nodes) == len(shown):
        return [_written(one, value) for one, value in zip(shown, node.nodes, strict=True)]
    return shown


def _yaml(door: Door, shown: dict[str, Any]) -> None:
    import io

    from ruamel.yaml import YAML

    text = io.StringIO()
    writer = YAML(typ="safe")
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.dump(shown, text)
    door.line(terminal_safe(text.getvalue().rstrip("\n"), lines=True))
