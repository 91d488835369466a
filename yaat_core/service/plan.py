"""What will be done to the machine, as values: shown by commands and screens, carried out by `steps`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import attrs

#: `write` a file, make a `folder`, make or `forget` a `user`, `remove` a file or folder, `give` it to another, `run` a command.
StepKind = Literal["write", "folder", "user", "forget_user", "remove", "give", "run"]

#: A kind of step as people say it.
VERBS: Final[Mapping[StepKind, str]] = {
    "write": "write",
    "folder": "make",
    "user": "make",
    "forget_user": "remove",
    "remove": "remove",
    "give": "change",
    "run": "run",
}


@attrs.frozen(kw_only=True)
class Step:
    """One thing that is done.

    ``what`` says it in a line; ``done``: it is so already, nothing happens. ``text``, ``mode`` and ``owner``
    are of what is written or made; ``command`` is what runs, and of every other step the command that does the same by hand.
    """

    kind: StepKind
    what: str
    target: str = ""
    command: Sequence[str] = ()
    text: str | None = None
    mode: int | None = None
    owner: str = ""
    """USER or USER:GROUP."""
    bytes: int | None = None
    """Size of what is removed."""
    done: bool = False
    may_fail: bool = False
    """The rest is done all the same, and the failure is told."""


@attrs.frozen(kw_only=True)
class Stays:
    """Something of the agent that is left where it is, why, and how to remove it by hand."""

    what: str
    where: str
    why: str = ""
    remove: str = ""
    bytes: int | None = None


@attrs.frozen(kw_only=True)
class Plan:
    """Everything that an install or uninstall does, in order; nothing has been done yet."""

    action: Literal["install", "start", "stop", "uninstall"]
    steps: Sequence[Step]
    stays: Sequence[Stays] = ()
    notes: Sequence[str] = ()

    @property
    def changes(self) -> Sequence[Step]:
        """The steps that are not done already."""
        return tuple(step for step in self.steps if not step.done)

    def to_json(self) -> dict[str, Any]:
        """As JSON-ready values; modes are octal texts, as people write them."""
        document = attrs.asdict(self, recurse=True)
        for step in document["steps"]:
            step["mode"] = None if step["mode"] is None else f"{step['mode']:04o}"
            step["command"] = list(step["command"])
        return document


def weight(path: Path) -> int:
    """Bytes of a file, or of everything in a folder; what can't be looked at counts nothing."""
    try:
        if path.is_symlink() or not path.is_dir():
            return path.lstat().st_size
        return sum(weight(below) for below in path.iterdir())
    except OSError:
        return 0
