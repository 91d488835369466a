"""The durable queue between processors and sinks: its contract, and what goes in and out (public through `components`)."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence

import attrs

from yaat_core.cursor import Cursor
from yaat_core.event import EventBatch

Checkpoints = Mapping[bytes, bytes | None]
"""Checkpoint writes of one source: key to value; None deletes the key."""


@attrs.frozen(kw_only=True)
class LedgerEntry:
    """Rows dropped before the queue, by component, reason and rule."""

    component: str
    reason: str
    rule: str = ""
    count: int


@attrs.frozen(kw_only=True)
class QueueWrite:
    """One atomic, synced write: events, the checkpoints that cover them, and what was dropped on the way.

    ``read`` is how many rows the sources handed over: ``len(batch)`` plus the counts in ``drops``.
    ``time_us`` is the accept time, microseconds since the epoch.
    """

    batch: EventBatch
    checkpoints: Mapping[str, Checkpoints] = attrs.field(factory=dict)
    """By component name (``str(ComponentId)``)."""
    drops: Sequence[LedgerEntry] = ()
    read: int = 0
    time_us: int = 0


@attrs.frozen
class Appended:
    """The sequences that a write got: ``first`` to ``last``, inclusive; ``last == first - 1`` when it held no event."""

    first: int
    last: int


@attrs.frozen(kw_only=True)
class Record:
    """A piece of the queue as stored: consecutive events, and the checkpoints written with them."""

    first: int
    last: int
    batch: EventBatch
    checkpoints: Mapping[str, Checkpoints] = attrs.field(factory=dict)
    time_us: int = 0
    bytes: int = 0
    """Size on disk."""


@attrs.frozen(kw_only=True)
class RecordInfo:
    """What `yaat queue list` shows of a record without decoding its events."""

    first: int
    last: int
    time_us: int
    bytes: int
    total_bytes: int
    """Bytes of all records ever written, up to and with this one: the difference of two is a backlog."""


@attrs.frozen
class StoredCheckpoint:
    """A checkpoint and the sequence of the last event at the time of its write."""

    value: bytes
    sequence: int


@attrs.frozen(kw_only=True)
class QueueState:
    """What the queue holds, all numbers taken at one moment."""

    queue_id: bytes
    tail: int
    """Sequence of the newest event; 0 when there never was one."""
    deleted_upto: int
    """Everything up to here is deleted."""
    total_bytes: int
    deleted_bytes: int
    oldest_us: int | None
    """Accept time of the oldest record that is kept."""
    read: int
    accepted: int
    dropped: Mapping[tuple[str, str, str], int]
    """Drop ledger: (component, reason, rule) to rows, all hours together."""
    cursors: Mapping[str, Cursor]
    """By sink name (``str(ComponentId)``)."""


@attrs.frozen
class Damage:
    """Something that verification found, and what was done about it."""

    what: str
    first: int | None = None
    last: int | None = None


class Queue(abc.ABC):
    """The durable queue between processors and sinks. Made by the factory in a closed state.

    Synchronous: the core calls it in worker threads, writes from one thread at a time, reads from
    any. Events have contiguous sequences from 1 on, across restarts; a hole means loss.
    """

    @abc.abstractmethod
    def open(self) -> Sequence[Damage]:
        """Open or create. Returns what was found damaged (and set aside); empty means intact.

        Raises:
            StoreNewer: written by a later version; untouched.
            StoreDamaged: can't be opened and can't be set aside.
            StoreUnavailable: no space or no permission.
        """

    @property
    @abc.abstractmethod
    def fresh(self) -> bool:
        """True when `open` made a new, empty queue."""

    @abc.abstractmethod
    def append(self, write: QueueWrite) -> Appended:
        """Write atomically and synced; returns after the sync.

        Raises:
            StoreUnavailable: nobody knows whether it was written; call `recover` until it returns.
        """

    @abc.abstractmethod
    def recover(self) -> Appended | None:
        """After a failed `append`: reopen and look. What it returns is the failed write's place when
        that turned out to be stored, or None when it has to be appended again.

        Raises:
            StoreUnavailable: still impossible; try again later.
        """

    @abc.abstractmethod
    def read(self, after: int, *, max_rows: int, max_bytes: int) -> Sequence[Record]:
        """Records with events after ``after``, oldest first, at least one if there is any.

        It ends with the record that brings ``max_rows`` rows, or before the one that would bring more than
        ``max_bytes`` bytes, stored or in memory, whichever are more. The first record is cut so that it begins
        after ``after``. Damaged records are quarantined, counted, and skipped: the caller sees a hole.
        """

    @abc.abstractmethod
    def infos(self, after: int, *, limit: int) -> Sequence[RecordInfo]:
        """Headers of records that end after ``after``, oldest first."""

    @abc.abstractmethod
    def state(self) -> QueueState:
        """All numbers, of one moment."""

    @abc.abstractmethod
    def checkpoints(self, component: str) -> Mapping[bytes, StoredCheckpoint]:
        """The stored checkpoints of a component."""

    def checkpointed(self) -> Sequence[str]:
        """The components that have stored checkpoints. A queue that can't tell says none: what a source that is not
        configured any more has read is then not known to the others."""
        return ()

    @abc.abstractmethod
    def put_cursors(self, cursors: Mapping[str, Cursor | None], *, sync: bool = False) -> None:
        """Store sinks' cursors in one atomic write (None deletes)."""

    @abc.abstractmethod
    def delete_upto(self, sequence: int) -> None:
        """Delete whole records up to ``sequence``. Unsynced: they may come back after a power cut."""

    @abc.abstractmethod
    def adopt(
        self,
        *,
        queue_id: bytes | None,
        tail: int,
        checkpoints: Mapping[str, Mapping[bytes, StoredCheckpoint]],
    ) -> None:
        """Go on behind a transactional sink that knows more (design: a lost or restored queue).

        The next sequence becomes ``max(own tail, tail) + 1``; the hole counts as read and accepted.
        Of each checkpoint the one with the higher sequence is kept. ``queue_id`` is taken over
        only by a queue that never held an event.
        """

    @abc.abstractmethod
    def verify(self) -> Sequence[Damage]:
        """Read everything and check it. Changes nothing."""

    @abc.abstractmethod
    def close(self) -> None:
        """Close. Safe twice."""
