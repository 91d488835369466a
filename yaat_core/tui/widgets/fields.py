"""Where one types: text fields, and forms of them. A field with the focus owns every printable key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import attrs
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, KeyBindingsBase
from prompt_toolkit.layout.containers import AnyContainer, HSplit, ScrollOffsets, VSplit, Window
from prompt_toolkit.layout.controls import BufferControl
from prompt_toolkit.layout.dimension import Dimension
from prompt_toolkit.layout.processors import (
    AfterInput,
    BeforeInput,
    ConditionalProcessor,
    PasswordProcessor,
    Processor,
)
from prompt_toolkit.layout.scrollable_pane import ScrollablePane
from prompt_toolkit.lexers import Lexer

from yaat_core.tui.keys import Key, bindings
from yaat_core.tui.layout import exactly, share
from yaat_core.tui.text import Line, clip, fit, safe
from yaat_core.tui.widgets.base import Label, Widget

if TYPE_CHECKING:
    from yaat_core.tui.shell import Shell

#: What a form asks for. `number`, `duration`, `size`, `list` and `yaml` are typed as text; `choice` and `flag` are chosen.
FieldKind = Literal["text", "number", "choice", "list", "secret", "duration", "size", "yaml", "flag"]


class Field(Widget):
    """One line of text. ``changed`` is called at each change, ``accept`` by Enter, ``keys`` work while it has the focus.

    ``unset`` is shown, dim, while nothing is typed: what holds then.
    """

    name = "text field"

    def __init__(
        self,
        text: str = "",
        *,
        prompt: str = "",
        secret: bool = False,
        changed: Callable[[str], None] | None = None,
        accept: Callable[[str], object] | None = None,
        completer: Completer | None = None,
        lines: bool = False,
        keys: Sequence[Key] = (),
        wrong: Callable[[], bool] = lambda: False,
        unset: str = "",
    ) -> None:
        self.buffer = Buffer(
            document=Document(text),
            multiline=lines,
            completer=completer,
            complete_while_typing=completer is not None,
            accept_handler=self._accepted,
            on_text_changed=(lambda buffer: changed(buffer.text)) if changed else None,
        )
        self._accept, self._keys, self._unset = accept, keys, unset
        self._prompt, self._secret, self._wrong, self._lines = prompt, secret, wrong, lines

    @property
    def text(self) -> str:
        """What is in it."""
        return self.buffer.text

    @text.setter
    def text(self, text: str) -> None:
        self.buffer.document = Document(text)

    def keys(self) -> Sequence[Key]:
        """Those given, which can't be text."""
        return self._keys

    def _accepted(self, buffer: Buffer) -> bool:
        if self._accept is not None:
            self.shell.run(lambda: self._accept(buffer.text) if self._accept else None)
        return True

    @property
    def window(self) -> Window:
        """Of the text."""
        made: Window | None = getattr(self, "_window", None)
        if made is None:
            processors: list[Processor] = [
                ConditionalProcessor(PasswordProcessor(), Condition(lambda: self._secret))
            ]
            if self._prompt:
                processors.append(BeforeInput(self._prompt, "class:key"))
            if self._unset:
                shown = AfterInput(safe(self._unset), "class:dim")
                processors.append(ConditionalProcessor(shown, Condition(lambda: not self.buffer.text)))
            control = FieldControl(self, processors)
            made = Window(control, height=share() if self._lines else exactly(1), style=self._style)
            self._window = made
        return made

    def _style(self) -> str:
        if self._wrong():
            return "class:field.wrong"
        return "class:field.focus" if self.has_focus() else "class:field"

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """The text, for a dump."""
        return [
            [("", "•" * len(self.text) if self._secret else safe(line))] for line in self.text.split("\n")
        ]

    def copied(self) -> str:
        """The text, unless it is secret."""
        return "" if self._secret else self.text


class FieldControl(BufferControl):
    """A buffer with keys of its own."""

    def __init__(self, field: Field, processors: list[Processor], lexer: Lexer | None = None) -> None:
        super().__init__(
            field.buffer, input_processors=processors, lexer=lexer, focus_on_click=True, include_default_input_processors=True
        )  # fmt: skip
        self.widget = field
        self._made: KeyBindingsBase | None = None

    def get_key_bindings(self) -> KeyBindingsBase | None:
        """The field's."""
        if self._made is None:
            shell = getattr(self.widget, "shell", None)
            if shell is None:
                return KeyBindings()
            self._made = bindings(self.widget.keys(), shell, dialog=True)
        return self._made


@attrs.frozen(kw_only=True)
class FieldSpec:
    """A field of a form, as a config class or an argument model describes it."""

    name: str
    kind: FieldKind = "text"
    title: str = ""
    help: str = ""
    example: str = ""
    required: bool = False
    value: str = ""
    choices: Sequence[str] = ()
    check: Callable[[str], str] | None = None
    """The text of what is wrong with a value; empty when nothing is."""


class Choice(Widget):
    """One of a few values: left and right, or Space, go through them."""

    name = "choice"

    def __init__(
        self, choices: Sequence[str], value: str, changed: Callable[[str], None] | None = None
    ) -> None:
        self.choices = list(choices) or [""]
        self.text = value if value in self.choices else self.choices[0]
        self._changed = changed

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """The value between arrows."""
        style = "class:field.focus" if focused else "class:field"
        many = len(self.choices) > 1
        text = f"< {safe(self.text)} >" if many else safe(self.text)
        return [[(style, fit(text, width))]]

    def keys(self) -> Sequence[Key]:
        """Through the values."""
        return (
            Key(
                name="choice.next", keys=("right", "space", "l"), does="next value", run=lambda: self._step(1)
            ),
            Key(
                name="choice.previous", keys=("left", "h"), does="previous value", run=lambda: self._step(-1)
            ),
        )

    def _step(self, by: int) -> None:
        at = (self.choices.index(self.text) + by) % len(self.choices)
        self.text = self.choices[at]
        if self._changed:
            self._changed(self.text)

    @property
    def window(self) -> Window:
        """One row."""
        made = super().window
        made.height = exactly(1)
        return made


class Form(Widget):
    """Fields below each other with their help, scrolled when there are many. Tab goes through them."""

    name = "form"

    def __init__(self, fields: Sequence[FieldSpec], *, changed: Callable[[], None] | None = None) -> None:
        self.specs = list(fields)
        self._changed = changed
        self.inputs: dict[str, Field | Choice] = {spec.name: self._input(spec) for spec in self.specs}
        self.refused: Mapping[str, str] = {}
        """What somebody else found wrong, by field."""

    def _input(self, spec: FieldSpec) -> Field | Choice:
        if spec.kind in ("choice", "flag"):
            choices = spec.choices or (("yes", "no") if spec.kind == "flag" else ())
            return Choice(choices, spec.value, lambda _: self._touched())
        return Field(
            spec.value,
            secret=spec.kind == "secret",
            lines=spec.kind == "yaml",
            changed=lambda _: self._touched(),
            wrong=lambda: bool(self.problem(spec)),
        )

    def _touched(self) -> None:
        self.refused = {}
        if self._changed:
            self._changed()

    def values(self) -> dict[str, str]:
        """What was typed, by field."""
        return {name: field.text for name, field in self.inputs.items()}

    def problem(self, spec: FieldSpec) -> str:
        """What is wrong with a field now; empty when nothing is."""
        if spec.name in self.refused:
            return self.refused[spec.name]
        text = self.inputs[spec.name].text
        if not text:
            return ""
        if spec.check:
            return spec.check(text)
        if spec.kind == "number" and not _number(text):
            return "must be a number"
        return ""

    def problems(self) -> dict[str, str]:
        """Everything that is wrong, with what is required and missing."""
        found = {spec.name: self.problem(spec) for spec in self.specs}
        for spec in self.specs:
            if spec.required and not self.inputs[spec.name].text:
                found[spec.name] = "is required"
        return {name: problem for name, problem in found.items() if problem}

    def container(self) -> AnyContainer:
        """Label, field and help of each, in a pane that scrolls."""
        made: AnyContainer | None = getattr(self, "_container", None)
        if made is None:
            parts = [part for spec in self.specs for part in self._parts(spec)]
            made = ScrollablePane(HSplit(parts), scroll_offsets=ScrollOffsets(2, 2), show_scrollbar=False)
            self._container = made
        return made

    def _parts(self, spec: FieldSpec) -> list[AnyContainer]:
        given = self.inputs[spec.name]
        given.shell = self.shell
        title = (spec.title or spec.name) + (" *" if spec.required else "")
        label = self._line(lambda width, _: [[("class:strong", fit(safe(title), width))]], self.shell)
        label.width = Dimension.exact(22)
        window = given.window
        window.height = Dimension.exact(5 if spec.kind == "yaml" else 1)
        return [VSplit([label, window]), self._line(lambda width, _: [self._hint(spec, width)], self.shell)]

    def _line(self, lines: Any, shell: Shell) -> Window:
        label = Label(lines)
        label.shell = shell
        label.window.height = Dimension.exact(1)
        return label.window

    def _hint(self, spec: FieldSpec, width: int) -> Line:
        wrong = self.problem(spec)
        if wrong:
            return [("class:error", clip(f"{'':22}{self.shell.glyphs.error} {safe(wrong)}", width))]
        example = f" (such as {spec.example})" if spec.example else ""
        return [("class:dim", clip(f"{'':22}{safe(spec.help)}{safe(example)}", width))]

    def draw(self, width: int, height: int, *, focused: bool) -> Sequence[Line]:
        """For a dump: names and values."""
        secret = {spec.name for spec in self.specs if spec.kind == "secret"}
        return [
            [("", f"{name}: {'•••' if name in secret else safe(field.text)}")]
            for name, field in self.inputs.items()
        ]


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
