"""The queue without an agent: opened under the lock on the state directory, as the same `Operations`.

Only what needs the queue alone can be done; the rest says that no agent is running.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import trio

from yaat_core.cli.setup import Setup, workshop
from yaat_core.components import Damage, QueryAnswer, QueryRequest, Queue, Record, RecordInfo
from yaat_core.control.lock import StateLock
from yaat_core.errors import AgentNotRunning, UsageError
from yaat_core.stats import Stats
from yaat_core.status import Status

if TYPE_CHECKING:
    from yaat_core.actions import Action

A = TypeVar("A")
R = TypeVar("R")


def call(setup: Setup, action: Action[A, R], given: A) -> R:
    """Do an action on the queue as it lies there.

    Raises:
        AgentNotRunning: it takes a running agent, or none ever ran here.
        StateInUse: something else holds the state directory.
    """
    with _opened(setup) as queue:
        result: R = trio.run(action.handler, QueueAlone(queue), given)
        return result


@contextlib.contextmanager
def _opened(setup: Setup) -> Iterator[Queue]:
    if not setup.configuration.state_dir.is_dir():
        raise _nobody("there is no queue yet")
    with StateLock(setup.configuration.state_dir):
        queue: Queue = workshop(setup).make(setup.configuration.queue)
        queue.open()
        try:
            yield queue
        finally:
            queue.close()


class QueueAlone:
    """Implements `Operations` as far as a queue goes. One caller, so the queue is called right here."""

    def __init__(self, queue: Queue) -> None:
        self.stats = Stats()
        self._queue = queue

    async def queue_infos(self, after: int, limit: int) -> Sequence[RecordInfo]:
        """As `Operations.queue_infos`."""
        return self._queue.infos(after, limit=limit)

    async def queue_record(self, sequence: int) -> Record | None:
        """As `Operations.queue_record`."""
        found = next(iter(self._queue.infos(sequence - 1, limit=1)), None)
        if found is None or not found.first <= sequence <= found.last:
            return None
        records = self._queue.read(found.first - 1, max_rows=1, max_bytes=1)
        return records[0] if records and records[0].first <= sequence <= records[0].last else None

    async def queue_verify(self) -> Sequence[Damage]:
        """As `Operations.queue_verify`."""
        return self._queue.verify()

    async def queue_purge(self, sink: str) -> int:
        """As `Operations.queue_purge`: what waits for the sink becomes `dropped`, in one synced write."""
        state = self._queue.state()
        cursor = state.cursors.get(sink)
        if cursor is None:
            raise UsageError(
                f"no sink `{sink}` has a place in the queue", fix=f"known: {_known(state.cursors)}"
            )
        after = cursor.settle(cursor.done + 1, state.tail, "dropped")
        self._queue.put_cursors({sink: after}, sync=True)
        return cursor.queued(state.tail)

    async def status(self) -> Status:
        """Nobody runs."""
        raise _nobody()

    async def query(self, request: QueryRequest, sink: str | None = None) -> QueryAnswer:
        """Nobody runs."""
        raise _nobody()

    async def accept_loss(self) -> None:
        """Nobody waits."""
        raise _nobody()

    def stop(self) -> None:
        """Nobody runs."""
        raise _nobody()

    def configuration(self) -> dict[str, Any]:
        """Nobody runs."""
        raise _nobody()


def _known(names: Any) -> str:
    return ", ".join(names) or "none"


def _nobody(cause: str = "") -> AgentNotRunning:
    return AgentNotRunning("no agent is running", cause=cause, fix="start one with `yaat run`")
