"""Which panels there are, and their screens: made when first opened, each on its own when it fails."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import trio
from prompt_toolkit.layout.containers import AnyContainer, HSplit

from yaat_core.panels import KEYS, Panel
from yaat_core.tui.keys import bindings
from yaat_core.tui.layout import Node, Pane, share
from yaat_core.tui.screen import Screen
from yaat_core.tui.widgets.viewing import Viewer

if TYPE_CHECKING:
    from yaat_core.plugins import Plugins
    from yaat_core.tui.shell import Shell


@attrs.define(kw_only=True, eq=False)
class Opened:
    """A screen with its layout."""

    screen: Screen
    node: Node
    container: AnyContainer
    fresh: bool = True

    async def live(self) -> None:
        """The screen's background task; one that fails is told and not begun again."""
        await self.screen.live()


class Failed(Screen):
    """In place of a screen that could not be made."""

    def __init__(self, shell: Shell, panel: Panel, trace: str) -> None:
        super().__init__(shell, panel)
        self._trace = trace

    def layout(self) -> Node:
        """What went wrong."""
        text = f"The screen “{self.panel.title}” can't be shown; every other one works.\n\n{self._trace}"
        return Pane(Viewer(text), f"{self.panel.title}: failed")


class PanelList:
    """Every panel, in order. What a plugin's hook gives wrongly is in ``problems``."""

    def __init__(self, plugins: Plugins) -> None:
        self.problems: list[str] = []
        self.panels = self._found(plugins)
        self.tabs = self._tabs()
        self._opened: dict[str, Opened] = {}

    def _found(self, plugins: Plugins) -> Sequence[Panel]:
        from yaat_core.tui import core_panels

        manager = plugins.manager
        if not manager.is_registered(core_panels):
            manager.register(core_panels, name="core")
        found: dict[str, Panel] = {}
        everyone = [one.plugin for one in manager.hook.panels.get_hookimpls()]
        for plugin in sorted(everyone, key=lambda plugin: plugin is not core_panels):
            name = manager.get_name(plugin) or repr(plugin)
            alone = manager.subset_hook_caller("panels", [other for other in everyone if other is not plugin])
            try:
                given: list[object] = [panel for panels in alone() for panel in panels]
            except Exception as error:  # noqa: BLE001 - a broken plugin is named and isolated
                self.problems.append(f"{name}: panels() raised {type(error).__name__}: {error}")
                continue
            for panel in given:
                if not isinstance(panel, Panel):
                    self.problems.append(f"{name}: {panel!r} is no Panel")
                elif panel.name in found:
                    self.problems.append(f"{name}: there is a panel `{panel.name}` already")
                else:
                    found[panel.name] = panel
        return sorted(found.values(), key=lambda panel: (panel.order, panel.name))

    def _tabs(self) -> dict[str, Panel]:
        tabs: dict[str, Panel] = {}
        for panel in self.panels:
            if panel.key in KEYS:
                tabs.setdefault(panel.key, panel)
        return dict(sorted(tabs.items()))

    def find(self, name: str) -> Panel | None:
        """By its name."""
        return next((panel for panel in self.panels if panel.name == name), None)

    @property
    def menu(self) -> Sequence[Panel]:
        """Those without a tab."""
        return [panel for panel in self.panels if panel not in self.tabs.values()]

    def opened(self, screen: Screen | None) -> Opened | None:
        """The screen with its layout."""
        return self._opened.get(screen.panel.name) if screen else None

    def open(self, name: str, shell: Shell) -> Opened | None:
        """A panel's screen, made when it is not there yet; None: there is no such panel."""
        panel = self.find(name)
        if panel is None:
            return None
        if name not in self._opened:
            try:
                self._opened[name] = _made(_imported(panel)(shell, panel), shell)
            except (Exception, SystemExit):  # noqa: BLE001 - shown in its place
                trace = traceback.format_exc()
                self._opened[name] = _made(Failed(shell, panel, trace), shell)
        return self._opened[name]


def _imported(panel: Panel) -> Any:
    module, _, attribute = panel.screen.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _made(screen: Screen, shell: Shell) -> Opened:
    node = screen.layout()
    inner = node.container(shell, across=False)
    container = HSplit([inner], key_bindings=bindings(screen.keys(), shell), height=share())
    return Opened(screen=screen, node=node, container=container)


async def forever() -> None:
    """For a screen's `live` that only waits."""
    await trio.sleep_forever()
