"""The form of a component, made from its type's options: a row for each, help for the one that has the focus."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs
from prompt_toolkit.application.current import get_app
from prompt_toolkit.completion import WordCompleter
from prompt_toolkit.filters import Condition
from prompt_toolkit.layout.containers import (
    AnyContainer,
    ConditionalContainer,
    HSplit,
    ScrollOffsets,
    VSplit,
    Window,
)
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.scrollable_pane import ScrollablePane

from yaat_core.config.editing import typed
from yaat_core.config.editing.rendering import flow
from yaat_core.config.editing.types import OptionInfo
from yaat_core.tui.keys import Key
from yaat_core.tui.text import Line, clip, fit, safe, wrap
from yaat_core.tui.widgets.base import Widget
from yaat_core.tui.widgets.fields import Choice, Field, FieldSpec, Form

#: What stands in a choice for "not set".
_UNSET: Final = "(default)"
_LABEL: Final = 22
#: Rows of a field of several lines.
_LINES: Final = 6

NAME: Final = OptionInfo(
    name="name",
    shape="text",
    words="a text",
    required=True,
    default="",
    help="Its name: letters, digits, _, - and . It stands in queries, metrics and messages.",
    example="shop",
)


class OptionForm(Form):
    """Fields for a name and for every option. ``value`` is what is written; what is not touched stays as it is."""

    name = "form"
    help = "Tab, Enter and arrows go through the fields; what is empty has its default, which is shown dim."

    def __init__(
        self,
        name: str,
        options: Sequence[OptionInfo],
        value: Mapping[str, Any],
        *,
        written: Mapping[str, Any],
        changed: Callable[[], None],
    ) -> None:
        self.options = [NAME, *(one for one in options if one.name != "name")]
        self._by_name = {one.name: one for one in self.options}
        self._written = written
        self._at = "name"
        shown = {**value, "name": name}
        super().__init__([self._spec(one, shown) for one in self.options], changed=changed)

    def _spec(self, option: OptionInfo, value: Mapping[str, Any]) -> FieldSpec:
        text = typed.shown_of(option, value)
        hidden = option.secret and not option.reference and not text.startswith("${")
        return FieldSpec(
            name=option.name,
            kind="secret" if hidden else "yaml" if typed.many_lines(option) else "text",
            help=option.help,
            example="" if option.example is None else typed.text_of(option, option.example),
            required=option.required,
            value=text,
            check=lambda text: typed.problem_of(option, text),
        )

    def _input(self, spec: FieldSpec) -> Field | Choice:
        option = self._by_name[spec.name]
        if option.shape == "boolean" or (option.shape == "choice" and option.name != "format"):
            unset = [_UNSET] if option.default is None and not option.required else []
            choices = ["true", "false"] if option.shape == "boolean" else list(option.choices)
            return _Choice([*unset, *choices], spec.value or _UNSET, lambda _: self._touched(), self._keys())
        words = option.choices if option.name == "format" else ()
        field: Field
        field = Field(
            spec.value,
            secret=spec.kind == "secret",
            lines=spec.kind == "yaml",
            changed=lambda _: self._touched(),
            accept=lambda _: self.step(1),
            completer=WordCompleter(list(words)) if words else None,
            wrong=lambda: bool(self.problem(spec)),
            keys=self._keys(lambda by: _at_edge(field, by)),
            unset=_default(option),
        )
        return field

    def _keys(self, when: Callable[[int], bool] = lambda _: True) -> tuple[Key, ...]:
        return (
            Key(name="form.up", keys=("up",), does="field above", run=lambda: self.step(-1), anywhere=True,
                when=lambda: when(-1)),
            Key(name="form.down", keys=("down",), does="field below", run=lambda: self.step(1), anywhere=True,
                when=lambda: when(1)),
        )  # fmt: skip

    # --- what was typed

    def texts(self) -> dict[str, str]:
        """By option."""
        return {name: "" if one.text == _UNSET else one.text for name, one in self.inputs.items()}

    @property
    def title(self) -> str:
        """The component's name."""
        return self.inputs["name"].text.strip()

    def given(self) -> tuple[dict[str, Any], list[str]]:
        """Options that differ from what is written, and those that go. Raises `UsageError` while a text can't be read."""
        return typed.changes(self.options[1:], self._written, self.texts())

    def value(self) -> dict[str, Any]:
        """The component as it would be written, without its name."""
        given, gone = self.given()
        kept = {name: one for name, one in self._written.items() if name not in gone}
        return {**kept, **given}

    def problems(self) -> dict[str, str]:
        """As `Form.problems`; a field with its default is none that is missing."""
        return {name: what for name, what in super().problems().items() if what}

    # --- moving

    def step(self, by: int) -> None:
        """To the next field, or the one before; past the last one to what follows."""
        names = list(self.inputs)
        at = names.index(self.at().name) + by
        if 0 <= at < len(names):
            self.shell.focus(self.inputs[names[at]])
        elif by > 0:
            self.shell.app.layout.focus_next()

    def go(self, name: str) -> None:
        """To a field."""
        if name in self.inputs:
            self.shell.focus(self.inputs[name])

    def at(self) -> OptionInfo:
        """The option whose field has the focus, or had it last."""
        focused = getattr(get_app().layout.current_control, "widget", None)
        self._at = next((name for name, one in self.inputs.items() if one is focused), self._at)
        return self._by_name[self._at]

    # --- how it looks

    def container(self) -> AnyContainer:
        """A row for each option, and one below where something is wrong."""
        made: AnyContainer | None = getattr(self, "_container", None)
        if made is None:
            rows = [row for spec in self.specs for row in self._rows(spec)]
            made = ScrollablePane(HSplit(rows), scroll_offsets=ScrollOffsets(1, 1), show_scrollbar=True)
            self._container = made
        return made

    def _rows(self, spec: FieldSpec) -> list[AnyContainer]:
        given = self.inputs[spec.name]
        given.shell = self.shell
        label = self._line(lambda width, _: [self._label(spec, width)], self.shell)
        label.width = Dimension.exact(_LABEL)
        window = given.window
        window.height = lambda: Dimension.exact(self._height(spec))
        wrong = self._line(lambda width, _: [self._wrong(spec, width)], self.shell)
        return [
            VSplit([label, window, Window(width=Dimension.exact(1))]),
            ConditionalContainer(wrong, Condition(lambda: bool(self.problem(spec)))),
        ]

    def _height(self, spec: FieldSpec) -> int:
        if spec.kind != "yaml":
            return 1
        given = self.inputs[spec.name]
        return max(3 if given.has_focus() else 1, min(_LINES, given.text.count("\n") + 1))

    def _label(self, spec: FieldSpec, width: int) -> Line:
        style = (
            "class:error"
            if self.problem(spec)
            else "class:strong"
            if self.inputs[spec.name].text not in ("", _UNSET)
            else ""
        )
        return [
            (
                style,
                fit(
                    f" {safe(spec.name)}{' *' if spec.required else ''}",
                    width - 1,
                    dots=self.shell.glyphs.dots,
                )
                + " ",
            )
        ]

    def _wrong(self, spec: FieldSpec, width: int) -> Line:
        return [
            ("class:error", clip(f"{'':{_LABEL}}{self.shell.glyphs.error} {safe(self.problem(spec))}", width))
        ]

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """For a dump: names and values, no secrets."""
        secret = {spec.name for spec in self.specs if spec.kind == "secret"}
        return [
            [("", f"{name}: {'***' if name in secret and text else safe(text)}")]
            for name, text in self.texts().items()
        ]


class Help(Widget):
    """What the focused field is for, what it takes, what holds when it is empty, and what is wrong with it."""

    name = "help"
    focusable = False

    def __init__(self, form: OptionForm) -> None:
        self.form = form

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """Its help first."""
        option = self.form.at()
        room = max(8, width - 2)
        wrong = self.form.problem(next(one for one in self.form.specs if one.name == option.name))
        lines: list[Line] = (
            [[("class:error", f" {line}")] for line in wrap(safe(wrong, lines=True), room)] if wrong else []
        )
        lines += [[("", f" {line}")] for line in wrap(safe(option.help), room)]
        facts = [f"takes {option.words}"]
        if option.default not in (None, "", [], {}):
            facts.append(f"default {typed.text_of(option, option.default)}")
        if option.example is not None:
            facts.append(f"example: {typed.text_of(option, option.example)}")
        if option.secret or option.reference:
            facts.append("keep it outside: ${env:NAME}, ${file:PATH} or ${secret:NAME}")
        if option.shape == "choice" and option.name == "format":
            facts.append("or a mapping with options: {type: regex, pattern: '...'}")
        lines += [[("class:dim", f" {line}")] for line in wrap(safe("; ".join(facts)), room)]
        return lines


class _Choice(Choice):
    """A choice with keys to the fields around it."""

    def __init__(
        self, choices: Sequence[str], value: str, changed: Callable[[str], None], keys: Sequence[Key]
    ) -> None:
        super().__init__(choices, value, changed)
        self._more = [
            attrs.evolve(key, keys=(*key.keys, "enter"), anywhere=False) if key.keys == ("down",) else key
            for key in keys
        ]

    def keys(self) -> Sequence[Key]:
        """Through the values, and on."""
        return (*super().keys(), *self._more)


def _default(option: OptionInfo) -> str:
    if option.required or option.default in (None, "", [], {}):
        return ""
    text = typed.text_of(option, option.default)
    return flow(option.default) if "\n" in text else text


def _at_edge(field: Field, by: int) -> bool:
    """Is there no line of the text to go to, and no completion?"""
    document = field.buffer.document
    if field.buffer.complete_state is not None:
        return False
    return document.on_first_line if by < 0 else document.on_last_line
