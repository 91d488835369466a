"""Puts checks and the support bundle together, within an agent. What that takes is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from yaat_core.stats import Stats

if TYPE_CHECKING:
    from yaat_core.checks.running import Examiner
    from yaat_core.diagnosis import Diagnosis
    from yaat_core.flare.model import Flare
    from yaat_core.operations import Operations
    from yaat_core.plugins import Plugins
    from yaat_core.workshop import Workshop


class Inspector:
    """Looks at a running agent from within. ``shop`` gives the workshop of the configuration that it runs with now."""

    def __init__(self, agent: Operations, plugins: Plugins, shop: Callable[[], Workshop]) -> None:
        self._agent = agent
        self._plugins = plugins
        self._shop = shop
        self._examiner: Examiner | None = None

    async def diagnosis(self, *, reach: bool) -> Diagnosis:
        """As `yaat_core.operations.Inspects.diagnosis`."""
        from yaat_core.checks.base import Surroundings
        from yaat_core.checks.running import Examiner
        from yaat_core.diagnosis import diagnose

        if self._examiner is None:
            self._examiner = Examiner()
        shop = attrs.evolve(self._shop(), stats=Stats())
        around = Surroundings(
            configuration=shop.configuration,
            plugins=self._plugins.states,
            workshop=shop,
            status=await self._agent.status(),
            samples=self._agent.stats.snapshot(),
            reach=reach,
        )
        checks = await self._examiner.examine(around)
        return diagnose(await self._agent.status(), checks)

    async def flare(self) -> Flare:
        """As `yaat_core.operations.Inspects.flare`."""
        from yaat_core.flare import pieces
        from yaat_core.flare.assembling import assembled, queued

        diagnosis = await self.diagnosis(reach=True)
        chosen = [
            *pieces.judged(diagnosis, self._agent.configuration()),
            pieces.given(
                "stats.json",
                "the agent's own figures",
                [attrs.asdict(sample) for sample in self._agent.stats.snapshot()],
                own=True,
            ),
            *pieces.facts(self._plugins.states),
            *queued(self._agent),
            *pieces.logs(own=self._agent.live.log.after(0)),
        ]
        return await assembled(chosen, self._plugins, self._shop())
