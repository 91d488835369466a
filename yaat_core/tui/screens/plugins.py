"""Plugins: what is installed, what is broken and why, what each offers; which are not to be loaded."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import attrs
import trio

from yaat_core.actions.agent import CONFIG_SHOW
from yaat_core.actions.base import Nothing
from yaat_core.actions.config import CONFIG_SET, CONFIG_TEXT, CONFIG_UNDO, SetGiven, TextGiven, UndoGiven
from yaat_core.config.editing import disabling
from yaat_core.config.editing.typed import assignments
from yaat_core.config.fields import keys_of
from yaat_core.config.finding import disabled_in
from yaat_core.plugins import PluginState
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Columns, Node, Pane
from yaat_core.tui.screen import Screen
from yaat_core.tui.screens.components.asking import agreed
from yaat_core.tui.text import safe
from yaat_core.tui.themes import mark
from yaat_core.tui.widgets.table import Column, Table
from yaat_core.tui.widgets.viewing import Viewer


class PluginsScreen(Screen):
    """A list, and the selected one in full."""

    help = """\
State says what became of each plugin when this TUI started; the agent loaded the same ones when it did. One that failed
shows its traceback; every other plugin works. D writes into the configuration (plugins.disable) that the selected one is
not to be loaded, or is again; the agent has to be restarted for that, and u takes it back."""

    def layout(self) -> Node:
        """List and details."""
        self.written: list[str] = []
        self.looked = False
        self.list: Table[PluginState] = Table(
            [
                Column(title="plugin", value=lambda one: one.name, least=12, stretch=True),
                Column(title="version", value=lambda one: one.version, least=6, drop=2),
                Column(title="state", value=lambda one: mark(one.state, self.shell.glyphs)[1], least=8,
                       style=lambda one: mark(one.state, self.shell.glyphs)[0]),
                Column(title="offers", value=_offers, least=8, drop=1),
            ],
            identity=lambda one: (one.distribution, one.name),
            empty="no plugin is installed: pip install yaat",
            open=lambda _: self.shell.focus(self.details),
            open_does="read about it",
        )  # fmt: skip
        self.list.name = "plugins"
        self.details = Viewer(style=_style)
        self.details.name = "about the plugin"
        self.list.on_select = lambda one: self._about(one)
        self.list.rows = sorted(self.shell.plugins.states, key=lambda one: (one.state != "failed", one.name))
        self._about(self.list.selected)
        return Columns(
            Pane(self.list, self._title, weight=2),
            Pane(self.details, lambda: self.list.selected.name if self.list.selected else "", weight=3),
            stack_below=90,
        )

    def keys(self) -> Sequence[Key]:
        """Problems first."""
        return (
            Key(name="plugins.switch", keys=("D",), does="do not load the selected one any more, or load it again",
                run=self.switch, footer="off/on", command="config set", changes=True),
            Key(name="plugins.broken", keys=("e",), does="next one that failed", run=self._next_failed,
                footer="next failed", when=lambda: any(one.state == "failed" for one in self.list.rows)),
        )  # fmt: skip

    # --- not to be loaded

    async def switch(self) -> None:
        """Show the change of `plugins.disable`, ask, and write it."""
        one = self.list.selected
        if one is None:
            return
        shown = (await self.call(CONFIG_SHOW, Nothing())).configuration
        await self._look()
        written = self.written
        off = not disabling.listed(written, one)
        if off and (users := disabling.users(one, shown)):
            self.shell.notify(
                f"{', '.join(users)} needs {one.name}: take that out of the configuration first"
                if len(users) == 1
                else f"{', '.join(users)} need {one.name}: take them out of the configuration first",
                error=True,
            )
            return
        await self._written(one, disabling.change(written, one, off=off), off=off)

    async def _look(self) -> None:
        """What the files say now, which the agent may not have taken up yet."""
        file = Path((await self.call(CONFIG_TEXT, TextGiven())).path)
        self.written = list(await trio.to_thread.run_sync(disabled_in, file))
        self.looked = True

    async def _written(self, one: PluginState, names: list[str], *, off: bool) -> None:
        given = SetGiven(set={disabling.KEY: names})
        plan = await self.call(CONFIG_SET, attrs.evolve(given, dry_run=True))
        what = "not loaded any more" if off else "loaded again"
        if not await agreed(
            self.shell,
            f"Do not load {one.name}?" if off else f"Load {one.name} again?",
            plan,
            yes="Turn it off" if off else "Turn it on",
            command=self._line(names),
            danger=off,
            note=f"{one.name} is {what} from the agent's next start on: restart it",
        ):
            return
        await self.call(CONFIG_SET, attrs.evolve(given, hash=plan.hash))
        await self._look()
        self.shell.notify(f"written; {one.name} is {what} after a restart of the agent", undo=self._undo)

    async def _undo(self) -> None:
        await self.call(CONFIG_UNDO, UndoGiven())
        await self._look()
        self.shell.notify("taken back")

    def _line(self, names: list[str]) -> str:
        words = ["yaat", "config", "set", *assignments({disabling.KEY: names})]
        return shlex.join([*words, *(["-c", self.shell.config_option] if self.shell.config_option else [])])

    # --- how it looks

    def _title(self) -> str:
        failed = sum(1 for one in self.list.rows if one.state == "failed")
        return f"Plugins: {len(self.list.rows)}" + (f", {failed} failed" if failed else "")

    def _next_failed(self) -> None:
        failed = [one for one in self.list.shown if one.state == "failed"]
        if not failed:
            self.shell.notify("no plugin failed")
            return
        at = failed.index(self.list.selected) + 1 if self.list.selected in failed else 0
        self.list.select(self.list.identity(failed[at % len(failed)]))
        self._about(self.list.selected)

    def update(self) -> None:
        """The details follow the selection."""
        self._about(self.list.selected)

    def _about(self, one: PluginState | None) -> None:
        text = "\n".join(self._lines(one)) if one else ""
        if text != self.details.text:
            self.details.text, self.details.top = text, 0

    def _lines(self, one: PluginState) -> Iterator[str]:
        yield f"# {one.distribution} {one.version}"
        if one.manifest is not None and one.manifest.summary:
            yield one.manifest.summary
        yield ""
        yield f"state: {one.state.replace('_', ' ')}" + (f": {one.reason}" if one.reason else "")
        if self.looked and disabling.listed(self.written, one) != (one.state == "disabled"):
            yield f"{'not loaded' if one.state != 'disabled' else 'loaded'} after a restart of the agent"
        if one.state == "failed":
            yield "every other plugin works; reinstall or update it, or turn it off (D)"
        if one.traceback:
            yield ""
            yield one.traceback.rstrip()
        for kind, types in sorted(one.components.items()):
            for name, summary in sorted(types.items()):
                yield ""
                yield f"# {kind}: {name}"
                yield summary
                yield from self._options(kind, name)
        if one.manifest is not None and one.manifest.commands:
            yield ""
            yield "# commands"
            for name, command in sorted(one.manifest.commands.items()):
                yield f"  yaat {name}: {command.summary}"
        if one.hooks:
            yield ""
            yield f"hooks: {', '.join(one.hooks)}"

    def _options(self, kind: str, name: str) -> Iterator[str]:
        types = self.shell.plugins.registry.types.values()
        known = next((one for one in types if (one.kind, one.name) == (kind, name)), None)
        if known is None:
            return
        for key in keys_of(known.config):
            described = attrs.fields_dict(known.config).get(key.name)
            help_text = described.metadata.get("help", "") if described is not None else ""
            yield f"  {key.name}: {help_text}"

    def command_line(self) -> str:
        """Of the selected one."""
        return f"plugins show {self.list.selected.name}" if self.list.selected else "plugins list"


def _offers(one: PluginState) -> str:
    kinds = [f"{kind}: {', '.join(sorted(names))}" for kind, names in one.components.items() if names]
    commands = [f"yaat {name}" for name in one.manifest.commands] if one.manifest else []
    return safe("; ".join([*kinds, *commands]))


def _style(line: str) -> str:
    return "class:title" if line.startswith("# ") else ""
