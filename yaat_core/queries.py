"""Questions to a sink's database, and the rows that answer them."""

from __future__ import annotations

from typing import Any, Protocol

import attrs


@attrs.frozen(kw_only=True)
class QueryRequest:
    """A question to a sink's database. ``rows`` and ``seconds`` are limits."""

    sql: str
    rows: int = 100_000
    seconds: float = 30.0


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
