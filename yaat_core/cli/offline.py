"""The queue and the dead letters without an agent: opened under the lock on the state directory, as the same `Operations`.

What only looks, opens the queue's view, which changes nothing. What needs more than queue and dead letters says that no
agent is running.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import trio

from yaat_core import identity
from yaat_core.cli.setup import Setup, workshop
from yaat_core.components import Damage, QueryAnswer, QueryRequest, Queue, Record, RecordInfo
from yaat_core.control.lock import StateLock, looking
from yaat_core.cursor import Cursor
from yaat_core.deadletters import DeadEvent, Letter, forgotten, heads, states
from yaat_core.display import terminal_safe
from yaat_core.errors import AgentNotRunning, NotAllowed, UsageError
from yaat_core.exporting import Exported
from yaat_core.faults import reached
from yaat_core.guessing import guess
from yaat_core.happenings import Happening
from yaat_core.maintenance import Repairable, Viewable, gaps
from yaat_core.pipeline import deadletter
from yaat_core.reloading.results import Reloaded
from yaat_core.replaying import Refused, Replayed, not_configured, put_right, sound, take_up
from yaat_core.stats import Stats
from yaat_core.status import Accounting, QueueFigures, Status
from yaat_core.upkeep import not_repairable

if TYPE_CHECKING:
    from yaat_core.actions.base import Action
    from yaat_core.editor import Editor
    from yaat_core.live import Live
    from yaat_core.operations import Inspects, Operations

A = TypeVar("A")
R = TypeVar("R")
Tell = Callable[[str], None]

#: Actions that need neither an agent nor a queue.
OUTSIDE: Final = ("checks", "diagnose", "flare.plan", "flare.write")


def call(setup: Setup, action: Action[A, R], given: A, tell: Tell) -> R:
    """Do an action on what lies there; ``tell`` gets what was found damaged on the way.

    Raises:
        AgentNotRunning: it takes a running agent, or none ever ran here.
        StateInUse: something else holds the state directory.
    """
    if action.name in OUTSIDE:
        return _outside(setup, action, given)
    with _alone(setup, action, tell) as alone:
        result: R = trio.run(action.handler, alone, given)
        return result


def _outside(setup: Setup, action: Action[A, R], given: A) -> R:
    from yaat_core.cli.outside import Outside

    result: R = trio.run(action.handler, cast("Operations", Outside(setup)), given)
    return result


@contextlib.contextmanager
def stream(setup: Setup, action: Action[A, R], given: A, tell: Tell) -> Iterator[QueryAnswer]:
    """As `call`, for an action that streams; the block has the answer."""
    with _alone(setup, action, tell) as alone:
        answer: QueryAnswer = trio.run(action.handler, alone, given)
        with contextlib.closing(answer):
            yield answer


def account(setup: Setup) -> tuple[Accounting, QueueFigures]:
    """The accounting that the queue holds.

    Raises:
        YaatError: as `call`, and when the queue can't be opened.
    """
    from yaat_core import report

    with _looked_at(setup) as (queue, _):
        state = queue.state()
    waiting = max((cursor.queued(state.tail) for cursor in state.cursors.values()), default=0)
    age = time.time() - state.oldest_us / 1e6 if waiting and state.oldest_us is not None else 0.0
    kept = state.total_bytes - state.deleted_bytes
    figures = QueueFigures(
        events=waiting, bytes=kept if waiting else 0, oldest_seconds=round(max(0.0, age), 3)
    )
    return report.accounting(state), figures


@contextlib.contextmanager
def _alone(setup: Setup, action: Action[Any, Any], tell: Tell) -> Iterator[Alone]:
    opened = _looked_at if action.looks else _opened
    with opened(setup) as (queue, damage):
        if action.name not in ("queue.verify", "queue.repair"):  # whose result tells it
            for one in damage:
                tell(f"the queue was found damaged: {terminal_safe(one.what)}")
        whole = setup.configuration
        sinks = [str(entry.id) for entry in whole.sinks.values()]
        yield Alone(queue, damage, whole.state_dir / whole.dead_letter.path, sinks)


@contextlib.contextmanager
def _looked_at(setup: Setup) -> Iterator[tuple[Queue, Sequence[Damage]]]:
    _refuse_nothing(setup)
    with looking(setup.configuration.state_dir):
        queue: Queue = workshop(setup).make(setup.configuration.queue)
        yield from _open(queue.view() if isinstance(queue, Viewable) else queue)


@contextlib.contextmanager
def _opened(setup: Setup) -> Iterator[tuple[Queue, Sequence[Damage]]]:
    _refuse_nothing(setup)
    with StateLock(setup.configuration.state_dir), _private():
        yield from _open(workshop(setup).make(setup.configuration.queue))


@contextlib.contextmanager
def _private() -> Iterator[None]:
    """Files that are made meanwhile are for this user alone, as the agent's are."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _open(queue: Queue) -> Iterator[tuple[Queue, Sequence[Damage]]]:
    try:
        damage = queue.open()
        yield queue, damage
    finally:
        queue.close()


def _refuse_nothing(setup: Setup) -> None:
    state_dir = setup.configuration.state_dir
    try:
        there = identity.known(state_dir) is not None
    except OSError as error:
        raise NotAllowed(
            f"the state directory {state_dir} can't be looked at: {error.strerror or error}",
            where=str(state_dir),
            fix="run the command as the agent's user (sudo -u)",
        ) from None
    if not there:
        raise _nobody("there is no queue yet")


class Alone:
    """Implements `Operations` as far as queue and dead letters go. One caller, so all is done right here."""

    inspector: Inspects

    def __init__(self, queue: Queue, damage: Sequence[Damage], dead: Path, sinks: Sequence[str]) -> None:
        self.stats = Stats()
        self._queue = queue
        self._damage = damage
        self._dead = dead
        self._sinks = sinks

    # --- queue

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

    async def queue_repair(self) -> tuple[Sequence[Damage], Mapping[str, int]]:
        """As `Operations.queue_repair`, with what the opening found and mended."""
        if not isinstance(self._queue, Repairable):
            raise not_repairable()
        told = {(one.first, one.last) for one in self._damage if one.last is not None}
        found = [one for one in self._queue.repair() if (one.first, one.last) not in told]
        state = self._queue.state()
        after: dict[str, Cursor] = {}
        for name, cursor in state.cursors.items():
            for first, last in await gaps(self.queue_infos, cursor.done, state.tail):
                cursor = cursor.settle(first, last, "lost")
            after[name] = cursor
        lost = {name: cursor.lost - state.cursors[name].lost for name, cursor in after.items()}
        self._queue.put_cursors(after, sync=True)
        return [*self._damage, *found], lost

    async def queue_export(self, first: int, last: int | None) -> QueryAnswer:
        """As `Operations.queue_export`."""
        tail = self._queue.state().tail
        read = self._queue.read
        return Exported(
            lambda after, rows, size: read(after, max_rows=rows, max_bytes=size),
            first,
            tail if last is None else min(last, tail),
        )

    async def queue_purge(self, sink: str) -> int:
        """As `Operations.queue_purge`: what waits for the sink becomes `dropped`, in one synced write."""
        self._tidy()
        cursor, tail = self._cursor(sink), self._queue.state().tail
        after = cursor.settle(cursor.done + 1, tail, "dropped")
        there = heads(self._dead, sink, ("queued",))
        self._change(sink, after.put_back([one.id for one in there], sum(one.events for one in there)))
        return cursor.unsettled(tail)

    # --- dead letters

    async def dead_letters(self, sink: str | None, limit: int) -> tuple[Sequence[Letter], Mapping[str, int]]:
        """As `Operations.dead_letters`."""
        return deadletter.found(self._dead, sink, limit)

    async def dead_letter(self, id: str, limit: int) -> tuple[Letter, Sequence[DeadEvent]]:
        """As `Operations.dead_letter`."""
        return deadletter.shown(self._dead, id, limit)

    async def dead_purge(self, sink: str, id: str | None) -> tuple[int, int]:
        """As `Operations.dead_purge`."""
        self._tidy()
        letters = deadletter.chosen(self._dead, sink, id)
        cursor = self._cursor(sink)
        count = forgotten(heads(self._dead, sink), letters, cursor.dead)
        self._change(sink, cursor.let_go([head.id for head in letters], count, "dead"))
        return len(letters), count

    async def dead_replay(self, sink: str | None, id: str | None, after: str | None, limit: int) -> Replayed:
        """As `Operations.dead_replay`: they are delivered when the agent runs."""
        if sink is not None:
            self._cursor(sink)
        self._tidy()
        step = deadletter.to_replay(self._dead, sink, id, after, limit)
        letters, events = 0, 0
        refused: list[Refused] = []
        for name in dict.fromkeys(head.sink for head in step.letters):
            of_it = [head for head in step.letters if head.sink == name]
            if name not in self._sinks:
                refused += not_configured(of_it)
                continue
            before = self._cursor(name)
            good, damaged = sound(of_it)
            cursor, more = take_up(before, good, states(self._dead / name))
            self._change(name, cursor)
            letters, events = letters + len(good) - len(more), events + cursor.replaying - before.replaying
            refused += [*damaged, *more]
        return Replayed(letters=letters, events=events, refused=refused, left=step.left, next=step.next)

    # --- nobody runs

    @property
    def editor(self) -> Editor:
        """It needs no queue: `cli.editing` has one."""
        raise _nobody()

    @property
    def live(self) -> Live:
        """Nobody runs."""
        raise _nobody()

    async def status(self) -> Status:
        """Nobody runs."""
        raise _nobody()

    async def query(self, request: QueryRequest, sink: str | None = None) -> QueryAnswer:
        """Nobody runs."""
        raise _nobody()

    async def accept_loss(self) -> None:
        """Nobody waits."""
        raise _nobody()

    async def reload(self, by: str) -> Reloaded:
        """Nobody runs."""
        raise _nobody()

    def happenings(self, after: int | None, limit: int) -> Sequence[Happening]:
        """Nobody runs."""
        raise _nobody()

    def stop(self) -> None:
        """Nobody runs."""
        raise _nobody()

    def configuration(self) -> dict[str, Any]:
        """Nobody runs."""
        raise _nobody()

    def _tidy(self) -> None:
        """What a kill left undone of earlier changes."""
        for sink, cursor in self._queue.state().cursors.items():
            if cursor.files:
                self._change(sink, cursor)

    def _change(self, sink: str, cursor: Cursor) -> None:
        """Count it, then change the files of the letters, as a running agent does."""
        self._queue.put_cursors({sink: cursor}, sync=True)
        reached("replay.taken")
        put_right(self._dead / sink, cursor.files, time.time())
        self._queue.put_cursors({sink: cursor.tidied(cursor.files)})

    def _cursor(self, sink: str) -> Cursor:
        cursors = self._queue.state().cursors
        if sink not in cursors:
            raise UsageError(f"no sink `{sink}` has a place in the queue", fix=guess(sink, cursors, "known"))
        return cursors[sink]


def _nobody(cause: str = "") -> AgentNotRunning:
    return AgentNotRunning("no agent is running", cause=cause, fix="start one with `yaat run`")
