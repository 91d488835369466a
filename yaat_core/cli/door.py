"""What every command has in common: the options of ``docs/cli.md``, where its output goes, how its help looks.

    @command(example="yaat hello --json")
    @click.pass_obj
    def hello(door: Door) -> int | None:
        \"\"\"Say hello.\"\"\"
        door.result({"hello": "world"}, lambda: door.line("hello, world"))

A command returns its exit code (None: 0) and raises `YaatError` when it can't do what was asked.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import click

#: Options that every command has, as `Door` keeps them.
_COMMON: Final = ("config_file", "as_json", "color", "no_pager")


@attrs.define(kw_only=True)
class Door:
    """One run of a command: its common options, and the way to stdout and stderr."""

    config_file: Path | None = None
    as_json: bool = False
    color: str = "auto"
    pager: bool = True
    _paged: Any = attrs.field(default=None, init=False)

    # --- output ---

    def result(self, document: Any, human: Callable[[], None], *, long: bool = False) -> None:
        """The outcome: one JSON document with ``--json``, else what ``human`` prints; ``long``: on a terminal by pages."""
        if self.as_json:
            self.document(document)
        elif long and self.on_terminal:
            self._by_pages(human)
        else:
            human()

    def _by_pages(self, human: Callable[[], None]) -> None:
        from yaat_core.cli.paging import paged

        with paged(enabled=self.pager) as self._paged:
            try:
                human()
            finally:
                self._paged = None

    def document(self, document: Any) -> None:
        """One JSON document on stdout."""
        import msgspec

        data = msgspec.json.encode(document)
        click.echo((msgspec.json.format(data, indent=2) if self.on_terminal else data).decode())

    def line(self, text: str = "") -> None:
        """A line of the result; styles are taken out when colours are off. Data in it is `terminal_safe`."""
        colored = self.colored(sys.stdout)
        if self._paged is None:
            click.echo(text, color=colored)
        else:
            shown = text if colored else click.unstyle(text)
            self._paged.write(shown.encode(sys.stdout.encoding or "utf-8", "backslashreplace") + b"\n")

    def note(self, text: str) -> None:
        """A message to the person: stderr, so that it is never part of the result."""
        click.echo(text, err=True, color=self.colored(sys.stderr))

    @property
    def on_terminal(self) -> bool:
        """Whether a person reads stdout."""
        return sys.stdout.isatty()

    def colored(self, stream: Any) -> bool:
        """Whether colours may go to ``stream``: `--color`, NO_COLOR, FORCE_COLOR, TERM=dumb."""
        if self.color != "auto":
            return self.color == "always"
        if os.environ.get("NO_COLOR"):
            return False
        if os.environ.get("FORCE_COLOR"):
            return True
        return bool(stream.isatty()) and os.environ.get("TERM") != "dumb"


class DoorCommand(click.Command):
    """A click command with the common options; the function gets a `Door` from ``click.pass_obj``."""

    def __init__(self, *given: Any, example: str = "", **more: Any) -> None:
        super().__init__(*given, **more)
        self.example = example
        self.params.extend(common_options())

    def invoke(self, ctx: click.Context) -> Any:
        """Take the common options out of the parameters and run the function."""
        ctx.obj = _merged(ctx.find_object(Door), {name: ctx.params.pop(name) for name in _COMMON})
        return super().invoke(ctx)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, as they are written."""
        super().format_epilog(ctx, formatter)
        if self.example:
            with formatter.section("Examples"):
                for line in self.example.strip().splitlines():
                    formatter.write(f"{'':>{formatter.current_indent}}{line.strip()}\n")


class DoorGroup(click.Group):
    """A group of commands, such as `yaat queue`; a misspelt name is answered with the nearest."""

    command_class = DoorCommand

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with a guess."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            raise click.UsageError(_no_command(name, self.list_commands(ctx)), ctx)
        return super().resolve_command(ctx, args)


def command(
    name: str | None = None, *, example: str, kind: type[DoorCommand] = DoorCommand
) -> Callable[[Callable[..., Any]], DoorCommand]:
    """Make a function a command. Its docstring is the help, ``example`` lines come after it."""

    def make(function: Callable[..., Any]) -> DoorCommand:
        made = click.command(name, cls=kind, example=example)(function)
        assert isinstance(made, DoorCommand)
        return made

    return make


def common_options() -> list[click.Option]:
    """``-c``, ``--json``, ``--color`` and ``--no-pager``."""
    return [
        click.Option(
            ["-c", "--config", "config_file"],
            type=click.Path(path_type=Path, dir_okay=False),
            help="Configuration file.",
        ),
        click.Option(["--json", "as_json"], is_flag=True, help="One JSON document on stdout."),
        click.Option(
            ["--color", "color"],
            type=click.Choice(["auto", "always", "never"]),
            default=None,
            help="Colours; auto: on a terminal, unless NO_COLOR is set.",
        ),
        click.Option(
            ["--no-pager"], is_flag=True, help="Long output straight to the terminal, not through $PAGER."
        ),
    ]


def root_door(ctx: click.Context) -> Door:
    """The door of options given before the command's name."""
    return _merged(None, {name: ctx.params.pop(name) for name in _COMMON})


def _merged(before: Door | None, given: Mapping[str, Any]) -> Door:
    outer = before or Door()
    return Door(
        config_file=given["config_file"] or outer.config_file,
        as_json=given["as_json"] or outer.as_json,
        color=given["color"] or outer.color,
        pager=outer.pager and not given["no_pager"],
    )


def _no_command(name: str, known: list[str]) -> str:
    from yaat_core.display import terminal_safe
    from yaat_core.guessing import near

    found = near(name, known)
    guess = f" Did you mean {' or '.join(found)}?" if found else f" There are: {', '.join(known)}."
    return f"No such command {terminal_safe(name)!r}.{guess}"
