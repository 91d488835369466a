"""Which batches and events were taken already: the one narrow place that makes a repeated request harmless.

Here there is one gateway, and `ingest.queue_claims` keeps the claims in the same queue write as the events. Several gateways
behind a load balancer need another implementation of this protocol, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import attrs

from yaat_core.event import EventBatch


@attrs.frozen
class Taken:
    """What became of a batch: how many of its events are in, and how many of those were in before."""

    accepted: int
    duplicates: int = 0


class Turn(Protocol):
    """One request's turn for its batch."""

    @property
    def before(self) -> Taken | None:
        """What became of it when it came the first time; None when this is the first time."""
        ...

    async def take(
        self, batch: EventBatch, settled: Callable[[Taken], None], *, again: bool = False
    ) -> Taken:
        """Take the events that are not in yet (``again``: all of them); returns when they are durable.

        ``settled`` is called when they are, even when the request is not waiting any more.

        Raises:
            Refused: 503, the pipeline was full for too long and nothing was taken, or it was taken and is not durable yet.
        """
        ...


class Claims(Protocol):
    """Gives every batch its turn."""

    def turn(self, organization: str, batch_id: str | None) -> AbstractAsyncContextManager[Turn]:
        """The turn of a batch, by its `Batch-Id` (None: it has none). Waits while the same batch is on its way.

        Raises:
            Refused: 503, it was on its way for too long.
        """
        ...
