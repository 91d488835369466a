"""The last confirmation, with every line that is written; and then the first events."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from yaat_core import config
from yaat_core.cli.setup import Setup
from yaat_core.errors import YaatError
from yaat_core.setting_up import drafting, running, writing
from yaat_core.setting_up.drafting import Draft
from yaat_core.setting_up.running import Arrived
from yaat_core.tui.layout import Pane, Rows
from yaat_core.tui.text import Line, wrap
from yaat_core.tui.widgets.base import Label
from yaat_core.tui.widgets.tabs import Step
from yaat_core.tui.widgets.viewing import Diff, Facts, Viewer

if TYPE_CHECKING:
    from yaat_core.tui.screens.setup.screen import SetupScreen

_EVERY: Final = 0.5
_STARTS: Final = {
    "here": "then the agent is started as you",
    "service": "then the service is installed and started",
    "later": "nothing is started",
}


class Review:
    """What is written, and nothing else; the button writes it."""

    def __init__(self, screen: SetupScreen) -> None:
        self.screen = screen
        self.diff = Diff(empty="nothing is to be written: everything is so already")
        self.draft: Draft | None = None
        self._told = ""

    def step(self) -> Step:
        """As the wizard takes it."""
        return Step(
            title="Review",
            text="This is what is written, and nothing else. `yaat config undo` takes it back.",
            node=Rows(Pane(Label(self._also), size=3), Pane(self.diff, self._title)),
            enter=self.enter,
            check=self.check,
            next="Write it",
        )

    def _title(self) -> str:
        return f"{self.draft.path}" if self.draft else "Configuration"

    def _also(self, width: int, height: int) -> list[Line]:
        draft = self.draft
        if draft is None:
            return [[("class:dim", " composing ..." if not self._told else "")]]
        told = [_STARTS[self.screen.wish.run]]
        if draft.key_file is not None:
            told.append(f"for its owner only, the key: {draft.key_file}")
        return [[("", f" {line}")] for text in told for line in wrap(text, max(8, width - 2))]

    async def enter(self) -> None:
        """Compose and check it."""
        screen = self.screen
        self.draft, self.diff.text, self._told = None, "", ""
        wish, place = screen.wish, screen.place
        if wish.found is None:
            self.diff.empty = "still looking what there is: go back, and come again"
            return
        work = partial(
            drafting.draft, wish.answers(), wish.found, place.path, screen.shell.plugins, place.state_dir
        )
        try:
            self.draft = await trio.to_thread.run_sync(work)
        except YaatError as error:
            self._told = error.what
            self.diff.empty = error.render()
        else:
            self.diff.text = self.draft.checked.diff
            self.diff.empty = "nothing is to be written: everything is so already"
        screen.shell.changed()

    async def check(self) -> str:
        """Write it, and start what was chosen."""
        screen, draft = self.screen, self.draft
        shell = screen.shell
        if draft is None:
            return self._told or "nothing can be written yet"
        if shell.read_only:
            return "locked: nothing is written (R unlocks)"
        try:
            await trio.to_thread.run_sync(writing.write, draft, shell.plugins)
        except YaatError as error:
            self.diff.empty, self.diff.text = error.render(), ""
            self.draft = None
            self._told = error.what
            return error.what
        whole = await trio.to_thread.run_sync(partial(config.load, draft.path, shell.plugins))
        shell.setup, shell.setup_error = Setup(whole, shell.plugins), None
        shell.notify(f"written: {draft.path}")
        screen.arriving.begin(draft)
        return ""


class Arriving:
    """The agent starts, and its first events come."""

    def __init__(self, screen: SetupScreen) -> None:
        self.screen = screen
        self.facts = Facts(empty="")
        self.told = Viewer(empty="")
        self._draft: Draft | None = None
        self._start = trio.Event()
        self.last: Arrived | None = None

    def step(self) -> Step:
        """As the wizard takes it."""
        return Step(
            title="First events",
            node=Rows(Pane(self.facts, "The agent", size=7), Pane(self.told, "What now")),
            next="To the overview",
            back=False,
            buttons_first=True,
        )

    def begin(self, draft: Draft) -> None:
        """The configuration is written."""
        self._draft = draft
        self._start.set()

    async def watch(self) -> None:
        """Start it when it is written, and count."""
        await self._start.wait()
        draft, wish, shell = self._draft, self.screen.wish, self.screen.shell
        assert draft is not None
        self.facts.facts = [("configuration", str(draft.path))]
        if wish.run == "later":
            self.told.text = (
                f"It is written. `yaat run -c {draft.path}` starts the agent; : start does it here, too."
            )
            shell.changed()
            return
        self.facts.facts = [*self.facts.facts, ("agent", "starting ...", "class:warn")]
        shell.changed()
        try:
            await self._begin(draft)
        except YaatError as error:
            self.facts.facts = [("configuration", str(draft.path)), ("agent", "did not start", "class:error")]
            self.told.text = f"{error.render()}\n\nThe configuration is written; : start tries again."
            shell.changed()
            return
        began = trio.current_time()
        while self.last is None or not self.last.delivered or self.screen.showing:
            self.last = await trio.to_thread.run_sync(
                running.arrived, draft.state_dir, abandon_on_cancel=True
            )
            self._show(draft, trio.current_time() - began)
            await trio.sleep(_EVERY)

    async def _begin(self, draft: Draft) -> None:
        if self.screen.wish.run == "here":
            await trio.to_thread.run_sync(running.start, draft.path, draft.state_dir, abandon_on_cancel=True)
            return
        from yaat_core.service import steps

        plan = await trio.to_thread.run_sync(running.service_plan, draft.path, draft.state_dir)
        await trio.to_thread.run_sync(steps.carry_out, plan, lambda *_: None)

    def _show(self, draft: Draft, seconds: float) -> None:
        now = self.last
        first = ("configuration", str(draft.path))
        if now is None:
            self.facts.facts = [first, ("agent", "does not answer", "class:error")]
            self.told.text = "8 (Diag) tells what is wrong; its log is agent.log in the state directory."
        else:
            self.facts.facts = [
                first,
                ("agent", f"runs, pid {now.pid}", "class:ok"),
                ("read", f"{now.read:,} events"),
                ("accepted", f"{now.accepted:,} events in the queue or past it"),
                ("delivered", f"{now.delivered:,} events", "class:ok" if now.delivered else "class:warn"),
            ]
            self.told.text = _next(now, seconds)
        self.screen.shell.changed()


def _next(now: Arrived, seconds: float) -> str:
    if now.delivered:
        return (
            "The first events have arrived.\n\n"
            'yaat query "SELECT * FROM logs ORDER BY timestamp DESC LIMIT 10"\n'
            "yaat logs       the latest lines, and what comes\n"
            "yaat status     how everything is"
        )
    if seconds < 10:
        return "Waiting for the first event ..."
    return (
        "No event yet. A log that nobody writes to gives none; 8 (Diag) tells of sources that can't be read."
    )
