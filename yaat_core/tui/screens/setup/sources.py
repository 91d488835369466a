"""What was found here, to choose of, with live lines of each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import trio

from yaat_core.errors import YaatError
from yaat_core.sampling import Tested
from yaat_core.setting_up import finding, samples
from yaat_core.setting_up.finding import Candidate
from yaat_core.tui.layout import Columns, Pane
from yaat_core.tui.widgets.table import Column, Table
from yaat_core.tui.widgets.tabs import Step
from yaat_core.tui.widgets.viewing import Viewer

if TYPE_CHECKING:
    from yaat_core.tui.screens.setup.screen import SetupScreen

#: Lines of a source that are shown.
_SHOWN = 20


class Sources:
    """The step."""

    def __init__(self, screen: SetupScreen) -> None:
        self.screen = screen
        self.table: Table[Candidate] = Table(
            [
                Column(title="read", value=self._mark, least=7),
                Column(title="source", value=lambda one: one.name, least=10, stretch=True),
                Column(title="what", value=lambda one: one.what, least=14, drop=2),
                Column(title="format", value=self._format, least=6, drop=1),
            ],
            identity=lambda one: one.name,
            empty="looking at what runs here ...",
            open=lambda _: self.screen.wizard.next(),
            open_does="next step",
            open_footer="next step",
            marking=True,
        )
        self.table.on_select = lambda _: self.show()
        self.lines = Viewer(empty="reading a few lines ...")
        self.lines.name = "live lines"
        self._looked = trio.Event()
        self._tested: dict[str, Tested | str] = {}
        self._shown: dict[str, str] = {}

    def step(self) -> Step:
        """As the wizard takes it."""
        return Step(
            title="Sources",
            text="What was found on this machine. Space takes a source or leaves it; its latest lines are shown as the agent "
            "would store them.",
            node=Columns(
                Pane(self.table, "Found", weight=2), Pane(self.lines, self._title, weight=3), stack_below=100
            ),
            optional=True,
            enter=self.enter,
            check=self.check,
            skip=self.skip,
        )

    def _title(self) -> str:
        one = self.table.selected
        return f"Lines of {one.name}" if one else "Lines"

    def _mark(self, one: Candidate) -> str:
        if one.configured:
            return "already"
        return "[x]" if one.name in self.table.marks else "[ ]"

    def _format(self, one: Candidate) -> str:
        tested = self._tested.get(one.name)
        known = tested.format.partition(":")[0] if isinstance(tested, Tested) else one.format
        share = tested.parsed_share if isinstance(tested, Tested) else None
        return f"{known} {share:.0%}" if share is not None else known

    async def look(self) -> None:
        """Find, and read lines of each; while the wizard is already shown."""
        screen, place = self.screen, self.screen.place
        try:
            found = await trio.to_thread.run_sync(
                finding.look, screen.shell.plugins, place.path, abandon_on_cancel=True
            )
        except YaatError as error:
            self.table.empty = error.what
            screen.shell.changed()
            return
        finally:
            self._looked.set()
        screen.wish.found = found
        screen.wish.chosen = screen.wish.by_default()
        self.table.rows = found.candidates
        self.table.marks = set(screen.wish.chosen)
        for failure in found.failures:
            screen.shell.notify(failure, error=True)
        if not found.candidates:
            self.table.empty = "nothing was found that could be read"
            self.lines.empty = "`yaat sources add` reads what you name, later"
        self.show()
        screen.shell.changed()
        await samples.read(found.candidates, place.path, screen.shell.plugins, self._told)

    def _told(self, name: str, tested: Tested | str) -> None:
        self._tested[name] = tested
        if isinstance(tested, Tested):
            self.screen.samples[name] = [line.raw for line in tested.lines]
            self.screen.shell.run_async(partial(self._redact, name))
        self.show()
        self.screen.shell.changed()

    async def _redact(self, name: str) -> None:
        """Nothing that was read is shown as it is."""
        screen = self.screen
        some = screen.samples[name][-_SHOWN:]
        work = partial(samples.redacted, some, ["secrets"], screen.shell.plugins, screen.place.path)
        self._shown[name] = "\n".join(await trio.to_thread.run_sync(work))
        self.show()
        screen.shell.changed()

    def show(self) -> None:
        """The lines of the selected one, and what is wrong with it."""
        one = self.table.selected
        if one is None:
            self.lines.text = ""
            return
        tested = self._tested.get(one.name)
        findings = list(one.problems)
        told = [self._shown.get(one.name, "")]
        if isinstance(tested, str):
            told.append(tested)
        elif tested is not None:
            told += tested.notes
            findings += tested.findings
        told += [f"where: {path}" for path in one.paths]
        told += [f"found by: {text}" for text in one.evidence]
        told += [f"{finding.level}: {finding.problem}\n  to do: {finding.advice}" for finding in findings]
        self.lines.text = "\n".join(filter(None, told))

    async def enter(self) -> None:
        """Show what is selected."""
        self.show()

    async def check(self) -> str:
        """What is marked is taken."""
        wish = self.screen.wish
        if wish.found is None:
            return "still looking: a moment, or Skip"
        configured = {one.name for one in wish.found.candidates if one.configured}
        wish.chosen = {str(name) for name in self.table.marks} - configured
        if not wish.chosen and wish.new:
            self.screen.shell.notify("no source is taken: nothing will be read until you add one")
        return ""

    async def skip(self) -> None:
        """What is read by default."""
        wish = self.screen.wish
        with trio.move_on_after(60):
            await self._looked.wait()
        wish.chosen = wish.by_default()
        self.table.marks = set(wish.chosen)
        self.screen.shell.notify(f"sources: what is read by default, {len(wish.chosen)} in all")
