"""A panel whose parts raise is named in its place; the TUI goes on."""

from __future__ import annotations

from support.tui import Site

_PANEL = '''
"""A panel that can't be drawn."""
from yaat_core import hookimpl
from yaat_core.panels import Panel
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Columns, Pane
from yaat_core.tui.screen import Screen
from yaat_core.tui.widgets.base import Label, Widget

@hookimpl
def panels():
    return [Panel(name="shaky", title="Shaky", summary="it breaks", screen=f"{__name__}:Shaky", key="9")]

class Bad(Widget):
    name = "bad"
    bad = False

    def draw(self, width, height, *, focused):
        if self.bad:
            raise ZeroDivisionError("no drawing\\x1b[2J today")
        return [[("", "drawn well")]]

    def note(self):
        if self.bad:
            raise KeyError("no note")
        return ""

class Shaky(Screen):
    def layout(self):
        self.widget = Bad()
        return Columns(Pane(self.widget, "Left"), Pane(Label(lambda *_: [[("", "the other pane")]]), "Right"))

    def keys(self):
        return (Key(name="shaky.turn", keys=("b",), does="break or mend", run=self.turn, footer="break"),)

    def turn(self):
        self.widget.bad = not self.widget.bad
'''


def test_a_pane_that_can_not_be_drawn_is_named_in_its_place(site: Site) -> None:
    (site.folder / "plugins" / "shaky.py").write_text(_PANEL)
    site.agent.start()
    with site.tui("--screen", "shaky", columns=100, rows=30) as terminal:
        terminal.wait_for("drawn well", "the other pane", "9 Shaky", "b:break")
        terminal.send("b")
        terminal.wait_for(
            "ZeroDivisionError: no drawing\\x1b[2J today", "This pane can't be drawn", "shaky.py:"
        )
        assert "the other pane" in terminal.text
        terminal.send("1")
        terminal.wait_for("Throughput", "healthy")
        terminal.send("9")
        terminal.wait_for("ZeroDivisionError")
        terminal.send("b")
        terminal.wait_for("drawn well")
        terminal.wait_gone("ZeroDivisionError")
        terminal.send("c-q")
        assert terminal.ended() == 0
