"""Whatever a screen does can be done from the command line and through the control API as well."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Final

import pytest

from yaat_core.actions import ACTIONS
from yaat_core.control.app import make_app
from yaat_core.panels import Panel
from yaat_core.plugins import load_plugins
from yaat_core.tui import cli_line
from yaat_core.tui.keys import Key
from yaat_core.tui.panelling import PanelList
from yaat_core.tui.screen import Screen

PANELS: Final = PanelList(load_plugins()).panels
#: Keys that only change what their own screen shows, or go to another one.
ONLY_LOOKING: Final = {
    *("live.level", "live.trace", "live.clear", "components.load", "plugins.broken", "config.open", "config.load"),
    *("explore.edit", "explore.new", "explore.questions", "explore.history", "explore.history-back"),
    *("metrics.by", "metrics.how", "metrics.time", "metrics.zoom-in", "metrics.zoom-out"),
    *("metrics.earlier", "metrics.later", "metrics.now"),
    *("setup.next", "setup.back", "settings.next", "uninstall.keep"),
}  # fmt: skip
#: Keys without a command, and why.
WITHOUT: Final = {"settings.save": "how the TUI itself looks is its own business, in a file of its own"}


def keys() -> Iterator[tuple[Panel, Key]]:
    for panel in PANELS:
        module, _, name = panel.screen.partition(":")
        screen: Screen = getattr(importlib.import_module(module), name)(SimpleNamespace(), panel)
        yield from ((panel, key) for key in type(screen).keys(screen))


@pytest.mark.parametrize("name", sorted({name for panel in PANELS for name in panel.actions}))
def test_what_a_panel_does_has_a_command_and_a_route(name: str) -> None:
    action = ACTIONS[name]
    assert cli_line._command(action.command) is not None, f"`yaat {action.command}` is no command"
    routes = {route.path for route in make_app(None, [action], None).routes}  # type: ignore[arg-type]
    assert action.path in routes


@pytest.mark.parametrize(("panel", "key"), list(keys()), ids=lambda one: one.name)
def test_what_a_key_does_has_a_command(panel: Panel, key: Key) -> None:
    if key.name in ONLY_LOOKING | WITHOUT.keys():
        assert not key.changes
        assert not key.command
        return
    assert key.command, f"`{key.name}` of {panel.name} names no command"
    assert command_of(key.command), f"`yaat {key.command}` is no command"


@pytest.mark.parametrize("panel", PANELS, ids=lambda one: one.name)
def test_what_a_screen_shows_has_a_command(panel: Panel) -> None:
    if panel.name != "settings":
        assert panel.command
        assert command_of(panel.command), f"`yaat {panel.command}` is no command"


def command_of(line: str) -> bool:
    """Do the words of a line begin with a command?"""
    words = line.split()
    return any(cli_line._command(" ".join(words[:count])) is not None for count in range(len(words), 0, -1))
