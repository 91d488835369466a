"""Setup: from nothing to the first events, or more for a configuration that is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import trio

from yaat_core.cli.door import Door
from yaat_core.cli.editing import Place, place_of
from yaat_core.config.editing.files import ConfigFiles
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Node, Pane
from yaat_core.tui.screen import Screen
from yaat_core.tui.screens.setup.destination import Destination
from yaat_core.tui.screens.setup.redaction import Redaction
from yaat_core.tui.screens.setup.review import Arriving, Review
from yaat_core.tui.screens.setup.running import Running
from yaat_core.tui.screens.setup.sources import Sources
from yaat_core.tui.screens.setup.wish import Wish
from yaat_core.tui.text import Line, wrap
from yaat_core.tui.widgets.base import Label
from yaat_core.tui.widgets.tabs import Step, Wizard

if TYPE_CHECKING:
    from yaat_core.panels import Panel
    from yaat_core.tui.shell import Shell

_WELCOME = """\
YAAT reads the logs and figures of this machine, takes secrets out, keeps them in a database that you ask in SQL, and sends them \
to a backend if you want.

Here you choose what is read, what is taken out, where it goes and how the agent runs. Every step begins with what is usual, so \
that Enter is a good answer; each can be skipped, and Back goes back.

Nothing is written and nothing is started before the last step, which shows every line first."""


class SetupScreen(Screen):
    """The wizard."""

    help = """\
Enter goes on, Tab goes through a step to its buttons, Ctrl-N is Next and Ctrl-O is Back everywhere, also in text fields. In the
list of sources Space takes one or leaves it. Nothing is written before the last confirmation; leave with q or Ctrl-Q at any time.
`yaat setup --answers FILE` does the same without a terminal."""

    def __init__(self, shell: Shell, panel: Panel) -> None:
        super().__init__(shell, panel)
        self.wish = Wish()
        self.place: Place
        self.samples: dict[str, Sequence[str]] = {}
        """Lines of each source as they were read, secrets and all: shown through the redaction only."""

    def layout(self) -> Node:
        """The steps."""
        self.sources = Sources(self)
        self.redaction = Redaction(self)
        self.destination = Destination(self)
        self.running = Running(self)
        self.review = Review(self)
        self.arriving = Arriving(self)
        welcome = Step(title="Welcome", node=Pane(Label(self._welcome)), next="Begin")
        parts = (self.sources, self.redaction, self.destination, self.running, self.review, self.arriving)
        self.wizard = Wizard([welcome, *(part.step() for part in parts)], self._done)
        return self.wizard

    def _welcome(self, width: int, height: int) -> Sequence[Line]:
        lines: list[Line] = []
        for paragraph in _WELCOME.split("\n"):
            lines += [[("", f" {line}")] for line in wrap(paragraph, max(8, min(width - 2, 100)))] or [
                [("", "")]
            ]
        if not hasattr(self, "place"):
            return lines
        there = "will be written:" if self.wish.new else "is there, and is added to:"
        told = wrap(f"The configuration {there} {self.place.path}", max(8, width - 2))
        return [*lines, [("", "")], *([("class:dim", f" {line}")] for line in told)]

    def keys(self) -> Sequence[Key]:
        """On and back."""
        return (
            Key(name="setup.next", keys=("c-n",), does="next step", run=lambda: self.wizard.next(), anywhere=True,
                footer="next", when=lambda: self.wizard.at < len(self.wizard.steps) - 1),
            Key(name="setup.back", keys=("c-o",), does="step before", run=lambda: self.wizard.back(), anywhere=True,
                footer="back", when=lambda: self.wizard.at > 0 and self.wizard.step.back),
        )  # fmt: skip

    async def live(self) -> None:
        """Look at the machine at once, while the first step is read; then ask gateways about keys as they are typed."""
        shell = self.shell
        door = Door(config_file=Path(shell.config_option) if shell.config_option else None)
        self.place = await trio.to_thread.run_sync(place_of, door)
        files = await trio.to_thread.run_sync(ConfigFiles.read, self.place.path)
        self.wish.new = not files.main.text.strip()
        self.wish.keep_redaction = not self.wish.new
        shell.changed()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.sources.look)
            nursery.start_soon(self.destination.watch)
            nursery.start_soon(self.arriving.watch)

    async def _done(self) -> None:
        self.shell.go("overview")

    def command_line(self) -> str:
        """Without the wizard."""
        return "setup --answers FILE"


def tried(error: Any) -> str:
    """An error in place: what, and what to do."""
    return "\n".join(
        filter(
            None,
            [
                error.what,
                error.where and f"at: {error.where}",
                error.cause,
                error.fix and f"to do: {error.fix}",
            ],
        )
    )
