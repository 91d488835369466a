"""Changes of the configuration from the TUI, made as the command line makes them: also when it is broken, or nobody runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import attrs

from yaat_core.cli.door import Door

if TYPE_CHECKING:
    from yaat_core.actions.base import Action
    from yaat_core.tui.shell import Shell

A = TypeVar("A")
R = TypeVar("R")

_KINDS: Final = ("config", "components", "detect")


def concerns(action: Action[Any, Any]) -> bool:
    """Is it about the files of the configuration?"""
    return action.name.partition(".")[0] in _KINDS and action.name != "config.show"


def run(shell: Shell, action: Action[A, R], given: A) -> R:
    """Do it, in a worker thread: by the agent, or in this process where there is none, or where it may not write.

    Raises:
        YaatError: as the action does.
    """
    from yaat_core.cli import editing

    door = _Quiet(config_file=Path(shell.config_option) if shell.config_option else None)
    try:
        return editing.run(door, action, given)
    finally:
        for text in door.told:
            shell.post(shell.notify, text)


@attrs.define(kw_only=True)
class _Quiet(Door):
    """Keeps what a command would say beside its result: the terminal is the TUI's."""

    told: list[str] = attrs.field(factory=list)

    def note(self, text: str) -> None:
        self.told.append(text)
