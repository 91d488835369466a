"""`yaat tui`, and `yaat` alone on a terminal."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from yaat_core.cli.door import Door, command
from yaat_core.errors import UsageError, YaatError

if TYPE_CHECKING:
    from yaat_core.cli.setup import Setup
    from yaat_core.plugins import Plugins

#: The screen of the first start.
SETUP: Final = "setup"


@command("tui", example="yaat\nyaat tui --screen queue\nyaat tui --read-only --theme light")
@click.option("--screen", default="", help="Screen to begin with, by its name: queue, plugins.")
@click.option("--read-only", is_flag=True, help="Refuse everything that changes something (R unlocks).")
@click.option("--theme", type=click.Choice(["dark", "light", "contrast", "plain"]), help="Colours.")
@click.option("--refresh", type=click.FloatRange(0.1, 60), help="Seconds between two redraws.")
@click.pass_obj
def tui(door: Door, *, screen: str, read_only: bool, theme: str | None, refresh: float | None) -> int:
    """The full-screen view of a running agent, or of what is stored."""
    return run(door, screen=screen, read_only=read_only, theme=theme, refresh=refresh)


def possible() -> bool:
    """Is there a terminal, and is the TUI installed?"""
    return (
        sys.stdin.isatty()
        and sys.stdout.isatty()
        and os.environ.get("TERM", "dumb") != "dumb"
        and importlib.util.find_spec("prompt_toolkit") is not None
    )


def run(
    door: Door,
    *,
    screen: str = "",
    read_only: bool = False,
    theme: str | None = None,
    refresh: float | None = None,
) -> int:
    """Show it until the user leaves.

    Raises:
        UsageError: there is no terminal, or the TUI is not installed.
    """
    if importlib.util.find_spec("prompt_toolkit") is None:
        raise UsageError(
            "the TUI is not installed", fix="pip install 'yaat-core[tui]'; `yaat --help` lists the commands"
        )
    if not possible():
        raise UsageError(
            "the TUI needs a terminal for input and output",
            fix="`yaat status` and the other commands do the same without one; set TERM if it is unset",
        )
    from yaat_core.tui import guest, settings
    from yaat_core.tui.shell import Shell

    liked = settings.load(settings.place())
    if theme:
        liked.theme = theme  # type: ignore[assignment]
    if refresh:
        liked.refresh = refresh
    plugins, setup, problem = _loaded(door, new=screen == SETUP)
    if not screen and _is_first_start(setup):
        screen = SETUP
    shell = Shell(
        plugins=plugins,
        setup=setup,
        setup_error=problem,
        settings=liked,
        read_only=read_only,
        config_option=str(door.config_file or ""),
    )
    if screen and shell.panels.find(screen) is None:
        names = ", ".join(panel.name for panel in shell.panels.panels)
        raise UsageError(f"there is no screen {screen!r}", fix=f"screens: {names}")
    return guest.run(shell, screen=screen)


def _is_first_start(setup: Setup | None) -> bool:
    """Is there no configuration, and no agent that runs without one?"""
    from yaat_core.control.lock import holder

    if setup is None or setup.configuration.path is not None:
        return False
    try:
        return holder(setup.configuration.state_dir) is None
    except OSError:
        return False


def _loaded(door: Door, *, new: bool) -> tuple[Plugins, Setup | None, YaatError | None]:
    """Plugins and configuration; one with errors is told inside, since the TUI can mend it. ``new``: it may be missing."""
    from yaat_core import config
    from yaat_core.cli.setup import Setup
    from yaat_core.plugins import load_plugins

    named = door.config_file or os.environ.get("YAAT_CONFIG")
    missing = new and named and not Path(named).expanduser().exists()
    path = None if missing else config.find_config(door.config_file)
    plugins = load_plugins(config.disabled_in(path))
    try:
        return plugins, Setup(config.load(path, plugins), plugins), None
    except YaatError as error:
        return plugins, None, error
