"""The one place that knows where events are kept: another store, another class here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import attrs
import trio

from yaat_core.components import Ask, QueryAnswer, QueryRequest, QueryScope

_SERVICES: Final = """
    SELECT service_name, environment, count(*) AS events, min(received_at) AS first_seen, max(received_at) AS last_seen
    FROM events GROUP BY ALL ORDER BY ALL
"""


@attrs.frozen(kw_only=True)
class StoredService:
    """What is stored of a service in an environment. Times are microseconds since 1970."""

    service_name: str
    environment: str
    events: int
    first_seen_us: int
    last_seen_us: int


class EventStore(Protocol):
    """Events that can be asked for. Nothing that an answer tells comes from events outside of its scope."""

    async def query(self, sql: str, scope: QueryScope, *, rows: int, seconds: float) -> QueryAnswer:
        """SQL over `events`, `logs`, `spans` and `metrics`. Iterate and close the answer in one worker thread.

        Raises:
            QueryRefused, QueryFailed: the SQL is not for here, is wrong, or takes too much.
            StoreUnavailable: ask again in a moment.
        """
        ...

    async def services(self, scope: QueryScope, *, rows: int, seconds: float) -> Sequence[StoredService]:
        """Services by name and environment, ``rows`` at most. Raises as `query`."""
        ...


class SinkStore:
    """The database of one of the agent's own sinks."""

    def __init__(self, ask: Ask, sink: str | None) -> None:
        self._ask = ask
        self._sink = sink

    async def query(self, sql: str, scope: QueryScope, *, rows: int, seconds: float) -> QueryAnswer:
        """As `EventStore.query`."""
        return await self._ask(QueryRequest(sql=sql, rows=rows, seconds=seconds, scope=scope), self._sink)

    async def services(self, scope: QueryScope, *, rows: int, seconds: float) -> Sequence[StoredService]:
        """As `EventStore.services`."""
        answer = await self.query(_SERVICES, scope, rows=rows, seconds=seconds)
        return await trio.to_thread.run_sync(_services, answer)


def _services(answer: QueryAnswer) -> list[StoredService]:
    try:
        return [_service(*row.values()) for batch in answer for row in batch.to_pylist()]
    finally:
        answer.close()


def _service(service_name: str, environment: str, events: int, first: Any, last: Any) -> StoredService:
    return StoredService(
        service_name=service_name,
        environment=environment,
        events=events,
        first_seen_us=_microseconds(first),
        last_seen_us=_microseconds(last),
    )


def _microseconds(time: Any) -> int:
    return int(time.timestamp()) * 1_000_000 + int(time.microsecond)
