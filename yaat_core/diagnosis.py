"""What `yaat diagnose` says: the status, judged. Each check has a verdict and, where it is bad, advice."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

import attrs

from yaat_core.status import Accounting, AgentState, ComponentStatus, Health, QueueFigures, Status

Verdict = Literal["ok", "warn", "error"]

#: Free bytes of the state directory's file system below which a check warns, and below which it fails.
LOW_SPACE: Final = 1 << 30
NO_SPACE: Final = 64 << 20
#: Seconds that the oldest waiting event may have before a check warns.
OLD: Final = 300.0


@attrs.frozen(kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    level: Verdict
    what: str
    advice: str = ""


@attrs.frozen(kw_only=True)
class Diagnosis:
    """The document of `yaat diagnose --json`. Without an agent the parts that only it knows are null."""

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


def diagnose(status: Status) -> Diagnosis:
    """Judge a running agent's status."""
    checks = tuple(_checks(status))
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


def disk_space(folder: str) -> Check:
    """How much room the file system of ``folder`` has for this user."""
    try:
        figures = os.statvfs(folder)
    except OSError as error:
        return Check(
            name="disk space",
            level="warn",
            what=f"{folder} can't be looked at: {error.strerror}",
            advice="check that the state directory exists and is readable",
        )
    free = figures.f_bavail * figures.f_frsize
    level: Verdict = "error" if free < NO_SPACE else "warn" if free < LOW_SPACE else "ok"
    advice = "" if level == "ok" else "make room, or lower max_bytes of the queue and the sinks"
    return Check(name="disk space", level=level, what=f"{free >> 20} MiB free at {folder}", advice=advice)


def _checks(status: Status) -> Iterator[Check]:
    yield _state(status)
    yield _balance(status.accounting)
    yield _loss(status.accounting)
    yield from (_component(one) for one in status.components)
    yield _backlog(status.queue)
    yield disk_space(status.state_dir)


def _state(status: Status) -> Check:
    advice = {
        "storage_full": "the queue can't be written: make room on the disk of the state directory",
        "waiting_for_sinks": "a sink does not say where it stands; mend it, or `yaat queue accept-loss`",
    }.get(status.state, "")
    level: Verdict = "error" if status.state == "storage_full" else "warn" if advice else "ok"
    return Check(name="agent", level=level, what=f"{status.state}, pid {status.pid}", advice=advice)


def _balance(accounting: Accounting) -> Check:
    if accounting.balanced:
        return Check(name="accounting", level="ok", what="every event is accounted for")
    return Check(
        name="accounting",
        level="error",
        what="the numbers don't add up: events are unaccounted for",
        advice="run `yaat queue verify`, and report it with the output of `yaat diagnose --json`",
    )


def _loss(accounting: Accounting) -> Check:
    lost = {name: sink.lost for name, sink in accounting.by_sink.items() if sink.lost}
    if not lost:
        return Check(name="loss", level="ok", what="no event was lost")
    told = ", ".join(f"{name}: {count}" for name, count in lost.items())
    return Check(
        name="loss",
        level="warn",
        what=f"events were lost ({told})",
        advice="a queue or a database was damaged, deleted or restored; the log of that start says which",
    )


def _component(one: ComponentStatus) -> Check:
    level: Verdict = (
        "error" if one.state in ("down", "paused") else "warn" if one.state == "retrying" else "ok"
    )
    restarts = f", {one.restarts} restarts" if one.restarts else ""
    detail = f": {one.detail}" if one.detail else ""
    advice = "" if level == "ok" else "`yaat validate` looks into its configuration and its reach"
    return Check(name=one.id, level=level, what=f"{one.state}{restarts}{detail}", advice=advice)


def _backlog(queue: QueueFigures) -> Check:
    what = f"{queue.events} events wait"
    if queue.oldest_seconds <= OLD:
        return Check(name="backlog", level="ok", what=what)
    return Check(
        name="backlog",
        level="warn",
        what=f"{what}, the oldest for {queue.oldest_seconds:.0f} s",
        advice="a sink is slow or down; `yaat status` shows which one has events queued",
    )
