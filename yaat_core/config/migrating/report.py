"""What became of an older file, key by key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import attrs


@attrs.frozen(kw_only=True)
class Note:
    """What became of one key of the old file.

    ``kept``: it has the same name; ``renamed``: it is ``to`` now; ``left``: it is not in the new file, ``why`` says the reason;
    ``added``: the old file had nothing of it (then ``line`` is None). Never holds the value of a key.
    """

    key: str
    what: Literal["kept", "renamed", "left", "added"]
    line: int | None = None
    to: str = ""
    why: str = ""


@attrs.frozen(kw_only=True)
class Needed:
    """A secret that the new file refers to in place of holding it: where the old file has it."""

    reference: str
    line: int


@attrs.frozen(kw_only=True)
class Migrated:
    """The new file's text and the report. ``format`` is what the old one was; ``current``: it needs no change."""

    format: str
    current: bool
    text: str
    notes: Sequence[Note] = ()
    needed: Sequence[Needed] = ()
    advice: Sequence[str] = ()
