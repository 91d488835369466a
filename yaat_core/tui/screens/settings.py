"""Settings: how the TUI looks and which keys do what. Kept in a file of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs

from yaat_core.tui import settings, themes
from yaat_core.tui.helping import global_keys
from yaat_core.tui.keys import Key, keys_of, labels
from yaat_core.tui.layout import Columns, Node, Pane, Rows
from yaat_core.tui.screen import Screen
from yaat_core.tui.text import wrap
from yaat_core.tui.widgets.base import Label
from yaat_core.tui.widgets.table import Column, Table


@attrs.frozen(kw_only=True)
class Setting:
    """One thing that can be set, and its values in turn."""

    name: str
    what: str
    values: Sequence[Any]


_SETTINGS = (
    Setting(name="theme", what="colours", values=("dark", "light", "contrast", "plain")),
    Setting(name="glyphs", what="signs: by the locale, UTF-8, plain", values=("auto", "utf8", "ascii")),
    Setting(name="refresh", what="seconds between two redraws", values=(0.2, 0.5, 1.0, 2.0, 5.0)),
    Setting(name="mouse", what="the mouse chooses and scrolls (off: it selects text)", values=(True, False)),
    Setting(name="utc", what="times in UTC, or of this machine", values=(True, False)),
)


class SettingsScreen(Screen):
    """What can be set, and every key by its name."""

    help = """\
Enter or Space goes to the next value; it is shown at once. Ctrl-S keeps the settings in the file; until then they hold
for this run. Keys are changed in the file: under `keys`, the name of what a key does and its keys."""

    def layout(self) -> Node:
        """Settings, and the key table."""
        self.table: Table[Setting] = Table(
            [
                Column(title="setting", value=lambda one: one.name, least=8),
                Column(title="value", value=self._value, least=8, style=lambda _: "class:strong"),
                Column(title="what it is", value=lambda one: one.what, least=12, stretch=True, drop=1),
            ],
            identity=lambda one: one.name,
            open=self._next,
            open_does="next value",
        )
        self.table.name = "settings"
        self.table.rows = _SETTINGS
        self.names: Table[Key] = Table(
            [
                Column(title="keys", value=lambda one: labels(keys_of(one, self.shell.overrides)), least=8),
                Column(title="name", value=lambda one: one.name, least=10, style=lambda _: "class:dim"),
                Column(title="does", value=lambda one: one.does, least=12, stretch=True, drop=1),
            ],
            identity=lambda one: one.name,
        )
        self.names.name = "keys"
        self.names.rows = list(global_keys(self.shell))
        return Rows(
            Columns(
                Pane(self.table, "Settings"), Pane(self.names, "Keys everywhere", weight=2), stack_below=100
            ),
            Pane(Label(self._where), size=4),
        )

    def keys(self) -> Sequence[Key]:
        """Saving."""
        return (
            Key(
                name="settings.next", keys=("space",), does="next value", run=self._space, footer="next value"
            ),
            Key(name="settings.save", keys=("c-s",), does="keep the settings", run=self.save, footer="save"),
        )

    def _value(self, one: Setting) -> str:
        value = getattr(self.shell.settings, one.name)
        return ("on" if value else "off") if isinstance(value, bool) else str(value)

    def _space(self) -> None:
        if self.table.selected is not None:
            self._next(self.table.selected)

    def _next(self, one: Setting) -> None:
        mine = self.shell.settings
        before = getattr(mine, one.name)
        values = list(one.values)
        at = values.index(before) if before in values else -1
        setattr(mine, one.name, values[(at + 1) % len(values)])
        self.shell.glyphs = themes.glyphs_for(mine.glyphs)
        undo: Callable[[], Any] = lambda: self._set(one.name, before)  # noqa: E731
        self.shell.notify(f"{one.name}: {self._value(one)}", undo=undo)

    async def _set(self, name: str, value: Any) -> None:
        setattr(self.shell.settings, name, value)
        self.shell.glyphs = themes.glyphs_for(self.shell.settings.glyphs)

    def save(self) -> None:
        """Into the file."""
        file = settings.place()
        settings.save(self.shell.settings, file)
        self.shell.notify(f"kept in {file}")

    def _where(self, width: int, height: int) -> list[Any]:
        text = f"Ctrl-S keeps them in {settings.place()}\nOther keys, in that file:  keys: {{mouse: [f3], leave: [Q]}}"
        return [[("class:dim", f" {line}")] for line in wrap(text, width - 2)]
