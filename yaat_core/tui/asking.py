"""Questions in SQL from screens: to the agent, or without one to the database here, read-only, as `yaat query` does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs
import trio

from yaat_core.actions.agent import Query
from yaat_core.errors import AgentNotRunning, StoreUnavailable, YaatError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yaat_core.tui.shell import Shell

#: Seconds to wait for a database that is just opening, and between two tries.
_PATIENCE: Final = 5.0
_AGAIN: Final = 0.2


@attrs.frozen(eq=False)
class Found:
    """A whole answer: an `Answer` of record batches that lies in memory. ``seconds``: what it took."""

    schema: Any
    batches: Sequence[Any]
    truncated: bool
    seconds: float

    def __iter__(self) -> Iterator[Any]:
        return iter(self.batches)

    def close(self) -> None:
        """Nothing to give back."""

    @property
    def count(self) -> int:
        """Rows."""
        return sum(batch.num_rows for batch in self.batches)


async def ask(shell: Shell, sql: str, *, limit: int = 10_000, timeout: float = 30.0) -> Found:
    """The answer to a statement. Cancelling it stops the query.

    Raises:
        YaatError: as `yaat query` does.
    """
    if shell.link is None or shell.setup is None:
        assert shell.setup_error is not None
        raise shell.setup_error
    given = Query(sql=sql, limit=limit, timeout=timeout)
    began = time.monotonic()
    while True:
        try:
            async with shell.link.query(given) as answer:
                batches = [batch async for batch in answer]
                return Found(answer.schema, batches, answer.truncated, time.monotonic() - began)
        except AgentNotRunning:
            return await trio.to_thread.run_sync(here, shell, given, abandon_on_cancel=True)
        except YaatError as error:
            if error.code != StoreUnavailable.code or time.monotonic() - began > _PATIENCE:
                raise
        await trio.sleep(_AGAIN)


def here(shell: Shell, given: Query) -> Found:
    """The same for a thread that may wait; without an agent it opens the database itself.

    Raises:
        YaatError: as `yaat query` does.
    """
    from yaat_core.cli.answering import answered

    assert shell.setup is not None
    began = time.monotonic()
    with answered(shell.setup, given) as answer:
        batches = list(answer)
        return Found(answer.schema, batches, answer.truncated, time.monotonic() - began)


async def rows(shell: Shell, sql: str, *, limit: int = 10_000, timeout: float = 30.0) -> list[dict[str, Any]]:
    """The answer as JSON objects. Raises as `ask`."""
    found = await ask(shell, sql, limit=limit, timeout=timeout)
    return await trio.to_thread.run_sync(_objects, found)


def _objects(found: Found) -> list[dict[str, Any]]:
    from yaat_core.control.rows import rows_of

    return [row for batch in found for row in rows_of(batch)]
