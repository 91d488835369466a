"""The full screen as prompt-toolkit draws it: bars, the screen in front, dialogs over it, the footer."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.filters import Condition
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout.containers import (
    AnyContainer,
    ConditionalContainer,
    DynamicContainer,
    Float,
    FloatContainer,
    HSplit,
    Window,
)
from prompt_toolkit.layout.layout import Layout
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.styles import DynamicStyle

from yaat_core.tui import palette, themes
from yaat_core.tui.commands import Commands
from yaat_core.tui.keys import Key, bindings, keys_of, label
from yaat_core.tui.layout import exactly, share
from yaat_core.tui.shell import Shell
from yaat_core.tui.text import Line, cells, columns, fit_line, safe, span
from yaat_core.tui.widgets.base import Label
from yaat_core.tui.widgets.editor import Editor


def make(shell: Shell, *, input: Input | None = None, output: Output | None = None) -> Application[Any]:
    """The application of a shell."""
    bars = Bars(shell)
    empty = Window()

    def body() -> AnyContainer:
        if shell.zoomed is not None:
            return shell.zoomed.container()
        opened = shell.panels.opened(shell.current)
        return opened.container if opened else empty

    tall = Condition(lambda: shell.size[1] >= 10)
    root = FloatContainer(
        HSplit(
            [
                _row(bars.top, shell),
                ConditionalContainer(_row(bars.tabs, shell), tall),
                ConditionalContainer(_row(bars.banner, shell), Condition(lambda: bool(bars.trouble()))),
                HSplit([DynamicContainer(body)], height=share()),
                ConditionalContainer(
                    palette.search_field(shell).window, Condition(lambda: shell.searching is not None)
                ),
                ConditionalContainer(_row(bars.status, shell), Condition(lambda: shell.searching is None)),
                ConditionalContainer(_row(bars.footer, shell), tall),
            ]
        ),
        floats=[
            Float(
                ConditionalContainer(
                    DynamicContainer(lambda: shell.dialogs[-1].container(shell) if shell.dialogs else empty),
                    Condition(shell.in_dialog),
                ),
                width=lambda: shell.dialogs[-1].size(*shell.size)[0] if shell.dialogs else 0,
                height=lambda: shell.dialogs[-1].size(*shell.size)[1] if shell.dialogs else 0,
            ),
            Float(CompletionsMenu(max_height=10, scroll_offset=1), xcursor=True, ycursor=True),
        ],
    )
    app: Application[Any] = Application(
        layout=Layout(root),
        key_bindings=_global(shell),
        full_screen=True,
        mouse_support=Condition(lambda: shell.settings.mouse),
        style=DynamicStyle(lambda: shell.style),
        color_depth=ColorDepth.DEPTH_1_BIT if themes.without_colour() else None,
        input=input,
        output=output,
    )
    app.ttimeoutlen = 0.05
    app.timeoutlen = 0.1
    return app


def _row(lines: Any, shell: Shell) -> Window:
    label = Label(lambda width, _: [lines(width)])
    label.shell = shell
    label.window.height = exactly(1)
    return label.window


def _global(shell: Shell) -> KeyBindings:
    made: KeyBindings = bindings(Commands(shell).table(), shell)
    return made


class Bars:
    """The rows around the screen in front."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell
        self.host = socket.gethostname()

    def top(self, width: int) -> Line:
        """Who, how it is, since when, what time it is."""
        shell, store = self.shell, self.shell.store
        left: Line = [("class:bar.name", " YAAT "), ("class:bar", f" {safe(self.host)} ")]
        if store.status is not None and store.live:
            health = store.status.health
            errors = sum(1 for one in health.problems if one.level == "error")
            kind = "error" if errors else "warn" if health.problems else "ok"
            word = {"error": "unhealthy", "warn": "warnings", "ok": "healthy"}[kind]
            sign = getattr(shell.glyphs, kind)
            left.append((f"class:bar class:{kind}", f" {sign} {word} "))
            left.append(("class:bar", f" up {span(store.status.uptime_seconds)} "))
            if health.problems:
                left.append(("class:bar class:warn", f" {shell.glyphs.warn}{len(health.problems)} "))
        if shell.read_only:
            left.append(("class:bar class:warn", " LOCKED "))
        now = datetime.now(UTC) if shell.settings.utc else datetime.now().astimezone()
        zone = "UTC" if shell.settings.utc else now.strftime("%Z")
        right: Line = [("class:bar", f"{now:%H:%M:%S} {zone} ")]
        return [(f"class:bar {style}", text) for style, text in columns(left, right, width)]

    def tabs(self, width: int) -> Line:
        """The screens by their digits; titles get shorter until all fit."""
        shell = self.shell
        current = shell.current.panel.name if shell.current else ""
        tabs = [(digit, panel.title, panel.name == current) for digit, panel in shell.panels.tabs.items()]
        hidden = shell.current.panel.title if shell.current and not any(on for *_, on in tabs) else ""
        tabs.append(("0", hidden or "More", bool(hidden)))
        for longest, space in ((20, " "), *((most, "") for most in range(20, -1, -1))):
            line: Line = [("", "" if space else " ")]
            for digit, title, on in tabs:
                style = "class:tab.on" if on else "class:tab"
                name = title if on and longest else title[:longest]
                line += [
                    (style, f"{space}{digit} {name}{space}" if name else f"{space}{digit}{space}"),
                    ("class:rule", shell.glyphs.bar),
                ]
            line.pop()
            if sum(cells(text) for _, text in line) <= width:
                break
        return fit_line(line, width)

    def trouble(self) -> str:
        """Why the numbers are not of this moment; empty when they are."""
        shell, store = self.shell, self.shell.store
        if shell.setup_error is not None and shell.setup is None:
            return f"the configuration has errors: {shell.setup_error.what}; 1 has them in full"
        if store.connection == "lost":
            return f"the agent is gone: numbers of {span(store.age)} ago; reconnecting ..."
        if store.connection == "refused" and store.problem is not None:
            return store.problem.line()
        setting_up = shell.current is not None and shell.current.panel.name == "setup"
        if store.connection == "none" and not setting_up:
            return "no agent is running: what is stored can be looked at  ( : start  starts one )"
        if store.live and store.age > 5:
            return f"the agent is silent for {span(store.age)}"
        return ""

    def banner(self, width: int) -> Line:
        """The trouble."""
        return fit_line(
            [("class:banner", f" {self.shell.glyphs.warn} {self.trouble()}")], width, "class:banner"
        )

    def status(self, width: int) -> Line:
        """A notification, or where the numbers come from."""
        shell, store = self.shell, self.shell.store
        toast = shell.toast()
        if toast is not None:
            style = "class:toast.error" if toast.error else "class:toast"
            left = int(toast.until - time.monotonic())
            text = f" {toast.text}" + (f"   u: undo ({left} s)" if toast.undo else "")
            return fit_line([(style, safe(text).replace("\\n", " "))], width, style)
        if store.status is not None and store.live:
            said = f" live, agent pid {store.status.pid}, state {store.status.state_dir}"
        elif store.connection == "connecting" and shell.link is not None:
            said = " connecting ..."
        else:
            said = f" state {shell.state_dir}" if shell.state_dir else ""
        return fit_line([("class:status", said)], width)

    def footer(self, width: int) -> Line:
        """What keys do here, as many as fit."""
        shell = self.shell
        if shell.editing():
            pairs = [*self._while_typing(), ("Esc", "leave the field"), *self._tab_does()]
        elif shell.dialogs:
            pairs = [("Enter", "choose"), ("Tab", "next"), ("Esc", "close")]
        else:
            pairs = self._pairs()
        line: Line = [("", " ")]
        used = 1
        for key, does in pairs:
            need = cells(key) + cells(does) + 3
            if used + need > width:
                break
            line += [("class:key", key), ("class:key.text", f":{does}  ")]
            used += need
        return fit_line(line, width)

    def _while_typing(self) -> list[tuple[str, str]]:
        """What keys do that are no text; in one line Enter accepts it."""
        shell = self.shell
        focused, screen = shell.focused(), shell.current
        own = [*(focused.keys() if focused else ()), *(screen.keys() if screen and not shell.dialogs else ())]
        named = [
            (label(keys[0]), key.footer)
            for key in own
            if key.anywhere and key.footer and key.when() and (keys := keys_of(key, shell.overrides))
        ]
        return named if isinstance(focused, Editor) else [("Enter", "accept"), *named]

    def _tab_does(self) -> list[tuple[str, str]]:
        return [] if isinstance(self.shell.focused(), Editor) else [("Tab", "next field")]

    def _pairs(self) -> list[tuple[str, str]]:
        shell = self.shell
        focused, screen = shell.focused(), shell.current
        own = [*(focused.keys() if focused else ()), *(screen.keys() if screen else ())]
        everywhere: Sequence[Key] = Commands(shell).table()
        general = [key for key in everywhere if key.footer]
        chosen = [key for key in own if key.footer and key.when()]
        if not (focused and focused.searchable):
            general = [key for key in general if key.name != "search"]
        pairs = []
        for key in [*general[:2], *chosen, *general[2:]]:
            keys = keys_of(key, shell.overrides)
            if keys:
                pairs.append((label(keys[0]), key.footer))
        return pairs
