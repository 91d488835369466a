"""The queue without an agent: opened under the lock on the state directory, as the same `Operations`.

Only what needs the queue alone can be done; the rest says that no agent is running.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import trio

from yaat_core import identity
from yaat_core.cli.setup import Setup, workshop
from yaat_core.components import Damage, QueryAnswer, QueryRequest, Queue, Record, RecordInfo
from yaat_core.control.lock import StateLock
from yaat_core.display import terminal_safe
from yaat_core.errors import AgentNotRunning, UsageError
from yaat_core.stats import Stats
from yaat_core.status import Accounting, QueueFigures, Status

if TYPE_CHECKING:
    from yaat_core.actions import Action

A = TypeVar("A")
R = TypeVar("R")


def call(setup: Setup, action: Action[A, R], given: A, tell: Callable[[str], None]) -> R:
    """Do an action on the queue as it lies there; ``tell`` gets what was found damaged on the way.

    Raises:
        AgentNotRunning: it takes a running agent, or none ever ran here.
        StateInUse: something else holds the state directory.
    """
    with _opened(setup) as (queue, damage):
        for one in damage:
            tell(f"the queue was found damaged: {terminal_safe(one.what)}")
        result: R = trio.run(action.handler, QueueAlone(queue, damage), given)
        return result


def account(setup: Setup) -> tuple[Accounting, QueueFigures]:
    """The accounting that the queue holds.

    Raises:
        YaatError: as `call`, and when the queue can't be opened.
    """
    from yaat_core import report

    with _opened(setup) as (queue, _):
        state = queue.state()
    waiting = max((cursor.queued(state.tail) for cursor in state.cursors.values()), default=0)
    age = time.time() - state.oldest_us / 1e6 if waiting and state.oldest_us is not None else 0.0
    kept = state.total_bytes - state.deleted_bytes
    figures = QueueFigures(
        events=waiting, bytes=kept if waiting else 0, oldest_seconds=round(max(0.0, age), 3)
    )
    return report.accounting(state), figures


@contextlib.contextmanager
def _opened(setup: Setup) -> Iterator[tuple[Queue, Sequence[Damage]]]:
    if identity.known(setup.configuration.state_dir) is None:
        raise _nobody("there is no queue yet")
    with StateLock(setup.configuration.state_dir):
        queue: Queue = workshop(setup).make(setup.configuration.queue)
        damage = queue.open()
        try:
            yield queue, damage
        finally:
            queue.close()


class QueueAlone:
    """Implements `Operations` as far as a queue goes. One caller, so the queue is called right here."""

    def __init__(self, queue: Queue, damage: Sequence[Damage]) -> None:
        self.stats = Stats()
        self._queue = queue
        self._damage = damage

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
        """As `Operations.queue_verify`, with what the opening found."""
        return [*self._damage, *self._queue.verify()]

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
