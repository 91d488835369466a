"""Questions to a sink's database, and the rows that answer them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import attrs

from yaat_core.errors import StoreUnavailable


@attrs.frozen(kw_only=True)
class QueryScope:
    """Which events may be seen at all: those of one organization, and of these services and environments (none: all)."""

    organization_id: str
    services: frozenset[str] = frozenset()
    environments: frozenset[str] = frozenset()


@attrs.frozen(kw_only=True)
class QueryRequest:
    """A question to a sink's database. ``rows`` and ``seconds`` are limits.

    With a ``scope`` the question is answered as if no other event existed.
    """

    sql: str
    rows: int = 100_000
    seconds: float = 30.0
    scope: QueryScope | None = None
    begins: Callable[[QueryAnswer], None] | None = None
    """Told, in the worker thread, of the answer that is about to be made, so that it can be interrupted meanwhile."""


class QueryAnswer(Protocol):
    """Rows as they come. Iterated and closed in one worker thread."""

    @property
    def schema(self) -> Any:
        """The Arrow schema of the answer."""
        ...

    @property
    def truncated(self) -> bool:
        """True, once iterated, when the limit of rows cut the answer."""
        ...

    def __iter__(self) -> Any:
        """Arrow record batches."""
        ...

    def close(self) -> None:
        """Stop the query and free its cursor."""
        ...


class Ask(Protocol):
    """Asks the agent's database."""

    async def __call__(self, request: QueryRequest, sink: str | None = None) -> QueryAnswer:
        """The answer of a sink's database (None: the first sink that can). Iterate and close it in one worker thread.

        Raises:
            QueryRefused, QueryFailed: the sandbox or the database says no.
            StoreUnavailable: the sink is not open at this moment.
            UsageError: there is no such sink, or none that can answer.
        """
        ...


async def nobody_to_ask(request: QueryRequest, sink: str | None = None) -> QueryAnswer:
    """Where no agent runs."""
    raise StoreUnavailable("no agent runs here that could be asked", fix="start it: yaat run")
