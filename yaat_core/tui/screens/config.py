"""The configuration: an editor that checks while one types, the difference, applying with a way back, what was changed before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import trio

from yaat_core.actions.agent import CONFIG_SHOW
from yaat_core.actions.base import Nothing
from yaat_core.actions.config import (
    CONFIG_APPLY,
    CONFIG_CHECK,
    CONFIG_CONFIRM,
    CONFIG_HISTORY,
    CONFIG_TEXT,
    CONFIG_UNDO,
    ApplyGiven,
    CheckGiven,
    TextGiven,
    UndoGiven,
)
from yaat_core.config.editing.results import Applied, Checked, ConfigText, VersionShown
from yaat_core.config.problems import ConfigProblem
from yaat_core.errors import YaatError
from yaat_core.tui import acting
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Columns, Node, Pane
from yaat_core.tui.screen import Screen
from yaat_core.tui.text import safe
from yaat_core.tui.widgets.editor import Editor
from yaat_core.tui.widgets.table import Column, Table
from yaat_core.tui.widgets.tabs import Tabs
from yaat_core.tui.widgets.viewing import Diff, Viewer

#: Seconds without typing after which the text is checked; and for which a change may be taken back by itself.
_QUIET: Final = 0.6
_KEEP: Final = 30.0


class ConfigScreen(Screen):
    """Editor beside what it would do."""

    help = """\
The editor checks the text a moment after you stop typing: lines with problems are marked, Problems tells how to mend them,
Difference shows what applying would change. Ctrl-S applies: the text is checked, written and taken up by the agent, which
restarts nothing that stays as it is. Afterwards you are asked whether to keep it; without an answer for 30 s it is taken back.
Esc leaves the editor; then b takes the last change back, o opens another file of the configuration, l loads the file again.
History shows every change; Enter shows one. Effective shows what is in force, secrets masked."""

    def layout(self) -> Node:
        """The editor, and four tabs."""
        self.file: ConfigText | None = None
        self.checked: Checked | None = None
        self.typed = trio.Event()
        self.editor = Editor(language="yaml", changed=self._changed)
        self.problems: Table[ConfigProblem] = Table(
            [
                Column(title="line", value=lambda one: one.line or "", align="right", least=4,
                       sort=lambda one: one.line or 0),
                Column(title="problem", value=lambda one: one.what, least=20, stretch=True,
                       style=lambda one: "class:error" if one.level == "error" else "class:warn"),
            ],
            identity=lambda one: (one.code, one.line, one.column, one.what),
            empty="nothing is wrong",
            open=self._go,
            open_does="to its line, with what to do",
        )  # fmt: skip
        self.problems.name = "problems"
        self.diff = Diff(empty="the text is the file's")
        self.versions: Table[VersionShown] = Table(
            [
                Column(title="no", value=lambda one: one.version.number, align="right", least=3),
                Column(title="when", value=lambda one: one.version.at[5:16].replace("T", " "), least=11),
                Column(title="what", value=self._version_told, least=12, stretch=True),
            ],
            identity=lambda one: one.version.number,
            empty="nothing was changed by YAAT yet",
            open=self._show_version,
            open_does="what it changed",
        )  # fmt: skip
        self.versions.name = "history"
        self.effective = Viewer(empty="press e to load it")
        self.tabs = Tabs(
            ("Problems", Pane(self.problems, self._problems_title)),
            ("Difference", Pane(self.diff, "What applying changes")),
            ("History", Pane(self.versions, "What was changed")),
            ("Effective", Pane(self.effective, "In force, secrets masked")),
            changed=self._tab,
            weight=2,
        )
        return Columns(Pane(self.editor, self._title, weight=3), self.tabs, stack_below=120)

    def keys(self) -> Sequence[Key]:
        """Apply, check, take back, other files."""
        return (
            Key(name="config.apply", keys=("c-s",), does="check, show the difference, write, and take it up", run=self.apply,
                footer="apply", command="config edit", changes=True, anywhere=True),
            Key(name="config.back", keys=("b",), does="take the last change back", run=self.take_back, footer="take back",
                command="config undo", changes=True),
            Key(name="config.open", keys=("o",), does="open another file of the configuration", run=self.open,
                footer="other file"),
            Key(name="config.load", keys=("l",), does="load the file again, and forget what was typed", run=self.reload,
                footer="load again"),
        )  # fmt: skip

    # --- loading and checking

    def opened(self) -> None:
        """Load it the first time; what was typed stays."""
        if self.file is None:
            self.shell.run_async(self._load)

    async def reload(self) -> None:
        """As it is on disk."""
        if self._dirty and not await self.shell.confirm(
            "Forget what was typed?", ["The text in the editor is not the file's."], yes="Load again"
        ):
            return
        await self._load(self.file.path if self.file else None)

    async def open(self) -> None:
        """One of several files."""
        files = self.file.files if self.file else ()
        if len(files) < 2:
            self.shell.notify("the configuration is one file: `include` names others")
            return
        at = await self.shell.choose(
            "Which file?",
            "",
            [(one.path, "the main file" if one.main else "included") for one in files],
        )
        if at is None:
            return
        if not self._dirty or await self.shell.confirm(
            "Forget what was typed?", ["The text in the editor is not the file's."], yes="Open the other"
        ):
            await self._load(files[at].path)

    async def _load(self, path: str | None = None) -> None:
        self.file = await self.call(CONFIG_TEXT, TextGiven(file=path))
        self.editor.text = self.file.text
        self.editor.go(1)
        await self._check()
        await self._look_back()

    @property
    def _dirty(self) -> bool:
        return self.file is not None and self.editor.text != self.file.text

    def _changed(self, _: str) -> None:
        self.typed.set()

    async def live(self) -> None:
        """Check when typing pauses."""
        while True:
            await self.typed.wait()
            self.typed = trio.Event()
            with trio.move_on_after(_QUIET) as more:
                await self.typed.wait()
            if more.cancelled_caught and self.file is not None:
                try:
                    await self._check()
                except YaatError as error:
                    self.problems.empty = error.what
                self.shell.changed()

    async def _check(self) -> None:
        text = self.editor.text
        checked = await self.call(CONFIG_CHECK, CheckGiven(text=text, file=self._path))
        if text != self.editor.text:
            return
        self.checked = checked
        found = [*checked.problems, *checked.warnings]
        self.problems.rows = found
        self.editor.marks = {one.line: one.what for one in reversed(found) if one.line and self._here(one)}
        self.diff.text = checked.diff

    def _here(self, problem: ConfigProblem) -> bool:
        return self.file is None or Path(problem.file).name == Path(self.file.path).name

    @property
    def _path(self) -> str | None:
        return self.file.path if self.file else None

    # --- changing

    async def apply(self) -> None:
        """Check it, show what changes, write it, and see whether it holds."""
        if self.file is None:
            return
        await self._check()
        checked = self.checked
        if checked is None or not checked.ok:
            self.tabs.show("Problems")
            self.shell.notify(
                f"{_number(len(self.problems.rows), 'problem')}: nothing was written", error=True
            )
            return
        if not self._dirty:
            self.shell.notify("nothing was changed")
            return
        if not await self.shell.confirm(
            f"Write {self.file.path}?", checked.diff.splitlines()[2:] or ["no line differs"], yes="Write"
        ):
            return
        runs = self.shell.store.live
        given = ApplyGiven(
            text=self.editor.text,
            hash=self.file.hash,
            file=self._path,
            summary="edited in the TUI",
            confirm_seconds=_KEEP if runs else None,
        )
        done = await self.call(CONFIG_APPLY, given)
        await self._load(self._path)
        for note in done.notes:
            self.shell.notify(note)
        if done.confirm_seconds is not None:
            await self._keep(done)
        elif done.version is not None:
            self.shell.notify("written", undo=self.take_back)

    async def _keep(self, done: Applied) -> None:
        """Ask whether it stays; no answer is a no."""
        health = self.shell.store.status.health if self.shell.store.status else None
        problems = [f"{one.component}: {one.what}" for one in health.problems] if health else []
        kept = False
        with trio.move_on_after(done.confirm_seconds or _KEEP) as waiting:
            kept = await self.shell.confirm(
                "The agent runs with the change. Keep it?",
                [
                    f"Without an answer it is taken back after {done.confirm_seconds:.0f} s.",
                    *(problems or ["Everything is healthy so far."]),
                ],
                yes="Keep it",
            )
        if kept:
            await self.call(CONFIG_CONFIRM, Nothing())
            self.shell.notify("it stays", undo=self.take_back)
            await self._look_back()
            return
        if not waiting.cancelled_caught:
            await self.call(CONFIG_UNDO, UndoGiven())
        await trio.sleep(0.5)
        await self._load(self._path)
        self.shell.notify("the change was taken back", error=True)

    async def take_back(self) -> None:
        """Undo the last change."""
        plan = await self.call(CONFIG_UNDO, UndoGiven(dry_run=True))
        if not await self.shell.confirm(
            "Take the last change back?",
            plan.diff.splitlines()[2:] or ["no line differs"],
            yes="Take it back",
        ):
            return
        await self.call(CONFIG_UNDO, UndoGiven())
        await self._load(self._path)
        self.shell.notify("taken back")

    # --- how it looks

    def _title(self) -> str:
        if self.file is None:
            return "Configuration"
        state = "changed" if self._dirty else "as on disk" if self.file.exists else "not written yet"
        return f"{self.file.path}: {state}" + ("" if self.file.writable else ", can't be written")

    def _problems_title(self) -> str:
        found = self.problems.rows
        errors = sum(one.level == "error" for one in found)
        return (
            f"{_number(errors, 'problem')}, {_number(len(found) - errors, 'warning')}"
            if found
            else "Problems"
        )

    def _tab(self, name: str) -> None:
        if name == "Effective":
            self.shell.run_async(self._effective)
        if name == "History":
            self.shell.run_async(self._look_back)

    async def _effective(self) -> None:
        try:
            shown = await self.call(CONFIG_SHOW, Nothing())
        except YaatError as error:
            self.effective.empty, self.effective.text = error.what, ""
            return
        self.effective.text = acting.document(shown.configuration)
        self.shell.changed()

    async def _look_back(self) -> None:
        self.versions.rows = (await self.call(CONFIG_HISTORY, Nothing())).versions
        self.shell.changed()

    def _version_told(self, one: VersionShown) -> str:
        state = " (taken back)" if one.version.undone else " (in force)" if one.current else ""
        return safe(one.version.summary) + state

    async def _go(self, one: ConfigProblem) -> None:
        if one.line and self._here(one):
            self.editor.go(one.line, one.column or 1)
            self.shell.focus(self.editor)
        await self.shell.message(one.code, one.render())

    async def _show_version(self, one: VersionShown) -> None:
        await self.shell.message(
            f"Change {one.version.number}, {one.version.at}", one.diff or "no line differs"
        )


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
