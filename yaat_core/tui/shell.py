"""The shell: what panels are told. It holds the screens, asks, notifies, calls the agent, and knows what the user likes.

Keys are read and lines drawn on asyncio; what waits runs in trio, on the same thread. `Shell.run` starts work from either
side, `Shell.changed` asks for a redraw from either side.
"""

from __future__ import annotations

import collections
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs
import trio

from yaat_core.control.async_client import AsyncClient
from yaat_core.errors import AgentNotRunning, YaatError
from yaat_core.tui import configuring, dialogs, themes
from yaat_core.tui.keys import Key, is_async
from yaat_core.tui.panelling import Opened, PanelList
from yaat_core.tui.screen import Screen
from yaat_core.tui.settings import Settings
from yaat_core.tui.store import Store
from yaat_core.tui.widgets.fields import Field

if TYPE_CHECKING:
    from prompt_toolkit.application import Application
    from prompt_toolkit.styles import BaseStyle

    from yaat_core.actions.base import Action
    from yaat_core.cli.setup import Setup
    from yaat_core.plugins import Plugins
    from yaat_core.tui.widgets.base import Widget
    from yaat_core.tui.widgets.fields import FieldSpec

A = TypeVar("A")
R = TypeVar("R")

#: Seconds that a notification shows, and one that can be undone.
_SHOWN: Final = 5.0
_UNDOABLE: Final = 10.0
#: Seconds that an action may take.
_PATIENCE: Final = 3600.0
_KEPT: Final = 50


class ReadOnly(YaatError):
    """The TUI is locked against changes."""

    code = "YAAT-E791"
    exit_code = 4


@attrs.frozen(kw_only=True)
class Toast:
    """A notification."""

    text: str
    error: bool
    until: float
    undo: Callable[[], Awaitable[object]] | None = None


class Shell:
    """Made once. Panels use what has a docstring here; ``docs/tui-panels.md`` tells how."""

    def __init__(
        self,
        *,
        plugins: Plugins,
        setup: Setup | None,
        setup_error: YaatError | None = None,
        settings: Settings | None = None,
        read_only: bool = False,
        config_option: str = "",
    ) -> None:
        self.plugins = plugins
        self.setup = setup
        self.setup_error = setup_error
        """Why there is no checked configuration."""
        self.settings = settings or Settings()
        self.read_only = read_only
        self.config_option = config_option
        """``-c FILE`` as it was given: part of what `Y` copies."""
        self.store = Store()
        self.link = AsyncClient(setup.configuration.state_dir) if setup else None
        """The line to the agent; None when the configuration has errors."""
        self.panels = PanelList(plugins)
        self.app: Application[Any]
        self.nursery: trio.Nursery
        self.token: trio.lowlevel.TrioToken
        self.current: Screen | None = None
        self.zoomed: Widget | None = None
        self.dialogs: list[dialogs.Dialog] = []
        self.toasts: collections.deque[Toast] = collections.deque(maxlen=_KEPT)
        self.child: Any = None
        """The agent that ends with the TUI."""
        self.searching: Widget | None = None
        self.search_line: Field | None = None
        self._back: list[str] = []
        self._forward: list[str] = []
        self._scopes: list[trio.CancelScope] = []
        self.glyphs = themes.glyphs_for(self.settings.glyphs)
        self.dirty = True

    # --- how it looks

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal."""
        size = self.app.output.get_size()
        return size.columns, size.rows

    @property
    def style(self) -> BaseStyle:
        """Of the theme; without colours where the terminal or the user wants none."""
        return themes.style_of("plain" if themes.without_colour() else self.settings.theme)

    @property
    def overrides(self) -> Mapping[str, Sequence[str]]:
        """The user's keys."""
        return self.settings.keys

    def changed(self) -> None:
        """Something to show changed: it is drawn within a tenth of a second."""
        self.dirty = True

    # --- going about

    def go(self, name: str, about: Any = None) -> None:
        """Open a panel's screen; ``about`` is handed to its `Screen.arrived`."""
        before = self.current
        opened = self.panels.open(name, self)
        if opened is None:
            self.notify(f"there is no screen `{name}`", error=True)
            return
        if before is not None and before is not opened.screen:
            self._back = [*self._back[-_KEPT:], before.panel.name]
            self._forward.clear()
        self._show(opened)
        if about is not None:
            self.run(lambda: opened.screen.arrived(about))

    def _show(self, opened: Opened) -> None:
        self.current, self.zoomed = opened.screen, None
        if opened.fresh:
            opened.fresh = False
            self.post(self.nursery.start_soon, self._background, opened.live)
        self.run(opened.screen.opened)
        self.refresh()
        self.focus_something()
        self.changed()

    def back(self, *, forward: bool = False) -> bool:
        """To the screen before; False when there was none."""
        take, give = (self._forward, self._back) if forward else (self._back, self._forward)
        if not take or self.current is None:
            return False
        give.append(self.current.panel.name)
        opened = self.panels.open(take.pop(), self)
        if opened is not None:
            self._show(opened)
        return True

    def refresh(self) -> None:
        """Let the screen in front take what is new."""
        if self.current is not None:
            self.run(self.current.update)

    def focus_something(self, *, no_text: bool = False) -> None:
        """Give the focus to the first pane of the screen, ``no_text``: to the first in which letters are keys."""
        opened = self.panels.opened(self.current)
        if opened is None or self.dialogs:
            return
        for pane in opened.node.panes():
            if (
                pane.widget.focusable
                and pane.shows(self)
                and not (no_text and isinstance(pane.widget, Field))
            ):
                self.focus(pane.widget)
                return

    def focus(self, widget: Widget) -> None:
        """Give it the focus."""
        try:
            self.app.layout.focus(widget.container())
        except ValueError:  # it is not in what shows
            return

    def focused(self) -> Widget | None:
        """The widget that has the focus."""
        return getattr(self.app.layout.current_control, "widget", None)

    def editing(self) -> bool:
        """Has a text field the focus? Then keys that are text are its own."""
        from prompt_toolkit.layout.controls import BufferControl

        return isinstance(self.app.layout.current_control, BufferControl)

    def in_dialog(self) -> bool:
        """Is a dialog open?"""
        return bool(self.dialogs)

    # --- asking and telling

    async def ask(self, dialog: dialogs.Dialog) -> Any:
        """Show a dialog and wait for its answer; None: it was left."""
        self.show(dialog)
        await dialog.done.wait()
        return dialog.result

    def show(self, dialog: dialogs.Dialog) -> None:
        """Show a dialog at once, so that what is typed next goes into it; `Dialog.then` gets the answer."""
        dialog.before = self.app.layout.current_window
        container = dialog.container(self)
        self.dialogs.append(dialog)
        self.app.layout.update_parents_relations()
        first = dialog.first or next(pane.widget for pane in dialog.panes() if pane.widget.focusable)
        if hasattr(first, "inputs"):
            first = next(iter(first.inputs.values()))
        self.app.layout.focus(first.container() if first else container)
        self.app.invalidate()

    def close(self, dialog: dialogs.Dialog) -> None:
        """End a dialog; the focus goes back to where it was."""
        if dialog in self.dialogs:
            self.dialogs.remove(dialog)
            self.app.layout.update_parents_relations()
            if dialog.before is not None:
                try:
                    self.app.layout.focus(dialog.before)
                except ValueError:
                    self.focus_something()
            self.post(dialog.done.set)
            if dialog.then is not None and dialog.result is not None:
                answer, then = dialog.result, dialog.then
                self.run(lambda: then(answer))
            self.app.invalidate()

    async def confirm(
        self, title: str, lines: Sequence[str], *, yes: str = "Yes", word: str = "", count: str = ""
    ) -> bool:
        """Ask before something happens: list what it happens to. ``word`` must be typed, for what can't be had back."""
        return await dialogs.confirm(self, title, lines, yes=yes, word=word, count=count)

    async def choose(self, title: str, text: str, options: Sequence[tuple[str, str]]) -> int | None:
        """Let one of ``options`` (name, meaning) be chosen; None: none."""
        return await dialogs.choose(self, title, text, options)

    async def fill_in(
        self, title: str, fields: Sequence[FieldSpec], *, yes: str = "OK", text: str = ""
    ) -> dict[str, str] | None:
        """A form in a dialog: what was typed by field, None when it was left."""
        return await dialogs.fill_in(self, title, fields, yes=yes, text=text)

    async def message(self, title: str, text: str) -> None:
        """Something to read in a dialog."""
        await dialogs.message(self, title, text)

    def notify(
        self, text: str, *, error: bool = False, undo: Callable[[], Awaitable[object]] | None = None
    ) -> None:
        """A line that shows for some seconds; with ``undo``, ``u`` does that meanwhile."""
        seconds = _UNDOABLE if undo or error else _SHOWN
        self.toasts.append(Toast(text=text, error=error, until=time.monotonic() + seconds, undo=undo))
        self.changed()

    def toast(self) -> Toast | None:
        """The notification that shows now."""
        last = self.toasts[-1] if self.toasts else None
        return last if last and last.until > time.monotonic() else None

    def undo(self) -> None:
        """Undo what the notification tells of."""
        last = self.toast()
        if last is None or last.undo is None:
            self.notify("there is nothing to undo")
            return
        self.toasts.pop()
        self.run_async(last.undo)

    # --- doing

    async def call(self, action: Action[A, R], given: A, *, tell: Callable[[str], None] | None = None) -> R:
        """Do an action: by the agent, or without one in this process, as the command line does.

        Raises:
            YaatError: as the action does; `ReadOnly`; `AgentNotRunning` when it takes a running agent.
        """
        if self.read_only and not action.looks:
            raise ReadOnly(
                f"`{action.name}` changes something, and this TUI is locked",
                fix="press R to unlock it, or start `yaat` without --read-only",
            )
        if configuring.concerns(action):
            work = partial(configuring.run, self, action, given)
            return await trio.to_thread.run_sync(work, abandon_on_cancel=True)
        if self.link is None or self.setup is None:
            assert self.setup_error is not None
            raise self.setup_error
        try:
            return await self.link.call(action, given, patience=_PATIENCE)
        except AgentNotRunning:
            from yaat_core.cli import offline

            setup, say = self.setup, tell or self.notify
            return await trio.to_thread.run_sync(
                offline.call, setup, action, given, say, abandon_on_cancel=True
            )

    def follow(self, action: Action[A, R], given: A) -> AbstractAsyncContextManager[AsyncIterator[R]]:
        """The results of a live action as they come. Raises as the action does."""
        if self.link is None:
            assert self.setup_error is not None
            raise self.setup_error
        return self.link.follow(action, given)

    def run(self, work: Callable[[], Any]) -> None:
        """Do it: a function now, a coroutine function in trio. What it raises is shown."""
        if is_async(work):
            self.run_async(work)
            return
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - shown with its kind; the TUI goes on
            self.failed(error)
            return
        if hasattr(result, "__await__"):
            self.run_async(lambda: result)

    def run_async(self, work: Callable[[], Awaitable[object]]) -> None:
        """Do it in trio."""
        self.post(self.nursery.start_soon, self._guarded, work)

    async def _background(self, work: Callable[[], Awaitable[object]]) -> None:
        """What goes on as long as the TUI: Ctrl-C does not cancel it."""
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - shown with its kind; the TUI goes on
            self.failed(error)

    async def _guarded(self, work: Callable[[], Awaitable[object]]) -> None:
        with trio.CancelScope() as scope:
            self._scopes.append(scope)
            try:
                await self._background(work)
            finally:
                self._scopes.remove(scope)
                self.changed()
        if scope.cancelled_caught:
            self.notify("cancelled")

    def cancel_work(self) -> bool:
        """Cancel what was begun last and still runs; False when nothing does."""
        if not self._scopes:
            return False
        self.post(self._scopes[-1].cancel)
        return True

    def post(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call it from trio's loop, soon."""
        self.token.run_sync_soon(function, *arguments)

    def failed(self, error: Exception) -> None:
        """Show an error: a `YaatError` in full, another one as the defect that it is."""
        if isinstance(error, YaatError):
            text, title = error.render(), "It did not work"
        else:
            trace = "".join(traceback.format_exception(error)[-6:])
            text = f"This is a defect of YAAT or of a plugin; the agent is not touched by it.\n\n{trace}"
            title = f"{type(error).__name__}: {error}"
        if self.dialogs:
            self.notify(text.partition("\n")[0] if isinstance(error, YaatError) else title, error=True)
        else:
            self.run_async(lambda: dialogs.message(self, title, text))

    def perform(self, key: Key) -> None:
        """Do what a key does, unless it changes something while the TUI is locked."""
        if key.changes and self.read_only:
            self.notify("locked: nothing is changed (R unlocks)", error=True)
            return
        self.run(key.run)
        self.dirty = True

    # --- starting

    @property
    def state_dir(self) -> str:
        """Of the configuration; empty when that has errors."""
        return str(self.setup.configuration.state_dir) if self.setup else ""

    def quit(self) -> None:
        """Leave."""
        if self.app.is_running and not self.app.is_done:
            self.app.exit()
