"""Means of this suite: scrubs from options, and texts through them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from yaat_core.event import Event, EventBatch
from yaat_core.stats import Stats
from yaat_core.testing import make_context
from yaat_plugin_scrub.config import Mask, Rule, ScrubConfig
from yaat_plugin_scrub.scrub import Scrub


@attrs.define
class Bench:
    """Makes scrubs whose hits are counted in ``stats``."""

    folder: Path
    stats: Stats = attrs.field(factory=Stats)

    def scrub(
        self,
        *rules: dict[str, Any],
        detectors: tuple[str, ...] = ("secrets", "email"),
        masks: tuple[Mask, ...] = (),
    ) -> Scrub:
        """A processor as the configuration would make it."""
        self.stats = Stats()
        config = ScrubConfig(detectors=detectors, rules=tuple(Rule(**rule) for rule in rules), masks=masks)
        return Scrub(config, make_context(self.folder, "processors.scrub", stats=self.stats))

    def messages(self, processor: Scrub, *texts: str | None) -> list[Any]:
        """The messages after it."""
        batch, _ = processor.process(EventBatch.from_events([Event(message=text) for text in texts]))
        found: list[Any] = batch.column("message").to_pylist()
        return found

    def one(self, processor: Scrub, **fields: Any) -> Event:
        """One event after it."""
        (event,) = processor.process(EventBatch.from_events([Event(**fields)]))[0]
        return event

    @property
    def hits(self) -> dict[str, float]:
        """The counters that are not zero, by rule."""
        found = [sample for sample in self.stats.snapshot() if sample.name == "yaat_scrub_hits_total"]
        return {sample.labels["rule"]: sample.value for sample in found if sample.value}


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One for all tests: scrubs are independent of each other."""
    return Bench(tmp_path_factory.mktemp("scrub"))
