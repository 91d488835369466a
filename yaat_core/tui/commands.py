"""The keys that work everywhere, and what they do. `GLOBAL` is their part of the one key table."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import attrs
from prompt_toolkit.application import run_in_terminal

from yaat_core.tui import cli_line, copying, helping, palette
from yaat_core.tui.keys import Key

if TYPE_CHECKING:
    from yaat_core.tui.shell import Shell

#: Seconds within which a second Ctrl-C quits.
_TWICE: Final = 2.0


@attrs.define
class Commands:
    """What the global keys do."""

    shell: Shell
    interrupted: float = 0.0

    def table(self) -> Sequence[Key]:
        """All of them, with one for each tab."""
        shell = self.shell
        tabs = [
            Key(
                name=f"go.{panel.name}",
                keys=(digit,),
                does=f"{panel.title}: {panel.summary}",
                run=lambda name=panel.name: shell.go(name),  # type: ignore[misc]
            )
            for digit, panel in shell.panels.tabs.items()
        ]
        return (*tabs, *self._moving(), *self._telling(), *self._system())

    def _moving(self) -> Sequence[Key]:
        shell = self.shell
        return (
            Key(name="menu", keys=("0",), does="every screen", run=self.menu),
            Key(name="pane.next", keys=("tab",), does="next pane or field", run=lambda: self.pane(1),
                anywhere=True, in_dialogs=True),
            Key(name="pane.previous", keys=("s-tab",), does="previous pane or field", run=lambda: self.pane(-1),
                anywhere=True, in_dialogs=True),
            Key(name="pane.zoom", keys=("+",), does="the pane alone, or as it was", run=self.zoom),
            Key(name="pane.normal", keys=("_",), does="every pane", run=self.normal),
            Key(name="back", keys=("escape",), does="back one level", run=self.escape, anywhere=True),
            Key(name="view.back", keys=("[",), does="the screen before", run=lambda: shell.back()),
            Key(name="view.forward", keys=("]",), does="forward again", run=lambda: shell.back(forward=True)),
            Key(name="leave", keys=("q",), does="back; on the first screen quit (the agent keeps running)",
                run=self.leave, footer="quit"),
        )  # fmt: skip

    def _telling(self) -> Sequence[Key]:
        return (
            Key(name="help", keys=("?",), does="help for this pane, this screen, everything", run=self.help,
                footer="help", in_dialogs=True),
            Key(name="help.f1", keys=("f1",), does="the same, also in text fields", run=self.help,
                anywhere=True, in_dialogs=True),
            Key(name="palette", keys=(":",), does="command palette", run=self.palette, footer="commands"),
            Key(name="palette.ctrl", keys=("c-p",), does="the same, also in text fields", run=self.palette,
                anywhere=True),
            Key(name="search", keys=("/",), does="filter or search the pane", run=self.search, footer="filter",
                in_dialogs=True),
            Key(name="undo", keys=("u",), does="undo what the notification tells of", run=self.shell.undo),
            Key(name="copy", keys=("y",), does="copy the row or text", run=self.copy, in_dialogs=True),
            Key(name="copy.command", keys=("Y",), does="copy as a command line", run=self.copy_command),
            Key(name="dump", keys=("P",), does="the pane as plain text, to select with the mouse", run=self.dump,
                in_dialogs=True),
        )  # fmt: skip

    def _system(self) -> Sequence[Key]:
        return (
            Key(name="mouse", keys=("f2",), does="mouse on or off (off: the terminal selects text)",
                run=self.mouse, anywhere=True, in_dialogs=True),
            Key(name="lock", keys=("R",), does="read-only on or off: nothing is changed", run=self.lock),
            Key(name="redraw", keys=("c-l",), does="draw everything anew", run=self.redraw,
                anywhere=True, in_dialogs=True),
            Key(name="cancel", keys=("c-c",), does="cancel what runs; twice: quit", run=self.cancel,
                anywhere=True, in_dialogs=True),
            Key(name="quit", keys=("c-q",), does="quit at once (the agent keeps running)", run=self.shell.quit,
                anywhere=True, in_dialogs=True),
        )  # fmt: skip

    # --- moving

    def menu(self) -> None:
        """Every screen, to choose from."""
        palette.menu(self.shell)

    def pane(self, by: int) -> None:
        """The next pane, or field."""
        layout = self.shell.app.layout
        if by > 0:
            layout.focus_next()
        else:
            layout.focus_previous()

    def zoom(self) -> None:
        """Show the focused pane alone, or all again."""
        shell = self.shell
        shell.zoomed = None if shell.zoomed else shell.focused()

    def normal(self) -> None:
        """Show every pane."""
        self.shell.zoomed = None

    def escape(self) -> None:
        """Out of a text field, out of a zoomed pane, else to the screen before."""
        shell = self.shell
        if shell.searching is not None:
            palette.end_search(shell, keep=False)
        elif shell.editing():
            shell.focus_something(no_text=True)
        elif shell.zoomed is not None:
            shell.zoomed = None
        else:
            shell.back()

    def leave(self) -> None:
        """Back, or out."""
        if not self.shell.back():
            self.shell.quit()

    # --- telling

    def help(self) -> None:
        """What keys do here."""
        helping.show(self.shell)

    def palette(self) -> None:
        """Everything that can be done, by name."""
        palette.show(self.shell)

    def search(self) -> None:
        """Type a filter for the focused pane."""
        palette.begin_search(self.shell)

    def copy(self) -> None:
        """Copy what the focused pane gives."""
        focused = self.shell.focused()
        copying.copy(self.shell, focused.copied() if focused else "", "text")

    def copy_command(self) -> None:
        """Copy the command line that shows or does the same."""
        screen = self.shell.current
        words = screen.command_line() if screen else ""
        if words and not words.startswith("yaat "):
            config = f" -c {self.shell.config_option}" if self.shell.config_option else ""
            words = f"yaat {words}{config}"
        copying.copy(self.shell, words, "command")

    def dump(self) -> None:
        """Print the pane outside of the full screen, until Enter."""
        focused = self.shell.focused()
        if focused is None:
            return
        text = focused.dump()

        def show() -> None:
            print("\n" + text + "\n")
            try:
                input("-- Enter goes back to yaat --")
            except EOFError:
                return

        run_in_terminal(show)

    # --- system

    def mouse(self) -> None:
        """Take the mouse, or leave it to the terminal."""
        settings = self.shell.settings
        settings.mouse = not settings.mouse
        self.shell.notify(
            "the mouse works" if settings.mouse else "the mouse is the terminal's: it selects text"
        )

    def lock(self) -> None:
        """Refuse what changes something, or allow it again."""
        shell = self.shell
        shell.read_only = not shell.read_only
        shell.notify("locked: nothing is changed until R" if shell.read_only else "unlocked")

    def redraw(self) -> None:
        """Everything."""
        self.shell.app.renderer.clear()

    def cancel(self) -> None:
        """The first time what runs, the second time the TUI."""
        now = time.monotonic()
        shell = self.shell
        if now - self.interrupted < _TWICE:
            shell.quit()
            return
        self.interrupted = now
        if shell.dialogs:
            shell.dialogs[-1].answer(None)
        else:
            shell.cancel_work()
        shell.notify("Ctrl-C again quits (the agent keeps running)")


def cli_of(shell: Shell, name: str) -> str:
    """The command line of an action, as the palette shows it."""
    from yaat_core.actions import ACTIONS

    action = ACTIONS.get(name)
    return cli_line.command_line(action, config=shell.config_option) if action else ""
