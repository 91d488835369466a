"""Diagnostics: what may be wrong and what to do about it, the agent's own log, the support bundle."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import trio

from yaat_core.actions.base import Nothing
from yaat_core.actions.checks import DIAGNOSE, Checks
from yaat_core.actions.flare import FLARE_WRITE
from yaat_core.actions.live import LOG, LOG_LEVEL, LevelGiven, LogGiven
from yaat_core.checks.base import GROUPS, Check
from yaat_core.errors import YaatError
from yaat_core.flare.model import Flare
from yaat_core.own_log import LogLine
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Columns, Node, Pane, Rows
from yaat_core.tui.screen import Screen
from yaat_core.tui.text import Line, plain, safe, size
from yaat_core.tui.themes import mark
from yaat_core.tui.widgets.fields import FieldSpec
from yaat_core.tui.widgets.table import Column, Table
from yaat_core.tui.widgets.viewing import Log, Viewer

#: What a level is called, as the command line calls it, and the worst first.
_WORDS: Final = {"error": "error", "warn": "warning", "skipped": "skipped", "ok": "ok"}
_RANK: Final = {level: rank for rank, level in enumerate(_WORDS)}
_STYLES: Final = {
    "error": "class:error",
    "warning": "class:warn",
    "critical": "class:error",
    "debug": "class:dim",
}
#: Seconds for which the log is verbose, and between two attempts to read it.
_VERBOSE: Final = 600.0
_AGAIN: Final = 2.0


class DiagnosticsScreen(Screen):
    """Checks with their advice, and the log below."""

    help = """\
Checks: everything that may be wrong, looked at where the agent runs and with its rights, the worst first. Enter shows one
in full. r looks again. Without an agent it is looked at from here, with your rights.
Log: what the agent says of itself. Space pauses, e and w jump to errors and warnings. v makes it say more for ten minutes.
x writes the support bundle: it shows each file before, and secrets are taken out."""

    def layout(self) -> Node:
        """Checks and advice above, the log below."""
        self.running = False
        self.when = ""
        self.verbose = False
        self.checks: Table[Check] = Table(
            [
                Column(title="state", value=lambda one: self._sign(one)[1], least=9,
                       style=lambda one: self._sign(one)[0], sort=lambda one: _RANK[one.level]),
                Column(title="about", value=lambda one: GROUPS.get(one.group, one.group), least=24, drop=2),
                Column(title="check", value=lambda one: one.name, least=10),
                Column(title="what was found", value=lambda one: one.what, least=36, stretch=True),
            ],
            identity=lambda one: (one.group, one.name, one.component),
            empty="press r to look at everything that may be wrong",
            open=self._show,
            open_does="it in full, with advice",
        )  # fmt: skip
        self.checks.name = "checks"
        self.checks.on_select = self._advise
        self.advice = Viewer(empty="what to do about the selected check", style=self._advice_style)
        self.advice.name = "advice"
        self.log = Log(empty="nothing was logged yet; what a running agent logs comes here")
        self.log.name = "the agent's log"
        self.log.marks = {
            "error": lambda line: " error " in plain(line),
            "warning": lambda line: " warning " in plain(line),
        }
        return Rows(
            Columns(
                Pane(self.checks, self._title, weight=3),
                Pane(self.advice, "What to do", weight=2, needs=(60, 18)),
                weight=3,
                stack_below=110,
            ),
            Pane(self.log, self._log_title, weight=2, needs=(0, 16)),
        )

    def keys(self) -> Sequence[Key]:
        """Look again, say more, bundle."""
        return (
            Key(name="diagnostics.run", keys=("r",), does="look at everything again", run=self.look, footer="look again",
                command="diagnose"),
            Key(name="diagnostics.verbose", keys=("v",), does="the agent says more in its log for ten minutes, or no more",
                run=self.turn_verbose, footer="verbose", command="log-level debug --for 10m", changes=True),
            Key(name="diagnostics.flare", keys=("x",), does="write the redacted support bundle", run=self.flare,
                footer="bundle", command="flare"),
        )  # fmt: skip

    def opened(self) -> None:
        """The first time it looks by itself."""
        if not self.checks.rows and not self.running:
            self.shell.run_async(self.look)

    def arrived(self, about: Any) -> None:
        """Select what is known of a component."""
        for one in self.checks.rows:
            if one.component == about:
                self.checks.select((one.group, one.name, one.component))
                self._advise(one)
                return

    async def live(self) -> None:
        """Follow the agent's log, whenever there is one."""
        while True:
            try:
                async with self.follow(LOG, LogGiven(lines=200)) as stream:
                    self.log.clear()
                    async for told in stream:
                        if told.skipped:
                            self.log.add(
                                [[("class:dim", f" {told.skipped} lines came too fast to be shown")]]
                            )
                        self.log.add(_laid(line) for line in told.lines)
                        if self.showing:
                            self.shell.changed()
            except YaatError as error:
                self.log.empty = error.what
            await trio.sleep(_AGAIN)

    async def look(self) -> None:
        """Do every check."""
        if self.running:
            self.shell.notify("it is looking already")
            return
        self.running = True
        self.checks.empty = "looking ..."
        self.shell.changed()
        try:
            found = await self.call(DIAGNOSE, Checks())
        except YaatError as error:
            self.checks.empty = error.what
            raise
        finally:
            self.running = False
        self.when = f"{datetime.now():%H:%M:%S}"
        self.checks.rows = sorted(found.checks, key=lambda one: _RANK[one.level])
        if self.checks.selected is not None:
            self._advise(self.checks.selected)
        self.shell.changed()

    async def turn_verbose(self) -> None:
        """More in the log for a time, or as before."""
        given = LevelGiven() if self.verbose else LevelGiven(level="debug", seconds=_VERBOSE)
        now = await self.call(LOG_LEVEL, given)
        self.verbose = not self.verbose
        self.shell.notify(
            f"the agent's log says {now.level} and worse" + (" for ten minutes" if self.verbose else "")
        )

    async def flare(self) -> None:
        """Show what goes in, then write it."""
        self.shell.notify("putting the bundle together ...")
        found = await self.call(FLARE_WRITE, Nothing())
        await self.shell.message("What the support bundle holds", _told(found))
        values = await self.shell.fill_in(
            "Write the support bundle",
            [
                FieldSpec(
                    name="file",
                    help="a .tar.gz that only you can read",
                    value=f"yaat-flare-{datetime.now():%Y%m%d-%H%M%S}.tar.gz",
                    required=True,
                )
            ],
            yes="Write",
        )
        if values is None:
            return
        written = await trio.to_thread.run_sync(_written, found, values["file"])
        self.shell.notify(f"{values['file']} written, {size(written)}")

    # --- how it looks

    def _title(self) -> str:
        bad = sum(one.level == "error" for one in self.checks.rows)
        doubtful = sum(one.level == "warn" for one in self.checks.rows)
        if self.running:
            return "Checks: looking ..."
        if not self.when:
            return "Checks"
        return f"Checks at {self.when}: {bad} errors, {doubtful} warnings"

    def _log_title(self) -> str:
        return "Log of the agent, verbose" if self.verbose else "Log of the agent"

    def _sign(self, one: Check) -> tuple[str, str]:
        state = {"error": "error", "warn": "warn", "ok": "ok", "skipped": "skipped"}[one.level]
        style, text = mark(state, self.shell.glyphs)
        return style, text.replace("warn", "warning") if one.level == "warn" else text

    def _advise(self, one: Check) -> None:
        self.advice.text = _in_full(one)

    def _advice_style(self, line: str) -> str:
        return "class:strong" if line.startswith("to do: ") else ""

    async def _show(self, one: Check) -> None:
        await self.shell.message(f"{GROUPS.get(one.group, one.group)}: {one.name}", _in_full(one))


def _written(flare: Flare, name: str) -> int:
    from yaat_core.flare.packing import pack

    return pack(flare, Path(name).expanduser())


def _in_full(one: Check) -> str:
    lines = [f"{one.component or one.name}: {_WORDS[one.level]}", "", one.what]
    if one.advice:
        lines += ["", f"to do: {one.advice}"]
    if one.seconds >= 0.1:
        lines += ["", f"looked for {one.seconds:.1f} s"]
    return "\n".join(lines)


def _laid(line: LogLine) -> Line:
    """A record as one line; a traceback's lines are joined by a sign."""
    style = _STYLES.get(line.level, "")
    return [
        ("class:dim", f" {line.time[11:19]} "),
        (style, f"{line.level:<8}"),
        ("", f"{safe(line.logger.removeprefix('yaat.'))}: {safe(line.message.replace(chr(10), ' | '))}"),
    ]


def _told(flare: Flare) -> str:
    rows = [
        f"{one.name:<32} {size(one.bytes):>9}  {one.why}"
        + (f"; redacted: {sum(one.redacted.values())}" if one.redacted else "")
        for one in flare.files
    ]
    left = [f"left out: {one.name}: {one.why}" for one in flare.left_out]
    scanned = (
        []
        if flare.scanned
        else ["", "No redaction plugin looked through it: only known secrets are taken out."]
    )
    return "\n".join([*rows, "", *left, *scanned, "", "Close this to choose a file, or to leave it."])
