"""What comes of editing, as typed values: of the actions `config.*` and `components.*`, and of the library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import attrs

from yaat_core.config.editing.history import Version
from yaat_core.config.problems import ConfigProblem


@attrs.frozen(kw_only=True)
class FileInfo:
    """One file of the configuration. ``hash`` is empty when there is none yet."""

    path: str
    hash: str
    writable: bool
    main: bool


@attrs.frozen(kw_only=True)
class ConfigText:
    """A file as it is written, with the hash that `config.apply` wants back, and all files that belong to it."""

    path: str
    text: str
    hash: str
    writable: bool
    exists: bool
    files: Sequence[FileInfo]


@attrs.frozen(kw_only=True)
class ChangedKey:
    """What a text changes: a component, or another key of the first level."""

    component: str
    what: Literal["added", "removed", "changed"]


@attrs.frozen(kw_only=True)
class Checked:
    """What is wrong with a text, and what it would change. ``ok``: it can be applied."""

    ok: bool
    path: str
    problems: Sequence[ConfigProblem]
    warnings: Sequence[ConfigProblem]
    diff: str
    changes: Sequence[ChangedKey]


@attrs.frozen(kw_only=True)
class Applied:
    """What was written. ``version`` is its number in the history; None: nothing was written (a dry run, or no difference).

    ``reloaded``: the running agent took it up; ``notes`` say what else to know: what needs a restart, why nothing
    reloads. ``hash`` is the file's after it (in a dry run: now). ``confirm_seconds``: after so long it is taken back, unless
    `config.confirm` comes.
    """

    version: int | None
    path: str
    diff: str
    hash: str
    changes: Sequence[ChangedKey] = ()
    warnings: Sequence[ConfigProblem] = ()
    reloaded: bool = False
    notes: Sequence[str] = ()
    confirm_seconds: float | None = None


@attrs.frozen(kw_only=True)
class VersionShown:
    """A version with what it did, as a diff without secrets. ``current``: the files are as it left them."""

    version: Version
    diff: str
    current: bool


@attrs.frozen(kw_only=True)
class ConfigHistory:
    """Newest first. ``undo`` and ``redo``: the number of the version that would be taken back or done again."""

    versions: Sequence[VersionShown]
    undo: int | None
    redo: int | None
    pending: int | None = None
