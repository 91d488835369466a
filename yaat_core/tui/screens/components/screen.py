"""Sources, processors, sinks: three lists, and everything that can be done with a component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs

from yaat_core.actions.agent import CONFIG_SHOW
from yaat_core.actions.base import Nothing
from yaat_core.actions.components import (
    COMPONENTS_GET,
    COMPONENTS_LIST,
    COMPONENTS_REMOVE,
    COMPONENTS_TEST,
    COMPONENTS_TYPES,
    ComponentInfo,
    ComponentKind,
    GetGiven,
    ListGiven,
    RemoveGiven,
    TestGiven,
    TypesGiven,
)
from yaat_core.actions.config import CONFIG_UNDO, UndoGiven
from yaat_core.actions.ordering import COMPONENTS_MOVE, MoveGiven
from yaat_core.config.editing.results import Applied
from yaat_core.config.editing.types import TypeInfo
from yaat_core.errors import UsageError, YaatError
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Columns, Node, Pane
from yaat_core.tui.screen import Screen
from yaat_core.tui.screens.components import adding, asking, lines
from yaat_core.tui.screens.components.rows import Row, facts, rows, table
from yaat_core.tui.screens.components.sampled import Sampled
from yaat_core.tui.screens.components.sheet import Draft, Sheet
from yaat_core.tui.widgets.table import Table
from yaat_core.tui.widgets.tabs import Tabs
from yaat_core.tui.widgets.viewing import Facts

if TYPE_CHECKING:
    from yaat_core.panels import Panel
    from yaat_core.tui.shell import Shell

_TABS: Final[Mapping[str, ComponentKind]] = {
    "Sources": "sources",
    "Processors": "processors",
    "Sinks": "sinks",
}
_FACTS: Final = "nothing is selected"


class ComponentsScreen(Screen):
    """A tab for each kind; a list, and beside it the selected component."""

    help = """\
Sources read, processors change or drop, sinks deliver; < and > go through the three. Enter tells how one is and which options
are in force. a adds one: choose what was found on this machine, or a type; the form shows sample lines as they would be
read, redacted, before anything is written. c changes one, t tries it, D takes it out. Each change is shown as a difference
first, and u, or `yaat config undo`, takes it back. { and } move a processor up and down: events go through them in this order."""

    def __init__(self, shell: Shell, panel: Panel) -> None:
        super().__init__(shell, panel)
        self.infos: Sequence[ComponentInfo] = ()
        self.in_force: Mapping[str, Any] = {}
        self.problem = ""
        self._types: dict[ComponentKind, Sequence[TypeInfo]] = {}
        self._seen: object = None

    def layout(self) -> Node:
        """Lists at the left; details where there is room."""
        self.lists: dict[ComponentKind, Table[Row]] = {}
        self.details: dict[ComponentKind, Facts] = {}
        tabs: list[tuple[str, Node]] = []
        for title, kind in _TABS.items():
            self.lists[kind] = table(kind, lambda: self.shell, self.show)
            self.lists[kind].on_select = lambda _: self._detail()
            self.details[kind] = Facts(empty=_FACTS)
            tabs.append((title, self._tab(kind)))
        self.tabs = Tabs(*tabs, changed=lambda _: self._detail())
        return self.tabs

    def _tab(self, kind: ComponentKind) -> Node:
        return Columns(
            Pane(self.lists[kind], lambda: self._title(kind), weight=3),
            Pane(self.details[kind], lambda: self._about(kind), weight=2, needs=(120, 0)),
        )

    def keys(self) -> Sequence[Key]:
        """Add, change, test, remove, move."""

        def processors() -> bool:
            return self.kind == "processors"

        return (
            Key(name="components.add", keys=("a",), does="add one: from what was found here, or by type", run=self.add,
                footer="add", command="sources add", changes=True),
            Key(name="components.change", keys=("c",), does="change the selected one", run=self.change, footer="change",
                command="sources edit", changes=True),
            Key(name="components.test", keys=("t",), does="try it: sample lines of a source, the check of a sink",
                run=self.test, footer="test", command="sources test"),
            Key(name="components.remove", keys=("D", "delete"), does="take it out of the configuration", run=self.remove,
                footer="remove", command="sources remove", changes=True),
            Key(name="components.up", keys=("{",), does="processor: one place up", run=lambda: self.move(-1),
                footer="up", command="processors move", changes=True, when=processors),
            Key(name="components.down", keys=("}",), does="processor: one place down", run=lambda: self.move(1),
                footer="down", command="processors move", changes=True, when=processors),
            Key(name="components.load", keys=("r",), does="look again at the files", run=self.load),
        )  # fmt: skip

    # --- what shows

    @property
    def kind(self) -> ComponentKind:
        """Of the tab in front."""
        return _TABS[self.tabs.name]

    @property
    def selected(self) -> Row | None:
        """What keys act on."""
        return self.lists[self.kind].selected

    def opened(self) -> None:
        """Look at the files: another program may have written them."""
        self.shell.run_async(self.load)

    def arrived(self, about: Any) -> None:
        """``sources.app``, or a kind."""
        kind, _, name = str(about).partition(".")
        title = next((title for title, one in _TABS.items() if one == kind), "Sources")
        self.tabs.show(title)
        if name:
            self.lists[self.kind].select(f"{kind}.{name}")
        self._detail()

    def update(self) -> None:
        """New rates; the files again when the agent took another configuration up."""
        store = self.shell.store
        status = store.status if store.live else None
        taken = status.configuration if status else None
        seen = (taken.hash, taken.loaded_at) if taken else None
        if seen != self._seen:
            before, self._seen = self._seen, seen
            if before is not None or self.infos:
                self.shell.run_async(self.load)
        self._fill()

    async def load(self) -> None:
        """The components as they are written, and the options in force."""
        try:
            found = await self.call(COMPONENTS_LIST, ListGiven())
            self.infos, self.problem = found.components, ""
        except YaatError as error:
            self.problem = error.what
        try:
            self.in_force = (await self.call(CONFIG_SHOW, Nothing())).configuration
        except YaatError:
            self.in_force = {}  # the list has what is written; `problem` says what is wrong
        self._fill()
        self.shell.changed()

    def _fill(self) -> None:
        for kind, list_ in self.lists.items():
            list_.rows = rows([one for one in self.infos if one.kind == kind], self.shell)
        self._detail()

    def _detail(self) -> None:
        row = self.selected
        self.details[self.kind].facts = self._facts(row) if row else []

    def _facts(self, row: Row) -> list[Any]:
        return facts(row, self.shell, self._options_of(row))

    def _options_of(self, row: Row) -> Mapping[str, Any] | None:
        section = self.in_force.get(row.info.kind)
        if isinstance(section, Mapping):
            return section.get(row.info.name)
        for one in section or ():
            if (one.get("name") or one.get("type")) == row.info.name:
                found: Mapping[str, Any] = one
                return found
        return None

    def _title(self, kind: ComponentKind) -> str:
        if self.problem:
            return f"{kind.capitalize()}: {self.problem}"
        number = len(self.lists[kind].rows)
        runs = "" if self.shell.store.live else ", no agent runs"
        order = ", in their order" if kind == "processors" and number > 1 else ""
        return f"{number} {kind if number != 1 else kind.removesuffix('s')}{order}{runs}"

    def _about(self, kind: ComponentKind) -> str:
        row = self.lists[kind].selected
        return row.info.name if row else "Details"

    def command_line(self) -> str:
        """What would add the selected one elsewhere; with nothing selected, the list."""
        row = self.selected
        if row is None:
            return f"{self.kind} list"
        return lines.add(self.kind, row.info.name, row.info.value, config=self.shell.config_option)

    # --- looking

    async def show(self, row: Row) -> None:
        """Details in a dialog, and what may be done."""
        told = Facts(self._facts(row))
        buttons = {"Test": "test"} if self.shell.read_only else {"Test": "test", "Change": "change"}
        high = min(40, len(told.facts) + 6)
        done = await asking.shown(self.shell, f"{row.id} ({row.info.type})", told, buttons=buttons, high=high)
        if done == "test":
            await self.test()
        elif done == "change":
            await self.change()

    async def test(self) -> None:
        """Try the selected one as it is written."""
        row = self._chosen()
        if row is None:
            return
        self.shell.notify(f"trying {row.id} ...")
        sampled = Sampled()
        given = TestGiven(kind=self.kind, name=row.info.name)
        sampled.found = await self.call(COMPONENTS_TEST, given)
        await asking.shown(self.shell, f"{row.id}: {sampled.summary()}", sampled, wide=150, high=40)

    # --- changing

    async def add(self) -> None:
        """Choose a type, or something that was found; fill it in; write it."""
        kind = self.kind
        draft = await adding.chosen(
            self, kind, await self._known(kind), [one.name for one in self.infos if one.kind == kind]
        )
        if draft is None:
            return
        done = await Sheet(self, draft).filled()
        if done is not None:
            await self._written(done, "added")

    async def change(self) -> None:
        """The form with what is written."""
        row = self._chosen()
        if row is None:
            return
        there = await self.call(COMPONENTS_GET, GetGiven(kind=self.kind, name=row.info.name))
        type = next(
            (one for one in await self._known(self.kind) if one.name == there.value.get("type")), None
        )
        if type is None:
            raise UsageError(
                f"nobody provides the type `{row.info.type}`",
                fix="change it as text on the screen Config, or install its plugin",
            )
        done = await Sheet(
            self, Draft(kind=self.kind, type=type, name=there.name, value=there.value)
        ).filled()
        if done is not None:
            await self._written(done, "changed")

    async def remove(self) -> None:
        """Show what goes, ask, and take it out."""
        row = self._chosen()
        if row is None:
            return
        given = RemoveGiven(kind=self.kind, name=row.info.name)
        plan = await self.call(COMPONENTS_REMOVE, attrs.evolve(given, dry_run=True))
        command = lines.named(self.kind, "remove", row.info.name, config=self.shell.config_option)
        if await asking.agreed(
            self.shell, f"Take {row.id} out?", plan, yes="Take it out", command=command, danger=True
        ):
            await self._written(
                await self.call(COMPONENTS_REMOVE, attrs.evolve(given, hash=plan.hash)), "taken out"
            )

    async def move(self, by: int) -> None:
        """A processor before the one above it, or behind the one below."""
        row, names = self._chosen(), [one.info.name for one in self.lists["processors"].rows]
        if row is None or row.info.name not in names:
            return
        at = names.index(row.info.name)
        if not 0 <= at + by < len(names):
            self.shell.notify("it is the first already" if by < 0 else "it is the last already")
            return
        rest = [name for name in names if name != row.info.name]
        before = rest[at + by] if at + by < len(rest) else None
        done = await self.call(COMPONENTS_MOVE, MoveGiven(name=row.info.name, before=before))
        await self._written(done, "moved")
        self.lists["processors"].select(row.id)

    async def undo(self) -> None:
        """Take the last change back."""
        done = await self.call(CONFIG_UNDO, UndoGiven())
        await self.load()
        self.shell.notify("taken back" + (", and the agent goes on with it" if done.reloaded else ""))

    async def _written(self, done: Applied, what: str) -> None:
        await self.load()
        for one in done.changes:
            kind, _, name = one.component.partition(".")
            if kind == self.kind and one.what != "removed":
                self.lists[self.kind].select(f"{kind}.{name}")
        self._detail()
        taken_up = ", and the agent has taken it up" if done.reloaded else ""
        for note in done.notes:
            self.shell.notify(note)
        self.shell.notify(f"{what}{taken_up}", undo=self.undo)

    def _chosen(self) -> Row | None:
        if self.selected is None:
            self.shell.notify("nothing is selected: a adds one")
        return self.selected

    async def _known(self, kind: ComponentKind) -> Sequence[TypeInfo]:
        if kind not in self._types:
            self._types[kind] = (await self.call(COMPONENTS_TYPES, TypesGiven(kind=kind))).types
        return self._types[kind]
