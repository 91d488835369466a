"""Puts together what the agent says of itself: status, the accounting, its gauges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import psutil

from yaat_core.components import ComponentId, QueueState
from yaat_core.cursor import Cursor
from yaat_core.pipeline.lane import Lane
from yaat_core.stats import Stats
from yaat_core.status import Accounting, QueueFigures, SinkAccount


def accounting(state: QueueState) -> Accounting:
    """The equation of every sink and of the queue, from what the queue's own writes hold at one moment."""
    dropped: dict[str, int] = {}
    for (component, reason, rule), count in state.dropped.items():
        key = f"{_name(component)}/{rule or reason}"
        dropped[key] = dropped.get(key, 0) + count
    by_sink = {_name(name): _account(cursor, state.tail) for name, cursor in state.cursors.items()}
    balanced = state.read == state.accepted + sum(dropped.values()) and all(
        sink.accepted == sink.delivered + sink.queued + sink.dead + sink.dropped + sink.lost
        for sink in by_sink.values()
    )
    return Accounting(
        read=state.read,
        accepted=state.accepted,
        dropped_before_queue=dropped,
        balanced=balanced,
        by_sink=by_sink,
    )


def rules(stats: Stats) -> dict[str, dict[str, int]]:
    """By processor, what its counters with the label ``rule`` say of each; rules that found nothing are left out."""
    found: dict[str, dict[str, int]] = {}
    for sample in stats.snapshot():
        component, rule = sample.labels.get("component", ""), sample.labels.get("rule")
        if sample.type == "counter" and rule and sample.value and component.startswith("processors."):
            found.setdefault(component, {})[rule] = int(sample.value)
    return found


async def queue_figures(lanes: Iterable[Lane]) -> QueueFigures:
    """What waits for the slowest sink, and how old the oldest of it is."""
    lanes = list(lanes)
    age = max([await lane.age() for lane in lanes], default=0.0)
    return QueueFigures(
        events=max((lane.queued for lane in lanes), default=0),
        bytes=max((lane.backlog_bytes for lane in lanes), default=0),
        oldest_seconds=round(age, 3),
    )


def gauges(stats: Stats, figures: QueueFigures, lanes: Mapping[str, Lane]) -> None:
    """Bring the agent's gauges up to date."""
    stats.gauge("yaat_queue_events", "Events that wait for the slowest sink.").set(figures.events)
    stats.gauge("yaat_queue_bytes", "Stored bytes that wait for the slowest sink.").set(figures.bytes)
    stats.gauge("yaat_queue_oldest_seconds", "Age of the oldest record that waits.").set(
        figures.oldest_seconds
    )
    stats.gauge("yaat_process_resident_bytes", "Resident memory of the agent.").set(
        psutil.Process().memory_info().rss
    )
    for name, lane in lanes.items():
        stats.gauge("yaat_sink_queued_events", "Events that wait for a sink.", component=name).set(
            lane.queued
        )
        stats.gauge("yaat_sink_queued_bytes", "Stored bytes that wait for a sink.", component=name).set(
            lane.backlog_bytes
        )


def _account(cursor: Cursor, tail: int) -> SinkAccount:
    return SinkAccount(
        attached_at=_rfc3339(cursor.attached_at_us),
        accepted=cursor.accepted(tail),
        delivered=cursor.delivered,
        queued=cursor.queued(tail),
        dead=cursor.dead,
        dropped=cursor.dropped,
        lost=cursor.lost,
        detached_at=_rfc3339(cursor.detached_at_us) if cursor.detached_at_us else None,
    )


def _name(component: str) -> str:
    """``sinks.local`` as `local`: the document names the kind by its place."""
    return ComponentId.parse(component).name or component


def _rfc3339(microseconds: int) -> str:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).isoformat(timespec="seconds")
