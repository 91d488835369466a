"""What is taken out of events, with examples from the lines that were read here."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

import trio

from yaat_core.errors import YaatError
from yaat_core.setting_up import samples
from yaat_core.setting_up.samples import Redacted
from yaat_core.tui.layout import Pane, Rows
from yaat_core.tui.screens.setup.wish import REDACTIONS
from yaat_core.tui.widgets.table import Column, Table
from yaat_core.tui.widgets.tabs import Step
from yaat_core.tui.widgets.viewing import Diff

if TYPE_CHECKING:
    from yaat_core.tui.screens.setup.screen import SetupScreen

_KEEP: Final = "as it is"
_MEANS: Final = {
    "secrets": "passwords, keys, tokens, card numbers (usual)",
    "secrets and personal data": "also e-mail, phone, IBAN, IP addresses",
    "nothing": "everything is stored and sent as it is",
    _KEEP: "what the configuration says stays",
}
#: Examples that are shown.
_SHOWN: Final = 30


class Redaction:
    """The step."""

    def __init__(self, screen: SetupScreen) -> None:
        self.screen = screen
        self.table: Table[str] = Table(
            [
                Column(title="take out", value=str, least=12),
                Column(title="which is", value=lambda name: _MEANS[name], least=20, stretch=True),
            ],
            open=lambda _: self.screen.wizard.next(),
            open_does="next step",
            open_footer="next step",
        )
        self.table.on_select = lambda _: self.screen.shell.run_async(self.look)
        self.examples = Diff(empty="looking at the lines ...")
        self.examples.name = "before and after"
        self._note = ""
        self._known: dict[tuple[str, int], Redacted] = {}

    def step(self) -> Step:
        """As the wizard takes it."""
        return Step(
            title="Redaction",
            text="What is taken out before anything is stored or sent. The examples are lines of your own logs; what would be "
            "taken out is hidden here, too.",
            node=Rows(
                Pane(self.table, size=5), Pane(self.examples, lambda: f"Before (-) and after (+){self._note}")
            ),
            optional=True,
            enter=self.enter,
            check=self.check,
            skip=self.skip,
        )

    async def enter(self) -> None:
        """The choices, and the examples of the one that is selected."""
        wish = self.screen.wish
        names = [
            *([] if wish.new else [_KEEP]),
            *(name for name in REDACTIONS if wish.new or name != "nothing"),
        ]
        self.table.rows = names
        self.table.select(_KEEP if wish.keep_redaction else wish.redaction)
        await self.look()

    async def look(self) -> None:
        """What the selected one does to the lines of the chosen sources."""
        screen, name = self.screen, self.table.selected or "secrets"
        lines = {one: some for one, some in screen.samples.items() if one in screen.wish.chosen}
        total = sum(map(len, lines.values()))
        self._note = ""
        if name in ("nothing", _KEEP) or not total:
            self.examples.text = ""
            self.examples.empty = {
                "nothing": "Nothing is taken out.",
                _KEEP: "`yaat scrub test FILE` shows what it does.",
            }.get(name, "No lines were read of the chosen sources, so there are no examples.")
            screen.shell.changed()
            return
        known = self._known.get((name, total))
        if known is None:
            work = partial(samples.redact, lines, REDACTIONS[name], screen.shell.plugins, screen.place.path)
            try:
                known = await trio.to_thread.run_sync(work)
            except YaatError as error:
                self.examples.text, self.examples.empty = "", error.what
                screen.shell.changed()
                return
            self._known[name, total] = known
        if self.table.selected == name:
            self._show(known)

    def _show(self, known: Redacted) -> None:
        kinds = ", ".join(f"{number} {kind}" for kind, number in known.counts.items())
        self._note = f": {known.changed} of {known.lines} lines" + (f" ({kinds})" if kinds else "")
        self.examples.empty = f"Nothing would be taken out of the {known.lines} lines that were looked at."
        self.examples.text = "\n".join(
            f"@ {one.source}: {', '.join(one.kinds)}\n-{one.before}\n+{one.after}"
            for one in known.examples[:_SHOWN]
        )
        self.screen.shell.changed()

    async def check(self) -> str:
        """The selected one is taken."""
        wish, name = self.screen.wish, self.table.selected
        wish.keep_redaction = name == _KEEP
        if name and name != _KEEP:
            wish.redaction = name
        return ""

    async def skip(self) -> None:
        """The usual."""
        wish = self.screen.wish
        wish.redaction, wish.keep_redaction = "secrets", not wish.new
