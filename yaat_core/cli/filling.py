"""What a new component still needs, asked for on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from yaat_core.cli.door import Door
from yaat_core.display import terminal_safe
from yaat_core.errors import UsageError

if TYPE_CHECKING:
    from yaat_core.config.editing.types import OptionInfo


def fill_in(
    door: Door, kind: str, type: str | None, options: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any]]:
    """The type and the options. With a type that was given nothing is asked: what is missing is told by the check.

    Raises:
        UsageError: there is no type, and nobody to ask.
    """
    if type is not None:
        return type, options
    from yaat_core.actions.components import COMPONENTS_TYPES, TypesGiven
    from yaat_core.cli.editing import run
    from yaat_core.cli.values import value_of

    known = run(door, COMPONENTS_TYPES, TypesGiven(kind=kind)).types  # type: ignore[arg-type]
    names = [one.name for one in known]
    if not sys.stdin.isatty():
        raise UsageError(
            f"no type was given; there are: {', '.join(names)}", fix=f"--type {names[0] if names else 'TYPE'}"
        )
    for one in known:
        door.note(f"  {one.name:14} {terminal_safe(one.summary)}")
    chosen = click.prompt("Type", type=click.Choice(names), show_choices=False, err=True)
    found = next(one for one in known if one.name == chosen)
    filled = dict(options)
    for option in found.options:
        if option.required and option.name not in filled:
            filled[option.name] = value_of(_asked(door, option), option.name)
    return chosen, filled


def _asked(door: Door, option: OptionInfo) -> str:
    door.note(f"{option.name}: {terminal_safe(option.help)} ({option.words})")
    if option.example is not None:
        from yaat_core.config.editing.rendering import flow

        door.note(f"  such as {terminal_safe(flow(option.example))}")
    if option.reference or option.secret:
        door.note("  write where it is kept: ${env:NAME}, ${file:PATH} or ${secret:NAME}")
    answer: str = click.prompt(option.name, err=True)
    return answer
