"""How the agent runs: as this user now, as a service for good, or later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from yaat_core.errors import YaatError
from yaat_core.setting_up import running
from yaat_core.setting_up.answers import Run
from yaat_core.tui.layout import Pane, Rows
from yaat_core.tui.screens import planning
from yaat_core.tui.widgets.table import Column, Table
from yaat_core.tui.widgets.tabs import Step
from yaat_core.tui.widgets.viewing import Viewer

if TYPE_CHECKING:
    from yaat_core.tui.screens.setup.screen import SetupScreen

_CHOICES: Final[dict[Run, str]] = {
    "here": "now, as you; it stays when you leave, until the machine restarts",
    "service": "by systemd: at boot, watched, with a user of its own (takes root)",
    "later": "only write the configuration; `yaat run` starts it",
}


class Running:
    """The step."""

    def __init__(self, screen: SetupScreen) -> None:
        self.screen = screen
        self.table: Table[Run] = Table(
            [
                Column(title="run", value=str, least=8),
                Column(title="which is", value=lambda one: _CHOICES[one], least=20, stretch=True),
            ],
            open=lambda _: self.screen.wizard.next(),
            open_does="next step",
            open_footer="next step",
        )
        self.table.rows = list(_CHOICES)
        self.table.on_select = lambda _: self.screen.shell.run_async(self.look)
        self.plan = Viewer()
        self.plan.name = "steps"
        self._refused = ""

    def step(self) -> Step:
        """As the wizard takes it."""
        return Step(
            title="How it runs",
            text="Nothing is started before the last step.",
            node=Rows(Pane(self.table, size=5), Pane(self.plan, "What that does")),
            optional=True,
            enter=self.enter,
            check=self.check,
            skip=self.skip,
        )

    async def enter(self) -> None:
        """As it was chosen."""
        self.table.select(self.screen.wish.run)
        await self.look()

    async def look(self) -> None:
        """The steps of the selected one."""
        screen, run = self.screen, self.table.selected
        self._refused = ""
        place = screen.place
        if run == "here":
            self.plan.text = (
                f"yaat run -c {place.path}\nin the background; queue, database and its log (agent.log) are in {place.state_dir}\n"
                "`yaat stop` stops it, and `yaat service install` makes it a service later."
            )
        elif run == "later":
            self.plan.text = "Nothing is started."
        else:
            self.plan.text = "looking ..."
            try:
                plan = await trio.to_thread.run_sync(running.service_plan, place.path, place.state_dir)
                lines = planning.lines(plan.to_json())
                text = "\n".join(lines) or "everything is so already"
                if not _root():
                    self._refused = "only root may install a service: start with sudo yaat"
                    text = f"{self._refused}\n\n{text}"
            except YaatError as error:
                self._refused = error.what
                text = "\n".join(filter(None, [error.what, error.cause, error.fix and f"to do: {error.fix}"]))
            if self.table.selected == run:
                self.plan.text = text
        screen.shell.changed()

    async def check(self) -> str:
        """What can't be done is refused here."""
        await self.look()
        if not self._refused:
            self.screen.wish.run = self.table.selected or "here"
        return self._refused

    async def skip(self) -> None:
        """Later."""
        self.screen.wish.run = "later"


def _root() -> bool:
    from yaat_core.service import facts

    return facts.look().root
