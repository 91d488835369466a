"""`yaat config`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from yaat_core.cli.config_editing import COMMANDS
from yaat_core.cli.door import Door, DoorGroup, command
from yaat_core.cli.migrating import migrate
from yaat_core.display import terminal_safe
from yaat_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from yaat_core.config.nodes import Node
    from yaat_core.config.origins import Origin, Sourced


@click.group(cls=DoorGroup)
def config() -> None:
    """The configuration as a whole."""


@command(
    "show",
    example="yaat config show\nyaat config show --effective --json\nyaat config show --effective --origin\n"
    "yaat config show --running",
)
@click.option("--effective", is_flag=True, help="With every default filled in.")
@click.option(
    "--origin", is_flag=True, help="Each value with where it comes from: file and line, environment, default."
)
@click.option("--running", is_flag=True, help="What the running agent has, instead of the file.")
@click.pass_obj
def show(door: Door, *, effective: bool, origin: bool, running: bool) -> None:
    """The configuration with the files that it includes, checked; secrets are masked."""
    if origin:
        if running:
            raise UsageError(
                "--origin and --running can't both be given",
                fix="--running shows what the agent has; --origin looks at the files",
            )
        _origins(door, effective=effective)
        return
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


def _origins(door: Door, *, effective: bool) -> None:
    """Each value with where it comes from; without ``effective`` those that somebody wrote."""
    import os

    from yaat_core.cli.setup import load
    from yaat_core.config.origins import find_origin, origins

    setup = load(door)
    path = setup.configuration.path
    found = [one for one in origins(setup.configuration, setup.plugins) if effective or one.origin.line]
    chosen = find_origin(door.config_file, setup.configuration, os.environ)
    document = {"file": str(path) if path else None, "file_chosen_by": chosen, "values": found}
    door.result(document, lambda: _origin_lines(door, path, chosen, found), long=True)


def _origin_lines(door: Door, path: Path | None, chosen: str, found: Sequence[Sourced]) -> None:
    from yaat_core.cli.table import table
    from yaat_core.config.editing.rendering import flow

    words = {
        "flag": "named by -c",
        "environment": "named by YAAT_CONFIG",
        "search": "found by the search order",
    }
    file = f"{path}, {words[chosen]}" if path else "there is none: all defaults"
    door.line(f"file: {terminal_safe(file)}")
    door.line()
    lines = table(["key", "value", "from"], [[one.key, flow(one.value), _from(one.origin)] for one in found])
    door.line(click.style(next(lines), bold=True))
    for line in lines:
        door.line(line)


def _from(origin: Origin) -> str:
    place = f"{origin.file}:{origin.line}" if origin.line else ""
    if origin.kind in ("file", "default", "detected"):
        return place or origin.kind
    what = {"environment": "environment", "secret": "secret", "reference": "file"}[origin.kind]
    return f"{what} {origin.name}" + (f", {place}" if place else "")


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
