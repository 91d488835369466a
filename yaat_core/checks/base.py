"""What a check is, and what checks get to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

import attrs

if TYPE_CHECKING:
    from yaat_core.config.model import Configuration
    from yaat_core.plugins import PluginState
    from yaat_core.stats import Sample
    from yaat_core.status import Accounting, QueueFigures, Status
    from yaat_core.workshop import Workshop

Level = Literal["ok", "warn", "error", "skipped"]

#: What checks are about, in the order in which they are shown.
GROUPS: Final[Mapping[str, str]] = {
    "agent": "Agent",
    "configuration": "Configuration",
    "plugins": "Plugins",
    "sources": "Sources",
    "processors": "Processors",
    "queue": "Queue and dead letters",
    "sinks": "Sinks",
    "sockets": "Sockets",
    "disk": "Disk",
    "clock": "Clock",
    "limits": "Limits",
    "environment": "Environment",
}


@attrs.frozen(kw_only=True)
class Check:
    """One thing that was looked at: ``what`` was found, and the ``advice`` where it is not well.

    ``component`` is empty for what is about the agent or the machine. ``seconds``: how long the look took.
    """

    name: str
    level: Level
    what: str
    advice: str = ""
    component: str = ""
    group: str = ""
    seconds: float = 0.0


@attrs.frozen(kw_only=True)
class Surroundings:
    """What checks look at: the configuration, the plugins, and what the agent says of itself."""

    configuration: Configuration
    plugins: Sequence[PluginState]
    workshop: Workshop
    """Makes components that are looked at and closed again; its figures are nobody's."""
    status: Status | None = None
    """Of the agent, which is this process; None: none runs, and what is looked at is what this user may see."""
    samples: Sequence[Sample] = ()
    """The agent's own figures."""
    accounting: Accounting | None = None
    """What the queue holds of it, when no agent runs."""
    queue: QueueFigures | None = None
    reach: bool = True
    """Whether sinks are reached for."""


Look = Callable[[Surroundings], Iterable[Check]]


@attrs.frozen(kw_only=True)
class Looking:
    """A check before it is done: ``look`` is called in a thread of its own, and given up after ``seconds``."""

    name: str
    group: str
    look: Look
    component: str = ""
    seconds: float = 5.0


def verdict(problem: bool, level: Level = "warn") -> Level:
    """``level`` when there is a problem, else `ok`."""
    return level if problem else "ok"
