"""What a panel's screen is: the class that ``Panel.screen`` names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, TypeVar

from yaat_core.errors import PluginError
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Node

if TYPE_CHECKING:
    from yaat_core.actions.base import Action
    from yaat_core.panels import Panel
    from yaat_core.tui.shell import Shell

A = TypeVar("A")
R = TypeVar("R")


class Screen:
    """One screen. It is made when it is first opened, and kept.

    `layout` is called once. `update` is called while it shows, each ``Panel.refresh`` seconds and when something new came:
    it takes what it needs from ``shell.store`` into the widgets, quickly, and does not wait. What waits is done in `live`, a
    trio task that runs from the first opening on, and in keys whose ``run`` is a coroutine function.
    """

    #: Paragraphs for the help of the screen.
    help: str = ""

    def __init__(self, shell: Shell, panel: Panel) -> None:
        self.shell = shell
        self.panel = panel

    def layout(self) -> Node:
        """Where its widgets are."""
        raise NotImplementedError

    def keys(self) -> Sequence[Key]:
        """What keys do on this screen, whichever pane has the focus."""
        return ()

    def update(self) -> None:
        """Bring the widgets up to date; quickly."""

    async def live(self) -> None:
        """What goes on in the background; cancelled when the TUI ends."""

    def opened(self) -> None:
        """It was brought to the front."""

    def arrived(self, about: Any) -> None:
        """Another screen, or the palette, sent the user here: ``shell.go("queue", about="sinks.local")``."""

    def command_line(self) -> str:
        """The command line, without `yaat`, that shows what is shown: what ``Y`` copies."""
        return self.panel.command

    @property
    def showing(self) -> bool:
        """Is it in front?"""
        return self.shell.current is self

    @property
    def stale(self) -> bool:
        """Is what it shows not of now? Then it is drawn grey."""
        return False

    async def call(self, action: Action[A, R], given: A, *, tell: Callable[[str], None] | None = None) -> R:
        """Do an action that the panel declares; by the agent, or without one as the command line does.

        Raises:
            YaatError: as the action does; `PluginError` for an action that the panel does not declare; `ReadOnly` while
                the TUI is locked and the action changes something.
        """
        self._declared(action)
        return await self.shell.call(action, given, tell=tell)

    def follow(self, action: Action[A, R], given: A) -> AbstractAsyncContextManager[AsyncIterator[R]]:
        """The results of a live action as they come: ``async with self.follow(TAP, given) as stream: async for ...``.

        Raises:
            YaatError: as the action does, and when the agent goes; it takes a running agent.
        """
        self._declared(action)
        return self.shell.follow(action, given)

    def _declared(self, action: Action[Any, Any]) -> None:
        if action.name not in self.panel.actions:
            raise PluginError(
                f"the panel `{self.panel.name}` does not declare the action `{action.name}`",
                fix="name it in Panel(actions=...)",
            )
