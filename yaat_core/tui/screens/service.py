"""Service: how the systemd unit is; install, start, stop, remove it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import trio

from yaat_core.errors import YaatError
from yaat_core.tui import commanding
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Node, Pane, Rows
from yaat_core.tui.screen import Screen
from yaat_core.tui.screens import planning
from yaat_core.tui.text import size
from yaat_core.tui.widgets.fields import FieldSpec
from yaat_core.tui.widgets.viewing import Facts, Viewer

#: Seconds between two looks while it is shown.
_EVERY: Final = 5.0


class ServiceScreen(Screen):
    """What systemd says, and what is wrong with the unit."""

    help = """\
The agent as a service of this machine: started at boot, watched and restarted by systemd, as a user of its own with few rights.
i shows every step of installing it before anything happens, s starts it, x stops it (what is on its way is delivered, or stays
in the queue), D removes unit and user; configuration and data stay. All of that takes root: start the TUI with sudo."""

    def layout(self) -> Node:
        """Facts above, problems below."""
        self.facts = Facts(empty="looking ...")
        self.problems = Viewer(empty="nothing is wrong with the unit")
        self.problems.name = "problems"
        return Rows(Pane(self.facts, "Unit", size=11), Pane(self.problems, "What to do"))

    def keys(self) -> Sequence[Key]:
        """Install, start, stop, remove."""
        return (
            Key(name="service.install", keys=("i",), does="install the service, or install it anew", run=self.install,
                footer="install", command="service install", changes=True),
            Key(name="service.start", keys=("s",), does="start the service", run=self.start, footer="start",
                command="service start", changes=True),
            Key(name="service.stop", keys=("x",), does="stop the service", run=self.stop, footer="stop", command="service stop",
                changes=True),
            Key(name="service.uninstall", keys=("D",), does="remove unit and user; data stays", run=self.uninstall,
                footer="remove", command="service uninstall", changes=True),
        )  # fmt: skip

    async def live(self) -> None:
        """Look now and then, while it is shown."""
        while True:
            if self.showing:
                await self.look()
            await trio.sleep(_EVERY if self.showing else 0.2)

    async def look(self) -> None:
        """How the unit is."""
        done = await commanding.run(self.shell, "service", "status", "--json")
        try:
            found = done.document()
        except YaatError as error:
            self.facts.facts, self.facts.empty = [], error.what
            self.problems.text = "\n".join(filter(None, [error.cause, error.fix]))
            self.shell.changed()
            return
        self._told(found["unit"])
        self.shell.changed()

    def _told(self, unit: Mapping[str, Any]) -> None:
        if not unit["installed"]:
            self.facts.facts = [("installed", "no", "class:dim")]
            self.problems.text = "Press i to see what installing does; nothing happens before you agree."
            return
        style = {"active": "class:ok", "failed": "class:error"}.get(unit["active"], "class:warn")
        self.facts.facts = [
            ("unit", unit["path"] or ""),
            ("state", unit["active"], style),
            ("since", unit["since"] or ""),
            ("at boot", "starts" if unit["enabled"] else "does not start"),
            ("process", str(unit["pid"] or "none")),
            ("restarts", str(unit["restarts"]), "class:warn" if unit["restarts"] else ""),
            ("memory", size(unit["memory_bytes"]) if unit["memory_bytes"] else ""),
            ("configuration", unit["config_file"] or ""),
            ("made by", "yaat service install" if unit["ours"] else "somebody else"),
        ]
        self.problems.text = "\n".join(
            f"{one['what']}\n  to do: {one['advice']}\n" for one in unit["problems"]
        )

    async def install(self) -> None:
        """Ask for the two choices, show the plan, do it."""
        values = await self.shell.fill_in(
            "Install the service",
            [
                FieldSpec(name="read all logs", kind="flag", value="no",
                          help="may read every file, whoever owns it (CAP_DAC_READ_SEARCH); else what the group adm may read"),
                FieldSpec(name="containers", kind="flag", value="no", help="the group docker, which is as good as root"),
            ],
            yes="Show the steps",
        )  # fmt: skip
        if values is None:
            return
        words = ["service", "install"]
        words += ["--read-all-logs"] * (values["read all logs"] == "yes")
        words += ["--docker"] * (values["containers"] == "yes")
        await self._planned(words, "Install the service?", "Install")

    async def uninstall(self) -> None:
        """Show the plan, do it."""
        await self._planned(["service", "uninstall"], "Remove the service?", "Remove", word="remove")

    async def start(self) -> None:
        """Now."""
        await self._done(["service", "start"], "the service is started")

    async def stop(self) -> None:
        """After a question."""
        if await self.shell.confirm(
            "Stop the service?",
            ["What is on its way is delivered, or stays in the queue.", "It starts again at the next boot."],
            yes="Stop",
        ):
            await self._done(["service", "stop"], "the service is stopped")

    async def _planned(self, words: Sequence[str], question: str, yes: str, *, word: str = "") -> None:
        done = await commanding.run(self.shell, *words, "--dry-run", "--json")
        if done.code:
            await self.shell.message("It can't be done", done.said or done.out)
            return
        found = done.document()
        steps = planning.lines(found.get("plan", found))
        if not steps:
            self.shell.notify("everything is so already")
            return
        if await self.shell.confirm(question, steps, yes=yes, word=word):
            await self._done([*words, "--yes"], "done")

    async def _done(self, words: Sequence[str], told: str) -> None:
        done = await commanding.run(self.shell, *words)
        await self.look()
        if done.code:
            await self.shell.message("It did not work", done.said or done.out)
        else:
            self.shell.notify(told)
