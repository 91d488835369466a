"""One component to fill in: the form, help for its fields, what the lines would become, and the way to the file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs
import trio

from yaat_core.actions.components import (
    COMPONENTS_ADD,
    COMPONENTS_EDIT,
    COMPONENTS_TEST,
    AddGiven,
    ComponentKind,
    EditGiven,
    TestGiven,
)
from yaat_core.config.editing.results import Applied
from yaat_core.config.editing.types import TypeInfo
from yaat_core.config.problems import ConfigError
from yaat_core.errors import UsageError, YaatError
from yaat_core.tui import copying
from yaat_core.tui.dialogs import Buttons, Dialog
from yaat_core.tui.keys import Key
from yaat_core.tui.layout import Columns, Pane, Rows
from yaat_core.tui.screens.components import asking, lines
from yaat_core.tui.screens.components.form import Help, OptionForm
from yaat_core.tui.screens.components.sampled import Sampled

if TYPE_CHECKING:
    from yaat_core.tui.screen import Screen

#: Seconds without typing after which the text is checked; and for which sample lines are read.
_QUIET: Final = 0.6
_READING: Final = 3.0
_ALL: Final = 500
#: Columns from which on the preview is beside the form.
_WIDE: Final = 120
_FIELD: Final = re.compile(r"^(?:sources|sinks)\.[^.\[]+\.|^processors\[\d+\]\.|^processors\.[^.\[]+\.")


@attrs.frozen(kw_only=True)
class Draft:
    """What is filled in. ``name`` is empty for a new component; ``value`` is what is written of it, or proposed."""

    kind: ComponentKind
    type: TypeInfo
    name: str = ""
    value: Mapping[str, Any] = attrs.field(factory=dict)
    proposed: str = ""
    """The name that a new one begins with."""

    @property
    def new(self) -> bool:
        """Is it to be added?"""
        return not self.name


class Sheet(Dialog):
    """Answers with what was written (`Applied`), or None."""

    def __init__(self, screen: Screen, draft: Draft) -> None:
        self.screen, self.draft = screen, draft
        written = {"type": draft.type.name} if draft.new else draft.value
        self.form = OptionForm(
            draft.name or draft.proposed,
            draft.type.options,
            draft.value,
            written=written,
            changed=self._changed,
        )
        self.sampled = Sampled(self._first_told())
        self.checked = ""
        self._typed = trio.Event()
        self._typed.set()
        self._begun = self.form.texts()
        self._asking = False
        buttons = Buttons(["Cancel", "Preview", "Save"], self._press, at=2)
        one = draft.kind.removesuffix("s")
        super().__init__(
            f"Add a {one}: {draft.type.name}"
            if draft.new
            else f"Change the {one} {draft.name} ({draft.type.name})",
            [
                Columns(
                    Rows(
                        Pane(self.form, self._form_title, weight=3),
                        Pane(Help(self.form), "Help", size=4, needs=(0, 16)),
                        Pane(
                            self.sampled,
                            self._preview_title,
                            weight=2,
                            needs=(0, 20),
                            when=lambda: not self._wide(),
                        ),
                        weight=5,
                    ),
                    Pane(self.sampled, self._preview_title, weight=4, when=self._wide),
                    stack_below=_WIDE,
                ),
                Pane(buttons, size=1),
            ],
            wide=_ALL,
            high=_ALL,
            first=self.form,
            keys=self._keys(),
        )

    def _keys(self) -> tuple[Key, ...]:
        return (
            Key(name="component.save", keys=("c-s",), does="show the difference, and write it",
                run=self._save_key, anywhere=True),
            Key(name="component.preview", keys=("c-t",), does="read sample lines, or check the sink",
                run=self._preview_key, anywhere=True),
            Key(name="component.copy", keys=("c-y",), does="copy the command line that does the same",
                run=self._copy, anywhere=True),
            Key(name="component.copy-too", keys=("Y",), does="the same, beside the fields", run=self._copy),
        )  # fmt: skip

    def _wide(self) -> bool:
        return self.screen.shell.size[0] >= _WIDE

    # --- asking

    async def filled(self) -> Applied | None:
        """Show it, check what is typed meanwhile, and wait for its end."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._checking)
            done: Applied | None = await self.screen.shell.ask(self)
            nursery.cancel_scope.cancel()
        return done

    def answer(self, result: Any) -> None:
        """End it; what was typed is not thrown away without asking."""
        buffer = getattr(self.shell.focused(), "buffer", None)
        if result is None and buffer is not None and buffer.complete_state is not None:
            buffer.cancel_completion()
            return
        if result is not None or self.form.texts() == self._begun:
            super().answer(result)
        elif not self._asking:
            self._asking = True
            self.shell.run_async(self._leave)

    async def _leave(self) -> None:
        try:
            leave = await self.shell.confirm(
                "Forget what was typed?", ["Nothing of it was written."], yes="Forget it"
            )
        finally:
            self._asking = False
        if leave:
            super().answer(None)

    def _press(self, at: int) -> None:
        if at == 0:
            self.answer(None)
        else:
            self.shell.run_async(self.save if at == 2 else self.preview)

    def _save_key(self) -> None:
        self.shell.run_async(self.save)

    def _preview_key(self) -> None:
        self.shell.run_async(self.preview)

    def _copy(self) -> None:
        try:
            copying.copy(self.shell, self.command(), "command")
        except UsageError as error:
            self.shell.notify(error.what, error=True)

    # --- checking while one types

    def _changed(self) -> None:
        self._typed.set()

    async def _checking(self) -> None:
        """A moment after typing stops: is it valid, and what would lines become?"""
        while True:
            await self._typed.wait()
            self._typed = trio.Event()
            with trio.move_on_after(_QUIET) as quiet:
                await self._typed.wait()
            if not quiet.cancelled_caught:
                continue
            if await self._valid():
                if self.draft.kind == "sources":
                    self.sampled.told = "reading sample lines ..."
                    await self._sample()
            elif self.form.texts() == self._begun:  # nothing was typed yet: nothing is wrong yet
                self.checked, self.form.refused = "", {}
            self.shell.changed()

    async def _valid(self) -> bool:
        """Is it? What is wrong is told at its field."""
        missing = self.form.problems()
        if missing:
            self.checked = _listed(missing)
            return False
        texts = self.form.texts()
        try:
            await self._apply(dry_run=True)
        except ConfigError as error:
            if texts == self.form.texts():
                self._refused(error)
            return False
        except YaatError as error:
            if texts == self.form.texts():
                self.checked = error.what
                if f"`{self.form.title}`" in error.what:
                    self.form.refused = {"name": error.what}
            return False
        self.checked = ""
        return True

    def _refused(self, error: ConfigError) -> None:
        """Problems at the fields that they are about; the others above the form."""
        at_fields: dict[str, str] = {}
        others: list[str] = []
        for one in error.problems:
            name = re.split(r"[.\[]", _FIELD.sub("", one.key), maxsplit=1)[0] if _FIELD.match(one.key) else ""
            if name not in self.form.inputs:
                name = next((own for own in self.form.inputs if f"`{own}`" in one.what), "")
            if name:
                at_fields.setdefault(name, _short(one.what, one.key))
            else:
                others.append(one.what)
        self.form.refused = at_fields
        self.checked = "; ".join(others) or _listed(at_fields)

    async def preview(self) -> None:
        """Sample lines, or a sink's check, now."""
        if not await self._valid():
            self.shell.notify(self.checked, error=True)
            return
        self.sampled.found, self.sampled.told = None, "trying it ..."
        self.shell.changed()
        await self._sample()

    async def _sample(self) -> None:
        draft, name = self.draft, self.draft.name or self.form.title
        value = self.form.value()
        if draft.kind == "processors" and name != draft.type.name:
            value = {**value, "name": name}
        given = TestGiven(kind=draft.kind, name=name, value=value, seconds=_READING)
        try:
            self.sampled.found = await self.screen.call(COMPONENTS_TEST, given)
        except YaatError as error:
            self.sampled.found, self.sampled.told = None, error.what
        self.shell.changed()

    # --- writing

    async def save(self) -> None:
        """Check it, show the difference, write it, and end."""
        if not await self._valid():
            problems = self.form.problems()
            self.form.refused = problems or self.form.refused
            self.form.go(next(iter(problems), ""))
            self.shell.notify(self.checked, error=True)
            return
        try:
            plan = await self._apply(dry_run=True)
            if not plan.diff:
                self.shell.notify("nothing was changed")
                return
            title, name = f"Write {self.draft.kind}.{self.form.title}?", self.draft.name
            renamed = bool(name) and name != self.form.title and self.draft.kind != "processors"
            note = f"The agent takes it for another one: what it knew of {name} (positions, what waits) stays behind."
            if not await asking.agreed(
                self.shell, title, plan, yes="Write", command=self.command(), note=note if renamed else ""
            ):
                return
            done = await self._apply(hash=plan.hash)
        except ConfigError as error:
            self._refused(error)
            self.shell.notify(self.checked, error=True)
            return
        super().answer(done)

    async def _apply(self, *, dry_run: bool = False, hash: str | None = None) -> Applied:
        draft = self.draft
        given, gone = self.form.given()
        if draft.new:
            return await self.screen.call(
                COMPONENTS_ADD,
                AddGiven(kind=draft.kind, name=self.form.title, type=draft.type.name, options=given, dry_run=dry_run, hash=hash),
            )  # fmt: skip
        rename = self.form.title if self.form.title != draft.name else None
        return await self.screen.call(
            COMPONENTS_EDIT,
            EditGiven(kind=draft.kind, name=draft.name, set=given, unset=gone, rename=rename, dry_run=dry_run, hash=hash),
        )  # fmt: skip

    def command(self) -> str:
        """The command line that does the same."""
        given, gone = self.form.given()
        config, draft = self.shell.config_option, self.draft
        if draft.new:
            return lines.add(draft.kind, self.form.title, {"type": draft.type.name, **given}, config=config)
        rename = self.form.title if self.form.title != draft.name else None
        return lines.edit(draft.kind, draft.name, given, gone, rename, config=config)

    # --- how it looks

    def _first_told(self) -> str:
        if self.draft.kind == "sources":
            return "Fill in what is marked with *: then sample lines are shown here as they would be read."
        what = (
            "tries it on lines of a source" if self.draft.kind == "processors" else "checks it step by step"
        )
        return f"Ctrl-T {what}."

    def _form_title(self) -> str:
        toast = self.shell.toast()  # the line for it is below this dialog
        return (
            (toast.text if toast else "")
            or self.checked
            or "Ctrl-S save  Ctrl-T preview  Ctrl-Y copy as command"
        )

    def _preview_title(self) -> str:
        summary = self.sampled.summary()
        return f"Preview: {summary}" if summary else "Preview"


def _listed(problems: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {what}" for name, what in problems.items())


def _short(what: str, key: str) -> str:
    """Beside its field a problem need not say which one it is."""
    return what.removeprefix(f"`{key}`").lstrip(": ") if what.startswith(f"`{key}`") else what
