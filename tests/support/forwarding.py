"""A `cloud` sink by itself against a real server: made, fed and tried again as the core does it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

from support.batches import at
from support.ingest_server import KEY
from yaat_core.components import Done, Outcome, Partial, Pause, Position, Retry
from yaat_core.config.options import Duration, Secret
from yaat_core.event import EventBatch
from yaat_core.stats import Stats
from yaat_core.testing import make_context
from yaat_plugin_cloud.config import CircuitBreakerConfig, CloudConfig, RetryConfig
from yaat_plugin_cloud.sink import CloudSink

QUEUE = b"queue-of-a-test-"
#: Nothing that a test waits for takes long, and nothing that it does not wait for happens.
QUICK = RetryConfig(initial=Duration(0.01), max_delay=Duration(0.05))
CALM = CircuitBreakerConfig(failure_threshold=None)


def batch_of(messages: Sequence[str], **fields: Any) -> EventBatch:
    """Events that the API takes, with these messages."""
    common = {
        "service_name": "web",
        "environment": "test",
        "organization_id": "local",
        "level": "info",
        **fields,
    }
    return EventBatch.from_events(
        [
            at(n, message=text, event_id=uuid.uuid5(uuid.NAMESPACE_OID, f"{n} {text[:99]}"), **common)
            for n, text in enumerate(messages)
        ]
    )


def numbered(count: int) -> list[str]:
    return [f"event {n}" for n in range(count)]


def position(first: int, last: int) -> Position:
    return Position(queue_id=QUEUE, sink="sinks.cloud", first=first, last=last)


def config(url: str, **options: Any) -> CloudConfig:
    """Quick to try again, without a circuit breaker unless it is asked for."""
    given: dict[str, Any] = {"api_key": Secret(KEY), "retry": QUICK, "circuit_breaker": CALM, **options}
    return CloudConfig(endpoint=url, **given)


@attrs.define(eq=False)
class Forwarder:
    """One life of a sink, and the outcomes so far."""

    sink: CloudSink
    stats: Stats
    outcomes: list[Outcome] = attrs.field(factory=list)

    async def once(self, batch: EventBatch, first: int = 1) -> Outcome:
        """One delivery, one outcome."""
        outcome = await self.sink.deliver(batch, position(first, first + len(batch) - 1))
        self.outcomes.append(outcome)
        return outcome

    async def until_over(self, batch: EventBatch, first: int = 1) -> Done | Partial:
        """Again and again, waiting as the sink says."""
        with trio.fail_after(60):
            while True:
                outcome = await self.once(batch, first)
                if isinstance(outcome, Retry):
                    await trio.sleep(outcome.after or 0)
                elif isinstance(outcome, Pause):
                    await trio.sleep(0.02)
                else:
                    assert isinstance(outcome, Done | Partial)
                    return outcome

    def counted(self, name: str) -> float:
        return sum(sample.value for sample in self.stats.snapshot() if sample.name == name)


@asynccontextmanager
async def forwarding(folder: Path, url: str, **options: Any) -> AsyncIterator[Forwarder]:
    """A sink that is open. The same folder again is a restart."""
    stats = Stats()
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - a test
    sink = CloudSink(config(url, **options), make_context(folder, "sinks.cloud", stats=stats))
    await sink.open()
    try:
        yield Forwarder(sink, stats)
    finally:
        await sink.aclose()
