"""Uninstall: what goes and what stays, the data by choice; then everything in the list goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import trio

from yaat_core.actions.agent import STOP
from yaat_core.actions.base import Nothing
from yaat_core.errors import StateInUse, YaatError
from yaat_core.tui import commanding
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Node, Pane, Rows
from yaat_core.tui.screen import Screen
from yaat_core.tui.screens import planning
from yaat_core.tui.text import Line
from yaat_core.tui.widgets.base import Label

#: Seconds that an agent may take to stop.
_STOPPING: Final = 30.0


class UninstallScreen(Screen):
    """One list, with a switch for the data."""

    help = """\
The list shows everything that goes, and what stays with how to remove it by hand. k switches between keeping configuration and
data (queue, database, dead letters) and removing them for good. D removes what is listed, after you have typed the name of this
machine. The service of a machine is removed by root: start the TUI with sudo for that."""

    def layout(self) -> Node:
        """A word on what it is, and the list."""
        self.keep = True
        self.plan: Mapping[str, Any] | None = None
        self.list = planning.table("looking at the machine ...", self._show)
        self.list.name = "what goes and stays"
        return Rows(Pane(Label(self._told), size=2), Pane(self.list, self._title))

    def keys(self) -> Sequence[Key]:
        """The switch, and doing it."""
        return (
            Key(name="uninstall.keep", keys=("k",), does="keep configuration and data, or remove them too", run=self.switch,
                footer="keep data or not"),
            Key(name="uninstall.stop", keys=("x",), does="stop the agent that runs here", run=self.stop, footer="stop the agent",
                command="stop", changes=True, when=lambda: self.shell.store.live),
            Key(name="uninstall.do", keys=("D",), does="remove everything that is listed", run=self.uninstall, footer="uninstall",
                command="uninstall", changes=True),
        )  # fmt: skip

    def opened(self) -> None:
        """Look at the machine as it is now."""
        self.shell.run_async(self.look)

    def command_line(self) -> str:
        """With the choice that is made."""
        return f"uninstall {self._choice} --dry-run"

    async def switch(self) -> None:
        """The other choice."""
        self.keep = not self.keep
        await self.look()

    async def look(self) -> None:
        """Fetch the plan."""
        try:
            found = await self._planned()
        except YaatError as error:
            self.plan, self.list.rows = None, []
            self.list.empty = error.what
            if error.code == StateInUse.code:
                self.list.empty += "\nx stops it: what is on its way is delivered, or stays in the queue"
            self.shell.changed()
            return
        self.plan = found["plan"]
        self.list.empty = "nothing of YAAT is installed on this machine"
        self.list.rows = planning.rows(found["plan"])
        self.shell.changed()

    async def _planned(self) -> Any:
        return (await commanding.run(self.shell, "uninstall", self._choice, "--dry-run", "--json")).document()

    async def stop(self) -> None:
        """The agent that this TUI talks to."""
        if not await self.shell.confirm(
            "Stop the agent?", ["What is on its way is delivered, or stays in the queue."], yes="Stop it"
        ):
            return
        await self.call(STOP, Nothing())
        self.shell.notify("the agent is stopping ...")
        with trio.move_on_after(_STOPPING):
            while self.shell.store.live:  # noqa: ASYNC110 - the store's feed notices it
                await trio.sleep(0.2)
        await self.look()

    async def uninstall(self) -> None:
        """Do it, and leave."""
        await self.look()
        if self.plan is None or not planning.lines(self.plan):
            self.shell.notify("there is nothing to remove")
            return
        import socket

        host = socket.gethostname()
        if not await self.shell.confirm(
            f"Uninstall YAAT from {host}?",
            [*planning.lines(self.plan), "The data stays." if self.keep else "The data goes for good."],
            yes="Uninstall",
            word=host,
        ):
            return
        done = await commanding.run(self.shell, "uninstall", self._choice, "--confirm", host)
        if done.code:
            await self.shell.message("It was not done", done.said)
            await self.look()
            return
        await self.shell.message("Removed", done.said + "\nClose this to leave.")
        self.shell.quit()

    @property
    def _choice(self) -> str:
        return "--keep-data" if self.keep else "--purge-data"

    def _title(self) -> str:
        return "What goes, and what stays"

    def _told(self, width: int, height: int) -> list[Line]:
        choice = "configuration and data stay" if self.keep else "configuration and data go for good"
        style = "class:ok" if self.keep else "class:error"
        return [
            [
                ("", " Service, user and program go; "),
                (style, choice),
                ("", "."),
            ],
            [("class:dim", " k changes that. Nothing happens before D and the name of the machine.")],
        ]

    async def _show(self, one: planning.Row) -> None:
        await self.shell.message(one.where or one.what, one.detail)
