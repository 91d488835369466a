"""What was asked before: the file of `yaat query`, for this user alone."""

from __future__ import annotations

from yaat_core.cli.shell.history import PrivateHistory, history_file


def remembered(most: int) -> list[str]:
    """The newest first, each once. In a thread.

    Raises:
        OSError: the file can't be read.
    """
    history = PrivateHistory(history_file())
    found = (text.strip().rstrip(";").strip() for text in history.load_history_strings())
    return [text for text in dict.fromkeys(found) if text and not text.startswith("\\")][:most]


def remember(sql: str) -> None:
    """Unless it begins with a space. In a thread.

    Raises:
        OSError: the file can't be written.
    """
    PrivateHistory(history_file()).store_string(sql if sql.startswith(" ") else f"{sql.strip()};")
