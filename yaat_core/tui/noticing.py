"""What changed between two statuses, told as events: problems that come and go, states, restarts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

import attrs

from yaat_core.status import Status


@attrs.frozen(kw_only=True)
class Noticed:
    """Something that happened, as far as the TUI saw it."""

    at: str
    """RFC 3339, UTC."""
    level: Literal["ok", "warn", "error"]
    component: str
    what: str
    advice: str = ""


def first(status: Status) -> Iterator[Noticed]:
    """What is wrong when the TUI comes."""
    for problem in status.health.problems:
        yield Noticed(
            at=problem.since,
            level=problem.level,
            component=problem.component,
            what=problem.what,
            advice=problem.advice,
        )


def between(before: Status, after: Status) -> Iterator[Noticed]:
    """What happened between two statuses."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if before.pid != after.pid or after.uptime_seconds < before.uptime_seconds:
        yield Noticed(at=now, level="ok", component="agent", what=f"started, pid {after.pid}")
    elif before.state != after.state:
        full: Literal["ok", "error"] = "error" if after.state == "storage_full" else "ok"
        yield Noticed(at=now, level=full, component="agent", what=after.state.replace("_", " "))
    old = {(one.component, one.what) for one in before.health.problems}
    new = {(one.component, one.what) for one in after.health.problems}
    for problem in after.health.problems:
        if (problem.component, problem.what) not in old:
            yield Noticed(
                at=now,
                level=problem.level,
                component=problem.component,
                what=problem.what,
                advice=problem.advice,
            )
    for component, what in sorted(old - new):
        if not any(one.component == component for one in after.health.problems):
            yield Noticed(at=now, level="ok", component=component, what=f"well again ({what})")
    yield from _components(before, after, now)


def _components(before: Status, after: Status, now: str) -> Iterator[Noticed]:
    known = {one.id: one for one in before.components}
    for one in after.components:
        was = known.get(one.id)
        if was is None:
            yield Noticed(at=now, level="ok", component=one.id, what=f"added ({one.type})")
        elif was.state != one.state:
            level: Literal["ok", "warn", "error"] = (
                "error" if one.state == "down" else "warn" if one.state in ("retrying", "paused") else "ok"
            )
            detail = f": {one.detail}" if one.detail else ""
            yield Noticed(at=now, level=level, component=one.id, what=f"{was.state} → {one.state}{detail}")
    there = {one.id for one in after.components}
    for name in known.keys() - there:
        yield Noticed(at=now, level="ok", component=name, what="removed")
