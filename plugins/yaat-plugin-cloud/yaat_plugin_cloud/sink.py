"""`CloudSink`: one life of the sink, from open to close."""

from __future__ import annotations

import os
import ssl
from collections.abc import Sequence
from pathlib import Path

import trio

from yaat_core.components import Context, Done, Finding, Outcome, Position, Retry, Sink
from yaat_core.event import EventBatch
from yaat_plugin_cloud import endpoint, trust
from yaat_plugin_cloud.client import Client
from yaat_plugin_cloud.config import CloudConfig
from yaat_plugin_cloud.delivery import Counters, Delivery
from yaat_plugin_cloud.memory import Cut, Memory
from yaat_plugin_cloud.waiting import RETRY_AFTER_LIMIT, CircuitBreaker


class CloudSink(Sink):
    """At least once: a request that may have arrived is repeated under its own ``Batch-Id``, by which a server knows it."""

    batch_bytes = 8 * 2**20

    def __init__(self, config: CloudConfig, context: Context) -> None:
        self._config = config
        self._context = context
        self._endpoint = endpoint.parse(config.endpoint)
        self._client: Client | None = None
        cut = Cut(
            rows=config.max_batch_rows,
            bytes=int(config.max_batch_bytes),
            compression=config.compression,
            level=config.compression_level,
        )
        folder = context.state_dir / "delivery"
        self._memory = Memory(folder / f"{context.id}.json", cut)
        #: Dead letters that are delivered again come between the deliveries of the queue.
        self._replays = Memory(folder / f"{context.id}.replay.json", cut)
        self._breaker = CircuitBreaker(config.circuit_breaker)
        self._encoders = trio.CapacityLimiter(max(1, min(config.in_flight, os.cpu_count() or 1)))
        self._resume_at = 0.0
        self._passed: list[str] = []
        stats = context.stats
        sent = stats.counter(
            "yaat_cloud_sent_bytes_total", "Bytes of requests that were answered, compressed."
        )
        shorter = stats.counter(
            "yaat_cloud_cut_events_total", "Events that were cut since they were too large."
        )
        self._counters = Counters(requests=self._count, sent=sent.add, shrunk=shorter.add)

    @property
    def batch_rows(self) -> int:
        """As many as can be on the way at a time."""
        return self._config.max_batch_rows * self._config.in_flight

    async def open(self) -> None:
        """Read what an earlier life left; connections are made when they are needed."""
        for memory in (self._memory, self._replays):
            await trio.to_thread.run_sync(memory.load)
        self._client = Client(self._config, await self._trust())
        trouble = self._memory.trouble
        self._breaker.failures = trouble.breaker
        longest = max(float(self._config.retry.max_delay), RETRY_AFTER_LIMIT)
        self._resume_at = trio.current_time() + self._memory.wait_left(longest)

    async def deliver(self, batch: EventBatch, position: Position) -> Outcome:
        """Send the batch in one or more requests."""
        assert self._client is not None, "deliver() before open()"
        if not len(batch):
            return Done()
        if (left := self._resume_at - trio.current_time()) > 0:
            return Retry(self._memory.trouble.why, left)
        return await Delivery(
            batch=batch,
            position=position,
            config=self._config,
            post=self._client.post,
            memory=self._replays if position.replay else self._memory,
            breaker=self._breaker,
            encoders=self._encoders,
            counters=self._counters,
        ).run()

    async def check(self) -> Sequence[Finding]:
        """Names, connection, TLS, key: the first that fails is told."""
        from yaat_plugin_cloud.checking import check

        self._passed.clear()
        return await check(self._config, self._endpoint, self._trust, self._passed.append)

    def passed(self) -> Sequence[str]:
        """As `Sink.passed`: names, connection, TLS, key."""
        return tuple(self._passed)

    def problems(self) -> Sequence[Finding]:
        """That its state can't be kept."""
        return [
            Finding(
                problem=memory.problem,
                advice="see the disk and the permissions of the state directory; until then a restart may send "
                "events again under other ids",
                level="warn",
            )
            for memory in (self._memory, self._replays)
            if memory.problem
        ]

    async def aclose(self) -> None:
        """Close all connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _trust(self) -> ssl.SSLContext | None:
        if not self._endpoint.secure:
            return None
        file: Path | None = self._context.path(self._config.tls.ca_file) if self._config.tls.ca_file else None
        return await trio.to_thread.run_sync(trust.context, self._config.tls, file)

    def _count(self, status: str) -> None:
        self._context.stats.counter(
            "yaat_cloud_requests_total", "Requests by the status of their answer.", status=status
        ).add()
