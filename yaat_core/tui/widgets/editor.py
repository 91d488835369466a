"""Many lines of SQL or YAML: coloured, with line numbers, completion, and what is wrong at its line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Literal

from prompt_toolkit.application.current import get_app
from prompt_toolkit.completion import Completer
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.layout.containers import Window
from prompt_toolkit.layout.controls import UIContent
from prompt_toolkit.layout.margins import Margin, ScrollbarMargin
from prompt_toolkit.lexers import Lexer

from yaat_core.tui.keys import Key
from yaat_core.tui.layout import share
from yaat_core.tui.text import safe
from yaat_core.tui.widgets.fields import Field, FieldControl

Language = Literal["sql", "yaml", "text"]

_SQL_WORDS: Final = (
    "select from where group by order having limit offset with as and or not in is null like ilike between case when "
    "then else end join left right full inner outer cross on using union all distinct asc desc count sum avg min max "
    "interval cast qualify over partition filter exists values true false pivot unpivot sample describe show"
)
_TOKENS: Final[Mapping[str, Sequence[tuple[str, str]]]] = {
    "sql": (
        ("class:dim", r"--[^\n]*"),
        ("class:ok", r"'(?:[^']|'')*'?"),
        ("class:chart.2", r"\b\d+(?:\.\d+)?\b"),
        ("class:key", r"(?i)\b(?:" + "|".join(_SQL_WORDS.split()) + r")\b"),
    ),
    "yaml": (
        ("class:dim", r"(?:^|(?<=\s))#.*"),
        ("class:key", r"^\s*(?:- )?[\w.\"'/-]+(?=\s*:(?:\s|$))"),
        ("class:chart.3", r"\$\{[^}]*\}"),
        ("class:ok", r"\"(?:[^\"\\]|\\.)*\"|'[^']*'"),
        ("class:chart.2", r"\b(?:true|false|null|\d+(?:\.\d+)?(?:[smhd]|[KMGT]iB)?)\b"),
    ),
    "text": (),
}


class Colours(Lexer):
    """A few regular expressions: enough to read by, quick at each key."""

    def __init__(self, language: Language) -> None:
        tokens = _TOKENS[language]
        self._styles = [style for style, _ in tokens]
        text = "|".join(f"({pattern.removeprefix('(?i)')})" for _, pattern in tokens)
        self._pattern = re.compile(text, re.I if language == "sql" else 0) if tokens else None

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """Lines in colours; what a terminal would obey never gets here, prompt-toolkit writes it out."""
        lines = document.lines

        def line(number: int) -> StyleAndTextTuples:
            return self._coloured(lines[number]) if number < len(lines) else []

        return line

    def _coloured(self, text: str) -> StyleAndTextTuples:
        if self._pattern is None:
            return [("", text)]
        made: StyleAndTextTuples = []
        at = 0
        for found in self._pattern.finditer(text):
            if found.end() == found.start():
                continue
            made.append(("", text[at : found.start()]))
            made.append((self._styles[(found.lastindex or 1) - 1], found[0]))
            at = found.end()
        return [*made, ("", text[at:])]


class Editor(Field):
    """A text of many lines. ``marks``: what is wrong, by line from 1; the line's number lights up and its text shows below.

    Tab completes or indents, Esc leaves. F5 or Ctrl-J runs ``accept`` with the text.
    """

    name = "editor"

    def __init__(
        self,
        text: str = "",
        *,
        language: Language = "text",
        completer: Completer | None = None,
        changed: Callable[[str], None] | None = None,
        accept: Callable[[str], object] | None = None,
        keys: Sequence[Key] = (),
    ) -> None:
        super().__init__(text, lines=True, changed=changed, completer=completer, keys=keys)
        self.language: Language = language
        self.marks: Mapping[int, str] = {}
        self._run = accept

    @property
    def line(self) -> int:
        """The cursor's, from 1."""
        return self.buffer.document.cursor_position_row + 1

    def go(self, line: int, column: int = 1) -> None:
        """Put the cursor there."""
        document = self.buffer.document
        self.buffer.cursor_position = document.translate_row_col_to_index(line - 1, column - 1)

    def insert(self, text: str) -> None:
        """At the cursor."""
        self.buffer.insert_text(text)

    def keys(self) -> Sequence[Key]:
        """Completing, leaving, running."""
        made = [
            *self._keys,
            Key(name="editor.tab", keys=("tab",), does="complete, or indent", run=self._tab, anywhere=True),
            Key(name="editor.undo", keys=("c-z",), does="undo typing", run=self.buffer.undo, anywhere=True),
            Key(name="editor.redo", keys=("c-y",), does="redo typing", run=self.buffer.redo, anywhere=True),
        ]
        if self._run is not None:
            made.append(
                Key(
                    name="editor.run",
                    keys=("f5", "c-j"),
                    does="run it",
                    run=self._accept_all,
                    footer="run",
                    anywhere=True,
                )
            )
        return made

    def _accept_all(self) -> object:
        return self._run(self.text) if self._run else None

    def _tab(self) -> None:
        buffer = self.buffer
        before = buffer.document.current_line_before_cursor
        if buffer.complete_state:
            buffer.complete_next()
        elif before.strip() and buffer.completer is not None and not before.endswith(" "):
            buffer.start_completion(select_first=True)
        else:
            buffer.insert_text("  ")

    @property
    def window(self) -> Window:
        """Text with numbers."""
        made: Window | None = getattr(self, "_window", None)
        if made is None:
            control = FieldControl(self, [], Colours(self.language))
            made = Window(
                control,
                height=share(),
                wrap_lines=False,
                left_margins=[_Numbers(self)],
                right_margins=[ScrollbarMargin(display_arrows=False)],
            )
            self._window = made
        return made

    def note(self) -> str:
        """Where the cursor is, and what is wrong there."""
        wrong = self.marks.get(self.line, "")
        many = len(self.marks)
        count = f"{many} line{'s' if many > 1 else ''} with problems  " if many else ""
        where = f"{self.line}:{self.buffer.document.cursor_position_col + 1}"
        return safe(wrong) + "  " + where if wrong else count + where

    def dump(self) -> str:
        """The text."""
        return safe(self.text, lines=True)


class _Numbers(Margin):
    """Line numbers; those of lines with a problem stand out."""

    def __init__(self, editor: Editor) -> None:
        self._editor = editor

    def get_width(self, get_ui_content: Callable[[], UIContent]) -> int:
        return max(4, len(str(self._editor.buffer.document.line_count)) + 2)

    def create_margin(self, window_render_info: object, width: int, height: int) -> StyleAndTextTuples:
        made: StyleAndTextTuples = []
        displayed = getattr(window_render_info, "displayed_lines", [])
        here = self._editor.line if get_app().layout.has_focus(self._editor.window) else 0
        for number in displayed:
            wrong = number + 1 in self._editor.marks
            style = "class:error" if wrong else "class:strong" if number + 1 == here else "class:line-number"
            sign = "!" if wrong else " "
            made += [(style, f"{number + 1:>{width - 2}}{sign} "), ("", "\n")]
        return made
