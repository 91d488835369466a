"""`yaat plugins`. Imports no plugin, except for `show`, which tells whether it loads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from yaat_core.cli import completing
from yaat_core.cli.door import Door, DoorGroup, command
from yaat_core.cli.marks import mark
from yaat_core.cli.plugin_making import docs, new
from yaat_core.cli.setup import disabled
from yaat_core.cli.table import table, terminal_width
from yaat_core.display import terminal_safe
from yaat_core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from yaat_core.manifest import Manifest
    from yaat_core.plugins import PluginState

_MARKS: Final = {"loaded": "yes", "disabled": "off", "not_selected": "off", "failed": "error"}


@click.group(cls=DoorGroup)
def plugins() -> None:
    """What is installed and what it offers."""


@command("list", example="yaat plugins list\nyaat plugins list --json")
@click.pass_obj
def list_(door: Door) -> int:
    """Every installed plugin, from its manifest. Exit code 1 when one is broken."""
    from yaat_core import manifest

    found = manifest.discover(disabled(door))

    def human() -> None:
        rows = [[one.name, one.version, _offers(one), _remark(one)] for one in found]
        lines = table(["plugin", "version", "offers", "summary"], rows, width=_width(door))
        door.line("  " + click.style(next(lines), bold=True))
        for one, line in zip(found, lines, strict=True):
            door.line(f"{mark(_kind(one))} {line}")

    door.result({"plugins": [_document(one) for one in found]}, human)
    return int(any(one.error for one in found))


@command("show", example="yaat plugins show file\nyaat plugins show duckdb --json")
@click.argument("name", shell_complete=completing.plugins)
@click.pass_obj
def show(door: Door, *, name: str) -> int:
    """One plugin: its component types with their options, its commands, and whether it loads.

    Exit code 1 when it does not; then with the traceback.
    """
    from yaat_core import manifest

    one = find(manifest.discover(disabled(door)), name)
    state, options = loaded(one, door)

    def human() -> None:
        door.line(f"{terminal_safe(one.label)}: {terminal_safe(one.summary)}")
        door.line(f"{mark(_MARKS[state.state])} {state.state}  {terminal_safe(state.reason)}".rstrip())
        if state.traceback:
            door.line(terminal_safe(state.traceback, lines=True))
        for line in option_lines(options):
            door.line(line)
        for command_name, (summary, _) in one.commands.items():
            door.line(f"\nyaat {command_name}: {terminal_safe(summary)}")

    about = {"state": state.state, "reason": state.reason, "traceback": state.traceback, "hooks": state.hooks}
    door.result({**_document(one), **about, "options": options}, human, long=True)
    return int(state.state == "failed")


for _one in (list_, show, new, docs):
    plugins.add_command(_one)


def option_lines(options: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    """A table of the options of each component type."""
    for component, described in options.items():
        yield f"\n{component}"
        rows = [[option["name"], option["default"], option["help"]] for option in described]
        for line in table(["option", "default", "meaning"], rows):
            yield "  " + line


def _offers(one: Manifest) -> str:
    kinds = [f"{kind}: {', '.join(names)}" for kind, names in one.components.items() if names]
    return "; ".join([*kinds, *(f"yaat {name}" for name in one.commands)])


def _remark(one: Manifest) -> str:
    return one.error or (one.summary if one.selection == "selected" else f"({one.selection}) {one.summary}")


def _kind(one: Manifest) -> str:
    return "error" if one.error else "yes" if one.selection == "selected" else "off"


def _width(door: Door) -> int | None:
    return terminal_width() - 4 if door.on_terminal else None


def _document(one: Manifest) -> dict[str, Any]:
    return {
        "name": one.name,
        "distribution": one.distribution,
        "version": one.version,
        "summary": one.summary,
        "components": one.components,
        "commands": {name: summary for name, (summary, _) in one.commands.items()},
        "selection": one.selection,
        "error": one.error,
    }


def find(found: Sequence[Manifest], name: str) -> Manifest:
    """The plugin of this name.

    Raises:
        UsageError: none is installed; names the nearest.
    """
    from yaat_core.manifest import normalized

    for one in found:
        if normalized(name) in (normalized(one.name), normalized(one.distribution)):
            return one
    from yaat_core.guessing import guess

    raise UsageError(
        f"no plugin `{name}` is installed", fix=guess(name, [one.name for one in found], "installed")
    )


def loaded(one: Manifest, door: Door) -> tuple[PluginState, dict[str, list[dict[str, Any]]]]:
    """What becomes of the plugin, and its options by `kind.type`; this imports all plugins."""
    import attrs

    from yaat_core.plugins import load_plugins

    everything = load_plugins(disabled(door))
    state = next(
        state
        for state in everything.states
        if (state.distribution, state.name) == (one.distribution, one.name)
    )
    options = {
        f"{kind}.{name}": [_option(field) for field in attrs.fields(known.config)]
        for (kind, name), known in sorted(everything.registry.types.items())
        if known.distribution == one.distribution
    }
    return state, options


def _option(field: Any) -> dict[str, Any]:
    import attrs

    required = field.default is attrs.NOTHING
    return {
        "name": field.name,
        "default": _default(field),
        "required": required,
        "help": field.metadata.get("help", ""),
    }


def _default(field: Any) -> str:
    import attrs

    if field.default is attrs.NOTHING:
        return "(required)"
    if isinstance(field.default, attrs.Factory):  # type: ignore[arg-type]
        return ""
    return "" if field.default is None else str(field.default)
