"""What a reload answers: plain values, for the API and whoever calls it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import attrs

from yaat_core.errors import YaatError

What = Literal["started", "stopped", "restarted", "changed"]


class NoReload(YaatError):
    """The agent can't take up a changed configuration at this moment."""

    code = "YAAT-E710"


@attrs.frozen(kw_only=True)
class Change:
    """One thing that is different: a component (`sources.app`), or a key of the file (`tags`)."""

    component: str
    what: What


@attrs.frozen(kw_only=True)
class Reloaded:
    """What a reload did. ``restart_needed``: what the file has that can't be changed while the agent runs."""

    changes: Sequence[Change]
    unchanged: int
    """Components that went on as they were."""
    restart_needed: Sequence[str]
    file: str | None = None
    was_read_at: str = ""
    """When what ran until now was read."""
    hash: str = ""
    """SHA-256 of the text that was read, included files after it."""
