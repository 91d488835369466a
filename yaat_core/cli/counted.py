"""An answer to a query that counts what was taken of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Counted:
    """An answer that counts its rows."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self.schema = answer.schema
        self.rows = 0

    @property
    def truncated(self) -> bool:
        """As the answer says."""
        return bool(self._answer.truncated)

    def __iter__(self) -> Iterator[Any]:
        for batch in self._answer:
            self.rows += batch.num_rows
            yield batch

    def close(self) -> None:
        """As the answer."""
        self._answer.close()
