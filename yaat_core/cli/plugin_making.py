"""`yaat plugins new` and `yaat plugins docs`."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from yaat_core.cli import completing
from yaat_core.cli.door import Door, command
from yaat_core.cli.marks import mark
from yaat_core.display import terminal_safe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yaat_core.manifest import Manifest


def _kinds(ctx: click.Context, param: click.Parameter, typed: str) -> list[CompletionItem]:
    from yaat_core.templating import KINDS

    return [CompletionItem(kind, help=about[0]) for kind, about in KINDS.items() if kind.startswith(typed)]


@command(
    "new",
    example="yaat plugins new source my-app\n"
    "yaat plugins new processor quiet --output ~/src --defaults\n"
    "yaat plugins new sink archive --one-file --output $YAAT_PLUGINS_DIR",
)
@click.argument("kind", required=False, shell_complete=_kinds)
@click.argument("name", required=False)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Folder that it is written into; here by default.",
)
@click.option("--one-file", is_flag=True, help="NAME.py for $YAAT_PLUGINS_DIR, instead of a package.")
@click.option("--license", "license_", metavar="SPDX", help="Licence of the package.  [default: MIT]")
@click.option("--defaults", is_flag=True, help="Ask nothing.")
@click.option("--dry-run", is_flag=True, help="Name the files; write nothing.")
@click.pass_obj
def new(
    door: Door,
    *,
    kind: str | None,
    name: str | None,
    output: Path,
    one_file: bool,
    license_: str | None,
    defaults: bool,
    dry_run: bool,
) -> None:
    """A new plugin from a template that works: KIND is source, processor or sink.

    Writes a package yaat-plugin-NAME with a config class, the component, a manifest, a README, and a contract test that
    passes. On a terminal it asks for what is not given. Nothing that is there is overwritten.
    """
    from yaat_core import templating

    asks = sys.stdin.isatty() and not defaults
    kind = kind or _asked(asks, "Kind (source, processor, sink)", "source", "KIND")
    name = name or _asked(asks, "Name (yaat-plugin-...)", "", "NAME")
    if asks and not one_file:
        one_file = not click.confirm("A package, with a test? (no: one file)", default=True, err=True)
    if asks and license_ is None and not one_file:
        license_ = click.prompt("Licence", default=templating.LICENSE, err=True)
    wanted = templating.Wanted(
        kind=kind.lower(),
        name=name.removeprefix("yaat-plugin-"),
        license=license_ or templating.LICENSE,
        one_file=one_file,
    )
    made = templating.files(wanted)
    if not dry_run:
        templating.write(made, output)
    steps = _next(wanted, output)
    document = {
        "kind": wanted.kind,
        "name": wanted.name,
        "type": wanted.type,
        "files": [str(output / one) for one in made],
        "next": steps,
        "dry_run": dry_run,
    }

    def human() -> None:
        for one in made:
            door.line(f"{mark('off' if dry_run else 'yes')} {terminal_safe(str(output / one))}")
        if dry_run:
            door.line("nothing was written (--dry-run)")
            return
        door.line("\nNext:")
        for step in steps:
            door.line(f"  {terminal_safe(step)}")

    door.result(document, human)


def _asked(asks: bool, question: str, default: str, what: str) -> str:
    from yaat_core.errors import UsageError

    if not asks:
        raise UsageError(f"{what} is missing", fix="yaat plugins new source my-app")
    return str(click.prompt(question, default=default or None, err=True)).strip()


def _next(wanted: object, output: Path) -> list[str]:
    from yaat_core.templating import Wanted

    assert isinstance(wanted, Wanted)
    if wanted.one_file:
        return [
            f"export YAAT_PLUGINS_DIR={shlex.quote(str(output))}",
            f"yaat plugins show {wanted.type}",
        ]
    folder = output / f"yaat-plugin-{wanted.name}"
    return [
        f"cd {shlex.quote(str(folder))}",
        "pip install -e '.[test]'",
        "pytest",
        f"yaat plugins show {wanted.name}",
    ]


@command("docs", example="yaat plugins docs file\nyaat plugins docs duckdb --json | jq -r .readme")
@click.argument("name", shell_complete=completing.plugins)
@click.pass_obj
def docs(door: Door, *, name: str) -> None:
    """The page of an installed plugin: its README, and its options as they are in the code."""
    from yaat_core import manifest
    from yaat_core.cli.plugins import find, loaded, option_lines
    from yaat_core.cli.setup import disabled

    one = find(manifest.discover(disabled(door)), name)
    text = _readme(one)
    state, options = loaded(one, door)

    def human() -> None:
        door.line(terminal_safe(text.rstrip("\n"), lines=True) if text else f"# {terminal_safe(one.label)}\n")
        if not text:
            door.line(terminal_safe(one.summary or "It brings no README; what follows is from its code."))
        if state.reason:
            door.line(f"\n{mark('error')} {state.state}: {terminal_safe(state.reason)}")
        for line in option_lines(_untold(options, text)):
            door.line(line)

    document = {"name": one.name, "distribution": one.distribution, "version": one.version}
    door.result({**document, "readme": text, "options": options}, human, long=True)


def _untold(options: Mapping[str, list[dict[str, Any]]], text: str) -> dict[str, list[dict[str, Any]]]:
    """The component types of which the page leaves an option out."""
    return {
        component: described
        for component, described in options.items()
        if any(f"`{option['name']}`" not in text for option in described)
    }


def _readme(one: Manifest) -> str:
    """The long description that the distribution was built with; empty when there is none."""
    import importlib.metadata

    try:
        described = importlib.metadata.metadata(one.distribution).json.get("description", "")
    except importlib.metadata.PackageNotFoundError:
        return ""  # a loose file
    return re.sub(r"<!--.*?-->\n?", "", described, flags=re.DOTALL) if isinstance(described, str) else ""
