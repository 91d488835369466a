"""What the agent says of itself: the models behind `yaat status`, `yaat diagnose`, health and screens.

All are plain attrs values that `to_json` turns into the documents of ``docs/cli.md``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs

from yaat_core.config.problems import ConfigProblem

AgentState = Literal["starting", "running", "storage_full", "waiting_for_sinks", "draining", "stopped"]
ComponentState = Literal["starting", "ok", "retrying", "paused", "down", "done", "skipped"]


@attrs.frozen(kw_only=True)
class Problem:
    """Something unhealthy: since when (RFC 3339), what, and what to do."""

    component: str
    since: str
    what: str
    advice: str = ""
    level: Literal["error", "warn"] = "error"


@attrs.frozen(kw_only=True)
class Health:
    """Overall health; ``ok`` is False when any problem is an error."""

    ok: bool
    problems: Sequence[Problem] = ()


@attrs.frozen(kw_only=True)
class ComponentStatus:
    """One component as it runs. ``figures`` are named numbers worth showing (events, bytes, lag_seconds)."""

    id: str
    type: str
    state: ComponentState
    since: str
    restarts: int = 0
    detail: str = ""
    figures: Mapping[str, float] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Rates:
    """What flows through a component now, a second, over the last few seconds.

    ``in_``: events that a source read, that came to a processor, or that were given to a sink (again, after a failure);
    ``out``: events of the source that the queue took, that the processor let pass, that the sink confirmed. ``errors``:
    failures of the component, and events that it refused or failed on. ``bytes`` of memory that events read or given
    take; 0 for processors. ``last_event_seconds``: since when nothing came; null: nothing has since the agent started.
    """

    component: str
    in_: float = 0.0
    out: float = 0.0
    errors: float = 0.0
    bytes: float = 0.0
    last_event_seconds: float | None = None


@attrs.frozen(kw_only=True)
class SinkAccount:
    """``accepted = delivered + queued + dead + dropped + lost``, since ``attached_at``."""

    attached_at: str
    accepted: int
    delivered: int
    queued: int
    dead: int
    dropped: int
    lost: int
    detached_at: str | None = None


@attrs.frozen(kw_only=True)
class Accounting:
    """``read = accepted + dropped_before_queue``; keys of the latter are ``processor/reason[:rule]``."""

    read: int
    accepted: int
    dropped_before_queue: Mapping[str, int]
    balanced: bool
    by_sink: Mapping[str, SinkAccount]


@attrs.frozen(kw_only=True)
class QueueFigures:
    """What waits for the slowest sink."""

    events: int
    bytes: int
    oldest_seconds: float


@attrs.frozen(kw_only=True)
class ConfigurationState:
    """What the agent runs with, and whether what is written is something else.

    ``hash`` is the SHA-256 of the text (of included files after it) that runs. ``problems`` are those of a file that was
    refused since; ``restart_needed`` names what it has that a running agent can't take up.
    """

    file: str | None
    loaded_at: str
    hash: str
    problems: Sequence[ConfigProblem] = ()
    restart_needed: Sequence[str] = ()


@attrs.frozen(kw_only=True)
class Status:
    """Everything at one moment."""

    version: str
    pid: int
    state: AgentState
    uptime_seconds: float
    config_file: str | None
    state_dir: str
    components: Sequence[ComponentStatus]
    health: Health
    accounting: Accounting
    queue: QueueFigures
    last_error: str | None = None
    configuration: ConfigurationState | None = None
    rules: Mapping[str, Mapping[str, int]] = attrs.field(factory=dict)
    """By processor: how often each of its rules found something, since the start."""
    rates: Sequence[Rates] = ()
    """Of sources, processors and sinks."""


def to_json(value: Any) -> dict[str, Any]:
    """Any of these models as JSON-ready dicts and lists."""
    return attrs.asdict(value, recurse=True)
