"""What plugins serve on the health port: the types of the hook `health_routes`.

    async def metrics(request: HealthRequest) -> HealthAnswer:
        return HealthAnswer(body=b"...", content_type="text/plain; charset=utf-8")

    @hookimpl
    def health_routes(agent):
        return [HealthRoute(path="/metrics", answer=metrics)]

Routes are for GET (and HEAD). No rights are needed to ask, so they tell nothing of events and change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

import attrs

from yaat_core.hooks import Failure, ask_each

if TYPE_CHECKING:
    from yaat_core.plugins import Plugins
    from yaat_core.stats import Stats
    from yaat_core.status import Status

#: Served by the core.
OWN: Final = ("/healthz", "/readyz")
_PATH: Final = re.compile(r"(/[A-Za-z0-9._~-]+)+")


class Observed(Protocol):
    """The running agent, as far as a route sees it."""

    stats: Stats
    """Its counters, gauges and histograms."""

    async def status(self) -> Status:
        """Everything at one moment; its gauges in `stats` are up to date after it."""
        ...


@attrs.frozen(kw_only=True)
class HealthRequest:
    """What was asked. Names of ``headers`` are in lower case."""

    headers: Mapping[str, str] = attrs.field(factory=dict)
    query: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class HealthAnswer:
    """What is answered."""

    body: bytes
    content_type: str
    status: int = 200


def _plain(_instance: Any, _attribute: Any, path: str) -> None:
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        raise ValueError(f"not a path like /metrics: {path!r}")


@attrs.frozen(kw_only=True)
class HealthRoute:
    """``GET path`` on `health.listen`. ``answer`` runs in the event loop, so work that takes longer belongs in a thread.

    When it raises, the client gets a 500 with an id that the agent's log explains.
    """

    path: str = attrs.field(validator=_plain)
    answer: Callable[[HealthRequest], Awaitable[HealthAnswer]]


def health_routes_of(plugins: Plugins, agent: Observed) -> tuple[Sequence[HealthRoute], Sequence[Failure]]:
    """Every plugin's routes, and the plugins of which one could not be had."""
    answers, failed = ask_each(plugins, "health_routes", agent=agent)
    taken: dict[str, HealthRoute] = {}
    for answer in answers:
        for route in answer.value if isinstance(answer.value, Sequence) else [answer.value]:
            if not isinstance(route, HealthRoute):
                failed.append(Failure(answer.plugin, f"a {type(route).__name__} is no HealthRoute"))
            elif route.path in OWN or route.path in taken:
                failed.append(Failure(answer.plugin, f"{route.path} is taken"))
            else:
                taken[route.path] = route
    return list(taken.values()), failed
