"""What the running agent can be asked: the narrow interface between the agent and its control API."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from yaat_core.components import Damage, QueryAnswer, QueryRequest, Record, RecordInfo
from yaat_core.stats import Stats
from yaat_core.status import Status


class Operations(Protocol):
    """Implemented by `yaat_core.agent.Agent`; tests give a small class of their own."""

    stats: Stats

    async def status(self) -> Status:
        """Everything at one moment."""
        ...

    async def query(self, request: QueryRequest, sink: str | None = None) -> QueryAnswer:
        """Ask a sink's database (None: the only one that can answer). Iterate the answer in a worker thread."""
        ...

    async def queue_infos(self, after: int, limit: int) -> Sequence[RecordInfo]:
        """Headers of waiting records."""
        ...

    async def queue_record(self, sequence: int) -> Record | None:
        """The record that holds ``sequence``."""
        ...

    async def queue_verify(self) -> Sequence[Damage]:
        """Read and check the whole queue."""
        ...

    async def queue_purge(self, sink: str) -> int:
        """Drop what waits for one sink (``sinks.NAME``); returns how many events, counted as `dropped`."""
        ...

    async def accept_loss(self) -> None:
        """Stop waiting for transactional sinks that do not answer, and start the sources."""
        ...

    def stop(self) -> None:
        """Begin to drain and stop; a second call stops at once."""
        ...

    def configuration(self) -> dict[str, Any]:
        """The effective configuration, secrets masked, as JSON-ready values."""
        ...
