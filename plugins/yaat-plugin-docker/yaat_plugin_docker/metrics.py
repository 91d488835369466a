"""The source of metrics: a round each interval."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import trio

from yaat_core import Context, EventBatch, Finding, Outlet, Source
from yaat_kit.choosing import Chosen
from yaat_kit.points import Points
from yaat_kit.rates import Rates, clock
from yaat_plugin_docker.config import DockerMetricsConfig
from yaat_plugin_docker.container import Container, Selection, Tagger, entries, from_inspection, valid_id
from yaat_plugin_docker.engine import Engine, EngineError
from yaat_plugin_docker.labels import wishes
from yaat_plugin_docker.stats import Measured

#: Seconds between the first look at the counters and the first metrics.
FIRST: Final = 1.0
#: Containers that are asked for at the same time, and seconds that one may take.
_AT_ONCE: Final = 8
_PATIENCE: Final = 10.0
_TOLD: Final = 20


class DockerMetricsSource(Source):
    """Has no checkpoints: what was not collected is not there any more."""

    def __init__(self, config: DockerMetricsConfig, context: Context) -> None:
        self._config = config
        self._once = context.once
        self._log = context.log
        self._selection = Selection(config.containers, config.images, config.labels, config.ids)
        self._tagger = Tagger(config.label_tags, config.env_tags)
        self._metrics = Chosen(config.metrics)
        self._rates = Rates()
        self._met = False
        self._problem: Finding | None = None
        self._silent: dict[str, Finding] = {}

    async def run(self, out: Outlet) -> None:
        """As `Source.run`."""
        engine = Engine(self._config.host)
        try:
            await self._rounds(engine, out)
        finally:
            with trio.CancelScope(shield=True):
                await engine.aclose()

    async def _rounds(self, engine: Engine, out: Outlet) -> None:
        await self._round(engine)
        interval = float(self._config.interval)
        due = trio.current_time() + (FIRST if self._once else min(FIRST, interval))
        while True:
            await trio.sleep_until(due)
            batch = await self._round(engine)
            receipt = await out.send(batch) if len(batch) else None
            if self._once:
                if receipt is not None:
                    await receipt.durable()
                return
            due = max(due + interval, trio.current_time())

    async def check(self) -> Sequence[Finding]:
        """As `Source.check`."""
        try:
            engine = Engine(self._config.host)
        except EngineError as error:
            return [Finding(problem=error.what, advice=error.fix)]
        try:
            await self._round(engine)
        finally:
            await engine.aclose()
        return self.problems()

    def problems(self) -> Sequence[Finding]:
        """As `Source.problems`."""
        if self._problem is not None:
            return [self._problem]
        return list(self._silent.values())[:_TOLD]

    async def _round(self, engine: Engine) -> EventBatch:
        """The metrics of all running containers now; none while the engine does not answer."""
        self._rates.begin()
        try:
            if not self._met:
                await engine.meet()
                self._met = True
            listed = entries(await engine.get("/containers/json"))
        except EngineError as error:
            self._met = False
            if self._problem is None:
                self._log.warning("%s", error.line())
            self._problem = Finding(problem=error.what, advice=error.fix)
            return EventBatch.empty()
        self._problem = None
        chosen = [id for one in listed if self._takes(one) and (id := valid_id(one.get("Id"))) is not None]
        self._silent = {id: one for id, one in self._silent.items() if id in chosen}
        batches: dict[str, EventBatch] = {}
        limit = trio.Semaphore(_AT_ONCE)
        async with trio.open_nursery() as nursery:
            for id in chosen:
                nursery.start_soon(self._measure, engine, id, limit, batches)
        return EventBatch.concat([batches[id] for id in chosen if id in batches])

    def _takes(self, entry: Mapping[str, Any]) -> bool:
        names, labels = entry.get("Names"), entry.get("Labels")
        return self._selection.takes(
            str(entry.get("Id")),
            str(names[0]).removeprefix("/") if isinstance(names, list) and names else "",
            str(entry.get("Image", "")),
            labels if isinstance(labels, dict) else {},
        )

    async def _measure(
        self, engine: Engine, id: str, limit: trio.Semaphore, batches: dict[str, EventBatch]
    ) -> None:
        async with limit:
            container, document = None, None
            try:
                with trio.move_on_after(_PATIENCE) as patience:
                    container = from_inspection(await engine.get(f"/containers/{id}/json"))
                    document = await engine.get(
                        f"/containers/{id}/stats", {"stream": "false", "one-shot": "true"}
                    )
            except EngineError as error:
                if not error.gone:
                    self._silent[id] = Finding(problem=error.what, advice=error.fix, level="warn")
                return
        if patience.cancelled_caught:
            problem = f"container {id[:12]}: the engine did not measure it within {_PATIENCE:g} s"
            self._silent[id] = Finding(problem=problem, advice="the others go on", level="warn")
        elif container is not None and container.running:
            batches[id] = self._batch(container, document)

    def _batch(self, container: Container, document: Any) -> EventBatch:
        points = Points(self._metrics, self._config.names, "container.")
        tags = self._tagger.tags(container)
        measured = Measured(document, (container.id, container.started), clock(), tags)
        measured.add_to(points, self._rates)
        self._silent.pop(container.id, None)
        if not measured.known:
            self._silent[container.id] = Finding(
                problem=f"container {container.shown}: the engine measures nothing of it",
                advice="look at the engine's own log: are control groups mounted, all of them?",
                level="warn",
            )
        points.ours("restarts", container.restarts, "restarts", tags)
        uptime = max(0.0, time.time() - container.started / 1e9)
        points.ours("uptime_seconds", uptime, "seconds", tags)
        points.otel("container.uptime", uptime, "s", tags)
        asked = wishes(container)
        return points.batch().with_columns(
            {"service_name": asked.service_name, "environment": asked.environment}
        )
