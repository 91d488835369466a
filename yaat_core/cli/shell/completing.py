"""Completion at the prompt: words of SQL, names and values from the database, commands of the prompt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from yaat_core.display import terminal_safe
from yaat_core.errors import YaatError
from yaat_core.sql_words import TABLES, TAG_NAMES, Place, place, values_sql, words

#: The first column of the answer to a statement.
Fetch = Callable[[str], list[str]]
#: Words that are offered at most.
_SHOWN: Final = 200


class Known:
    """Names and values that the database told, asked for once each. Called from the completer's threads."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._found: dict[str, list[str]] = {}
        self._lock = threading.Lock()
        self.problem = ""
        """Why the last question had no answer."""

    def forget(self) -> None:
        """Ask anew."""
        with self._lock:
            self._found.clear()

    def answer(self, sql: str | None) -> list[str]:
        """The first column; empty when it can't be had, and `problem` says why."""
        if sql is None:
            return []
        with self._lock:
            if sql not in self._found:
                try:
                    self._found[sql] = self._fetch(sql)
                    self.problem = ""
                except YaatError as error:
                    self._found[sql] = []
                    self.problem = error.what
            return self._found[sql]


class WordsCompleter(Completer):
    """For SQL and for what begins with a backslash."""

    def __init__(self, known: Known, commands: Iterable[tuple[str, str]]) -> None:
        self._known = known
        self._commands = list(commands)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """What fits before the cursor."""
        before = document.text_before_cursor
        if before.lstrip().startswith("\\"):
            yield from self._of_commands(before.lstrip())
            return
        at = place(before)
        for count, word in enumerate(words(at, tags=self._tags(at), values=self._values(at))):
            if count == _SHOWN:
                return
            yield Completion(
                word.text,
                start_position=-word.length,
                display=terminal_safe(word.text),
                display_meta=word.detail or word.kind,
            )

    def _of_commands(self, before: str) -> Iterator[Completion]:
        name, space, rest = before.partition(" ")
        if not space:
            for command, what in self._commands:
                if command.startswith(name):
                    yield Completion(command, start_position=-len(name), display_meta=what)
        elif name == "\\d":
            for table, what in TABLES.items():
                if table.startswith(rest):
                    yield Completion(table, start_position=-len(rest), display_meta=what)
        elif name == "\\plot":
            yield from self.get_completions(Document(rest), CompleteEvent())

    def _tags(self, at: Place) -> list[str]:
        return self._known.answer(TAG_NAMES) if at.wanted == "tag" else []

    def _values(self, at: Place) -> list[str]:
        if at.wanted not in ("tag value", "column value"):
            return []
        return self._known.answer(values_sql(at.name, tag=at.wanted == "tag value"))
