"""The prompt of `yaat query`, on prompt-toolkit (extra ``yaat-core[tui]``)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from yaat_core.cli.door import Door
from yaat_core.cli.shell.limits import Limits
from yaat_core.errors import YaatError

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import History
    from prompt_toolkit.key_binding import KeyBindings

    from yaat_core.cli.shell.completing import Known
    from yaat_core.cli.shell.talk import Talk


class PromptMissing(YaatError):
    """prompt-toolkit is not installed."""

    code = "YAAT-E721"
    exit_code = 2


def converse(door: Door, limits: Limits) -> None:
    """Ask and answer until the person leaves.

    Raises:
        PromptMissing: prompt-toolkit is not installed.
        ConfigError: the configuration has mistakes.
    """
    try:
        import prompt_toolkit  # noqa: F401
        import pygments  # noqa: F401
    except ImportError as error:
        raise PromptMissing(
            f"the interactive prompt needs a library that is not installed: {error.name}",
            fix="pip install 'yaat-core[tui]', or give the SQL: yaat query \"SELECT count(*) FROM events\"",
        ) from None
    from yaat_core.cli.shell.completing import Known
    from yaat_core.cli.shell.talk import Talk

    talk = Talk(door, limits)
    known = Known(talk.first_column)
    session = _session(door, known)
    door.note("SQL over events, logs, spans and metrics; end it with `;`. \\? helps, \\q leaves.")
    try:
        while True:
            try:
                text = session.prompt("yaat> ")
            except KeyboardInterrupt:
                continue
            except EOFError:
                return
            if not _answered(door, talk, text):
                return
            known.forget()
    finally:
        talk.close()


def _answered(door: Door, talk: Talk, text: str) -> bool:
    """False: the person leaves."""
    from yaat_core.cli.shell.talk import Leave, told

    try:
        talk.said(text)
    except Leave:
        return False
    except YaatError as error:
        door.note(told(error))
    except KeyboardInterrupt:
        door.note("stopped")
    return True


def _session(door: Door, known: Known) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import ThreadedCompleter
    from prompt_toolkit.lexers import PygmentsLexer
    from prompt_toolkit.output import ColorDepth
    from pygments.lexers.sql import SqlLexer

    from yaat_core.cli.shell.completing import WordsCompleter
    from yaat_core.cli.shell.talk import COMMANDS

    commands = [(name, what) for name, (_, what) in COMMANDS.items()]
    colored = door.color == "always" or (door.color == "auto" and not os.environ.get("NO_COLOR"))
    return PromptSession(
        history=_history(door),
        multiline=True,
        prompt_continuation=lambda width, number, soft: "   -> ".rjust(width),
        lexer=PygmentsLexer(SqlLexer),
        completer=ThreadedCompleter(WordsCompleter(known, commands)),
        complete_while_typing=True,
        reserve_space_for_menu=5,
        key_bindings=_keys(),
        color_depth=None if colored else ColorDepth.DEPTH_1_BIT,
        bottom_toolbar=lambda: f" completion: {known.problem}" if known.problem else None,
    )


def _history(door: Door) -> History:
    from prompt_toolkit.history import InMemoryHistory

    from yaat_core.cli.shell.history import PrivateHistory, history_file

    path = history_file()
    try:
        return PrivateHistory(path)
    except OSError as error:
        door.note(f"what you ask is not remembered: {path}: {error.strerror or error}")
        return InMemoryHistory()


def _keys() -> KeyBindings:
    """Enter sends what is complete, else it begins a line; Alt-Enter always sends."""
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("enter")
    def _(event: Any) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None and buffer.complete_state.current_completion is not None:
            buffer.complete_state = None
            return
        text = buffer.text.strip()
        if not text or text.startswith("\\") or text.endswith(";") or text in ("quit", "exit"):
            buffer.validate_and_handle()
        else:
            buffer.newline()

    @keys.add("escape", "enter")
    def _(event: Any) -> None:
        event.current_buffer.validate_and_handle()

    return keys
