"""The document of `yaat diagnose --json`: the status, and what was looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from yaat_core.checks.base import Check
from yaat_core.status import Accounting, AgentState, ComponentStatus, Health, QueueFigures, Status


@attrs.frozen(kw_only=True)
class Diagnosis:
    """Without an agent the parts that only it knows are null."""

    version: str
    running: bool
    ok: bool
    health: Health
    checks: Sequence[Check]
    accounting: Accounting | None = None
    queue: QueueFigures | None = None
    components: Sequence[ComponentStatus] = ()
    state: AgentState | None = None
    uptime_seconds: float | None = None
    last_error: str | None = None
    state_dir: str = ""
    config_file: str | None = None
    rules: Mapping[str, Mapping[str, int]] = attrs.field(factory=dict)
    """By processor: how often each of its rules found something, since the start."""


def diagnose(status: Status, checks: Sequence[Check]) -> Diagnosis:
    """A running agent's status with what was looked at."""
    return Diagnosis(
        version=status.version,
        running=True,
        ok=status.health.ok and not any(check.level == "error" for check in checks),
        health=status.health,
        checks=checks,
        accounting=status.accounting,
        queue=status.queue,
        components=status.components,
        state=status.state,
        uptime_seconds=status.uptime_seconds,
        last_error=status.last_error,
        state_dir=status.state_dir,
        config_file=status.config_file,
        rules=status.rules,
    )
