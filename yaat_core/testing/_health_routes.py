"""The contract of the hook `health_routes`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import trio

from yaat_core import __version__
from yaat_core.health_routes import OWN, HealthAnswer, HealthRequest, HealthRoute, Observed
from yaat_core.stats import Stats
from yaat_core.status import (
    Accounting,
    ComponentStatus,
    Health,
    Problem,
    QueueFigures,
    SinkAccount,
    Status,
)

#: Texts that a component may be called, and that a page of any format has to write in its own way.
_ODD = 'quote " backslash \\ newline \n \ud800 é'


@attrs.define(eq=False)
class MadeAgent:
    """An agent for tests of routes: ``state`` is what `status` answers, `stats` what was counted."""

    stats: Stats = attrs.field(factory=Stats)
    state: Status = attrs.field(factory=lambda: _status())

    async def status(self) -> Status:
        """As it was made."""
        await trio.lowlevel.checkpoint()
        return self.state


def check_health_routes(
    hook: Callable[[Observed], Sequence[HealthRoute]],
) -> Mapping[str, HealthAnswer]:
    """Ask every route of an agent that has counted something, and of one that has not; returns the former answers by path."""
    fresh = MadeAgent()
    used = MadeAgent()
    used.stats.counter("yaat_test_total", "Counted.", component=_ODD).add(3)
    used.stats.gauge("yaat_test_bytes", "Set.").set(0.5)
    used.stats.histogram("yaat_test_seconds", "Timed.", rule=_ODD).observe(0.2)
    routes = [route for agent in (fresh, used) for route in hook(agent)]
    paths = [route.path for route in hook(used)]
    assert len(set(paths)) == len(paths), f"a path twice: {paths}"
    assert not set(paths) & set(OWN), f"the core serves {', '.join(OWN)} itself"
    return trio.run(_asked, routes)


async def _asked(routes: Sequence[HealthRoute]) -> Mapping[str, HealthAnswer]:
    answers: dict[str, HealthAnswer] = {}
    for route in routes:
        for headers in ({}, {"accept": "*/*"}, {"accept": ";;,q=x"}):
            answer = await route.answer(HealthRequest(headers=headers, query={"a": _ODD}))
            assert isinstance(answer, HealthAnswer), f"{route.path}: not a HealthAnswer but {answer!r}"
            assert isinstance(answer.body, bytes), f"{route.path}: its body is not bytes"
            assert "/" in answer.content_type, f"{route.path}: no content type: {answer.content_type!r}"
            assert 200 <= answer.status < 600, f"{route.path}: no status of HTTP: {answer.status}"
            answers[route.path] = answer
    return answers


def _status() -> Status:
    since = "2026-01-01T00:00:00+00:00"
    account = SinkAccount(attached_at=since, accepted=10, delivered=4, queued=3, dead=2, dropped=1, lost=0)
    return Status(
        version=__version__,
        pid=1,
        state="running",
        uptime_seconds=5.0,
        config_file=None,
        state_dir="/",
        components=(
            ComponentStatus(id="sources.app", type="file", state="ok", since=since),
            ComponentStatus(id="sinks.local", type="duckdb", state="retrying", since=since, restarts=2),
        ),
        health=Health(
            ok=False, problems=(Problem(component="sinks.local", since=since, what="refused", advice="wait"),)
        ),
        accounting=Accounting(
            read=12,
            accepted=10,
            dropped_before_queue={"scrub/health": 2},
            balanced=True,
            by_sink={"local": account},
        ),
        queue=QueueFigures(events=3, bytes=300, oldest_seconds=1.5),
    )
