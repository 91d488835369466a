"""`yaat plugins`. Imports no plugin, except for `show`, which tells whether it loads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from yaat_core.cli.door import Door, DoorGroup, command
from yaat_core.cli.marks import mark
from yaat_core.cli.table import table
from yaat_core.display import terminal_safe
from yaat_core.errors import UsageError

if TYPE_CHECKING:
    from yaat_core.manifest import Manifest


@click.group(cls=DoorGroup)
def plugins() -> None:
    """What is installed and what it offers."""


@command("list", example="yaat plugins list\nyaat plugins list --json")
@click.pass_obj
def list_(door: Door) -> int:
    """Every installed plugin. Exit code 1 when one is broken."""
    from yaat_core import manifest

    found = sorted(manifest.discover(), key=lambda one: one.name)

    def human() -> None:
        rows = [[one.name, one.version, _offers(one), one.error or one.summary] for one in found]
        lines = table(["plugin", "version", "offers", "summary"], rows)
        door.line("  " + click.style(next(lines), bold=True))
        for one, line in zip(found, lines, strict=True):
            door.line(f"{mark('error' if one.error else 'yes')} {line}")

    door.result({"plugins": [_document(one) for one in found]}, human)
    return int(any(one.error for one in found))


@command("show", example="yaat plugins show file\nyaat plugins show duckdb --json")
@click.argument("name")
@click.pass_obj
def show(door: Door, *, name: str) -> None:
    """One plugin: its component types with their options, and its commands."""
    from yaat_core import manifest

    found = {one.name: one for one in manifest.discover()}
    one = found.get(name.removeprefix("yaat-plugin-"))
    if one is None:
        raise UsageError(
            f"no plugin {name!r} is installed", fix=f"installed: {', '.join(sorted(found)) or 'none'}"
        )
    options = _options(one)

    def human() -> None:
        door.line(f"{terminal_safe(one.distribution)} {one.version}: {terminal_safe(one.summary)}")
        if one.error:
            door.line(f"{mark('error')} {terminal_safe(one.error)}")
        for component, described in options.items():
            door.line(f"\n{component}")
            rows = [[option["name"], option["default"], option["help"]] for option in described]
            for line in table(["option", "default", "meaning"], rows):
                door.line("  " + line)
        for command_name, (summary, _) in one.commands.items():
            door.line(f"\nyaat {command_name}: {terminal_safe(summary)}")

    door.result({**_document(one), "options": options}, human)


for _one in (list_, show):
    plugins.add_command(_one)


def _offers(one: Manifest) -> str:
    kinds = [f"{kind}: {', '.join(names)}" for kind, names in one.components.items() if names]
    return "; ".join([*kinds, *(f"yaat {name}" for name in one.commands)])


def _document(one: Manifest) -> dict[str, Any]:
    return {
        "name": one.name,
        "distribution": one.distribution,
        "version": one.version,
        "summary": one.summary,
        "components": one.components,
        "commands": {name: summary for name, (summary, _) in one.commands.items()},
        "error": one.error,
    }


def _options(one: Manifest) -> dict[str, list[dict[str, Any]]]:
    """Options by `kind.type`, from the config classes: this imports the plugin."""
    import attrs

    from yaat_core.plugins import load_plugins

    types = load_plugins().registry.types
    return {
        f"{kind}.{name}": [
            {
                "name": field.name,
                "default": _default(field),
                "required": field.default is attrs.NOTHING,
                "help": field.metadata.get("help", ""),
            }
            for field in attrs.fields(known.config)
        ]
        for (kind, name), known in sorted(types.items())
        if known.distribution == one.distribution
    }


def _default(field: Any) -> str:
    import attrs

    if field.default is attrs.NOTHING:
        return "(required)"
    if isinstance(field.default, attrs.Factory):  # type: ignore[arg-type]
        return ""
    return "" if field.default is None else str(field.default)
