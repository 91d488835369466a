"""What a conversation does: statements, and commands that begin with a backslash."""

from __future__ import annotations

import contextlib
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from yaat_core.actions.agent import Query
from yaat_core.cli import rows
from yaat_core.cli.answering import answering
from yaat_core.cli.counted import Counted
from yaat_core.cli.door import Door
from yaat_core.cli.paging import paged
from yaat_core.cli.plotting import KINDS, plot
from yaat_core.cli.setup import load
from yaat_core.cli.shell.expanded import Expanded
from yaat_core.cli.shell.limits import Limits
from yaat_core.cli.table import table, terminal_width
from yaat_core.display import terminal_safe
from yaat_core.durable import private
from yaat_core.errors import UsageError, YaatError
from yaat_core.sql_words import COLUMNS, TABLES, TAG_NAMES

#: Name: (arguments, what it does).
COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "\\d": ("[TABLE]", "the tables, or the columns of one"),
    "\\dt": ("", "names of tags in the newest events"),
    "\\x": ("", "each row as a block of lines, on or off"),
    "\\plot": ("[bars] [SQL]", "a chart of a query, or of the last one"),
    "\\timing": ("", "how long each query took, on or off"),
    "\\o": ("[FILE]", "rows go to a file; without a name: to the screen again"),
    "\\?": ("", "this help"),
    "\\q": ("", "leave (also Ctrl-D)"),
}
#: Seconds that a question of the completion may take.
_SOON: Final = 5.0


class Leave(Exception):
    """The person has had enough."""


class Talk:
    """One conversation. Errors are raised; the prompt tells them and goes on."""

    def __init__(self, door: Door, limits: Limits) -> None:
        self._door, self._limits = door, limits
        self._setup = load(door)
        self._expanded = self._timing = False
        self._last = ""
        self._file: IO[bytes] | None = None

    def close(self) -> None:
        """Close the file of ``\\o``."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def first_column(self, sql: str) -> list[str]:
        """For completion: soon, or not at all."""
        asked = Query(sql=sql, sink=self._limits.sink, limit=1000, timeout=_SOON)
        with answering(self._door, asked, setup=self._setup) as answer:
            return [str(value) for batch in answer for value in batch.column(0).to_pylist()]

    def said(self, text: str) -> None:
        """A statement or a command.

        Raises:
            Leave: it was ``\\q``.
            YaatError: it can't be done.
            KeyboardInterrupt: it was interrupted; the query is stopped.
        """
        text = text.strip()
        if text.startswith("\\"):
            self._command(text)
        elif text.rstrip(";").strip() in ("quit", "exit"):
            raise Leave
        elif statement := text.rstrip(";").strip():
            self._last = statement
            self._ask(statement)

    # --- statements

    def _ask(self, sql: str) -> None:
        with self._timed(), self._answer(sql) as answer, self._out() as file:
            on_screen = self._file is None
            style = rows.Style(terminal=on_screen)
            writer: rows.Writer = Expanded(file, style) if self._expanded else rows.Table(file, style)
            counted = Counted(answer)
            writer.write(counted)
        self._door.note(f"({counted.rows:,} row{'' if counted.rows == 1 else 's'})")
        self._tell_cut(answer)

    def _plot(self, rest: str) -> None:
        kind = "line"
        first, _, after = rest.partition(" ")
        if first in KINDS:
            kind, rest = first, after.strip()
        sql = rest.rstrip(";").strip() or self._last
        if not sql:
            raise UsageError("there is no query yet to plot", fix="\\plot SELECT ...")
        self._last = sql
        with self._timed(), self._answer(sql) as answer:
            for line in plot(answer, kind, color=self._door.colored(sys.stdout)):
                self._door.line(line)
        self._tell_cut(answer)

    def _answer(self, sql: str) -> Any:
        asked = Query(sql=sql, sink=self._limits.sink, limit=self._limits.limit, timeout=self._limits.timeout)
        return answering(self._door, asked, setup=self._setup)

    def _tell_cut(self, answer: Any) -> None:
        if answer.truncated:
            self._door.note(
                f"only the first {self._limits.limit:,} rows: there are more (yaat query --limit)"
            )

    @contextlib.contextmanager
    def _out(self) -> Iterator[Any]:
        if self._file is not None:
            yield self._file
            self._file.flush()
        else:
            with paged(enabled=self._door.pager) as file:
                yield file

    @contextlib.contextmanager
    def _timed(self) -> Iterator[None]:
        start = time.monotonic()
        yield
        if self._timing:
            self._door.note(f"time: {time.monotonic() - start:.3f} s")

    # --- commands

    def _command(self, text: str) -> None:
        name, _, rest = text.partition(" ")
        rest = rest.strip()
        actions: Mapping[str, Callable[[str], None]] = {
            "\\d": self._describe,
            "\\dt": self._tags,
            "\\x": self._switch_expanded,
            "\\plot": self._plot,
            "\\timing": self._switch_timing,
            "\\o": self._to_file,
            "\\?": self._help,
            "\\q": self._leave,
        }
        action = actions.get(name.rstrip(";"))
        if action is None:
            near = _near(name, actions)
            raise UsageError(
                f"no command {name}", fix=f"did you mean {near}? \\? shows all" if near else "\\? shows all"
            )
        action(rest)

    def _leave(self, rest: str) -> None:
        raise Leave

    def _describe(self, name: str) -> None:
        name = name.rstrip(";").strip().lower()
        if not name:
            self._show(table(("table", "what"), TABLES.items()))
            return
        if name not in TABLES:
            near = _near(name, TABLES)
            raise UsageError(
                f"no table {name}",
                fix=f"did you mean {near}?" if near else f"tables: {', '.join(TABLES)}",
            )
        self._show(
            table(
                ("column", "type", "what"),
                ((column, *about) for column, about in COLUMNS.items()),
                width=terminal_width(),
            )
        )

    def _tags(self, rest: str) -> None:
        self._ask(TAG_NAMES)

    def _switch_expanded(self, rest: str) -> None:
        self._expanded = not self._expanded
        self._door.note(f"expanded: {'on' if self._expanded else 'off'}")

    def _switch_timing(self, rest: str) -> None:
        self._timing = not self._timing
        self._door.note(f"timing: {'on' if self._timing else 'off'}")

    def _to_file(self, rest: str) -> None:
        self.close()
        if not rest:
            self._door.note("rows go to the screen")
            return
        try:
            path = Path(*shlex.split(rest)).expanduser()
            self._file = open(path, "wb", opener=private)  # noqa: SIM115 - closed by `close`
        except ValueError as error:
            raise UsageError(f"no name of a file: {error}", fix="\\o 'FILE'") from None
        except OSError as error:
            raise UsageError(
                f"{rest} can't be written: {error.strerror or error}", fix="choose another file"
            ) from None
        self._door.note(f"rows go to {terminal_safe(str(path))}; \\o alone ends it")

    def _help(self, rest: str) -> None:
        self._show(
            table(
                ("command", "what"), ((f"{name} {given}", what) for name, (given, what) in COMMANDS.items())
            )
        )
        self._door.line(
            "SQL ends with `;` and may have several lines. Tab completes, Ctrl-R searches what was asked before,"
        )
        self._door.line("Ctrl-C stops a query. What begins with a space is not remembered.")

    def _show(self, lines: Iterator[str]) -> None:
        for line in lines:
            self._door.line(line)


def _near(name: str, known: Mapping[str, Any]) -> str:
    import difflib

    return next(iter(difflib.get_close_matches(name, known, 1, 0.5)), "")


def told(error: YaatError) -> str:
    """An error as it is shown."""
    return terminal_safe(error.render(), lines=True)
