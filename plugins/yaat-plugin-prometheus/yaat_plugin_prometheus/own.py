"""What the agent says of itself, as metrics: `Status` in, samples out."""

from __future__ import annotations

import platform
from collections import Counter
from typing import Final, get_args

from yaat_core.status import Accounting, AgentState, ComponentState, ComponentStatus, Health, Status
from yaat_plugin_prometheus.families import Families

_UP: Final = frozenset({"ok", "done", "skipped"})
_FATES: Final = ("delivered", "queued", "dead", "dropped", "lost")


def describe(status: Status, families: Families) -> None:
    """Add what ``status`` has and no counter of the agent tells."""
    families.info(
        "yaat_build", "Which agent this is.", {"version": status.version, "python": platform.python_version()}
    )
    families.states("yaat_agent_state", "What the agent does.", {}, get_args(AgentState), status.state)
    for component in status.components:
        _component(component, families)
    _health(status.health, [component.id for component in status.components], families)
    _accounting(status.accounting, families)


def _component(component: ComponentStatus, families: Families) -> None:
    labels = {"component": component.id, "type": component.type}
    families.gauge("yaat_component_up", "Does the component do its work?", labels, component.state in _UP)
    families.states(
        "yaat_component_state", "How the component is.", labels, get_args(ComponentState), component.state
    )
    families.counter(
        "yaat_component_restarts_total",
        "How often the component was started again after it failed.",
        {"component": component.id},
        component.restarts,
    )


def _health(health: Health, components: list[str], families: Families) -> None:
    families.gauge("yaat_health_ok", "Is nothing wrong that is an error? As /healthz tells.", {}, health.ok)
    found: Counter[tuple[str, str]] = Counter(
        (problem.component, problem.level) for problem in health.problems
    )
    known = [(component, level) for component in components for level in ("error", "warn")]
    for component, level in dict.fromkeys([*known, *found]):
        families.gauge(
            "yaat_health_problems",
            "What is wrong now; /healthz says what it is.",
            {"component": component, "level": level},
            found[component, level],
        )


def _accounting(accounting: Accounting, families: Families) -> None:
    families.counter(
        "yaat_accounting_read_events_total",
        "Events read and made since the queue was made.",
        {},
        accounting.read,
    )
    families.counter(
        "yaat_accounting_accepted_events_total",
        "Events that the queue took since it was made.",
        {},
        accounting.accepted,
    )
    for by, count in accounting.dropped_before_queue.items():
        families.counter(
            "yaat_accounting_dropped_events_total",
            "Events dropped before the queue since it was made, by processor and reason.",
            {"by": by},
            count,
        )
    for sink, account in accounting.by_sink.items():
        for fate in _FATES:
            families.gauge(
                "yaat_accounting_events",
                "What became of the events accepted for a sink since it was attached; the sum is what was accepted.",
                {"component": f"sinks.{sink}", "fate": fate},
                getattr(account, fate),
            )
    families.gauge(
        "yaat_accounting_balanced", "Do the sums of the accounting agree?", {}, accounting.balanced
    )
