"""A queue in memory that obeys the contract, with failures on demand: for tests of what stands around a queue."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence

from yaat_core.components import (
    Appended,
    Damage,
    Queue,
    QueueState,
    QueueWrite,
    Record,
    RecordInfo,
    StoredCheckpoint,
)
from yaat_core.cursor import Cursor
from yaat_core.errors import StoreUnavailable


class MemoryQueue(Queue):
    """Keeps everything in this object, so ``close`` and ``open`` again is a restart.

    ``fail_next`` appends fail: each either before the write (``landed=False``) or after it.
    """

    def __init__(self) -> None:
        self.fail_next = 0
        self.landed = False
        self.unavailable = 0
        self._fresh = True
        self._open = False
        self._queue_id = os.urandom(16)
        self._records: list[Record] = []
        self._totals: list[int] = []
        self._tail = self._deleted = self._total = self._deleted_bytes = self._read = self._accepted = 0
        self._dropped: Counter[tuple[str, str, str]] = Counter()
        self._cursors: dict[str, Cursor] = {}
        self._checkpoints: dict[str, dict[bytes, StoredCheckpoint]] = {}
        self._last: Appended | None = None

    def open(self) -> Sequence[Damage]:
        self._fresh = not self._tail and not self._cursors
        self._open = True
        return ()

    @property
    def fresh(self) -> bool:
        return self._fresh

    def append(self, write: QueueWrite) -> Appended:
        self._last = None
        if self.fail_next:
            self.fail_next -= 1
            if self.landed:
                self._last = self._append(write)
            self._open = False
            raise StoreUnavailable("no space (on demand)")
        return self._append(write)

    def recover(self) -> Appended | None:
        if self.unavailable:
            self.unavailable -= 1
            raise StoreUnavailable("still no space (on demand)")
        self._open = True
        return self._last

    def read(self, after: int, *, max_rows: int, max_bytes: int) -> Sequence[Record]:
        found: list[Record] = []
        rows = size = 0
        for record in self._records:
            if record.last <= after:
                continue
            if found and (rows >= max_rows or size + record.bytes > max_bytes):
                break
            skip = max(0, after - record.first + 1)
            cut = record.batch.slice(skip) if skip else record.batch
            found.append(
                Record(
                    first=record.first + skip,
                    last=record.last,
                    batch=cut,
                    checkpoints=record.checkpoints,
                    time_us=record.time_us,
                    bytes=record.bytes,
                )
            )
            rows, size = rows + len(cut), size + record.bytes
        return found

    def infos(self, after: int, *, limit: int) -> Sequence[RecordInfo]:
        return [
            RecordInfo(
                first=record.first,
                last=record.last,
                time_us=record.time_us,
                bytes=record.bytes,
                total_bytes=total,
            )
            for record, total in zip(self._records, self._totals, strict=True)
            if record.last > after
        ][:limit]

    def state(self) -> QueueState:
        return QueueState(
            queue_id=self._queue_id,
            tail=self._tail,
            deleted_upto=self._deleted,
            total_bytes=self._total,
            deleted_bytes=self._deleted_bytes,
            oldest_us=self._records[0].time_us if self._records else None,
            read=self._read,
            accepted=self._accepted,
            dropped=dict(self._dropped),
            cursors=dict(self._cursors),
        )

    def checkpoints(self, component: str) -> Mapping[bytes, StoredCheckpoint]:
        return dict(self._checkpoints.get(component, {}))

    def checkpointed(self) -> Sequence[str]:
        return [name for name, keys in self._checkpoints.items() if keys]

    def put_cursors(self, cursors: Mapping[str, Cursor | None], *, sync: bool = False) -> None:
        for name, cursor in cursors.items():
            if cursor is None:
                self._cursors.pop(name, None)
            else:
                self._cursors[name] = cursor

    def delete_upto(self, sequence: int) -> None:
        while self._records and self._records[0].last <= sequence:
            gone = self._records.pop(0)
            self._totals.pop(0)
            self._deleted, self._deleted_bytes = gone.last, self._deleted_bytes + gone.bytes

    def adopt(
        self,
        *,
        queue_id: bytes | None,
        tail: int,
        checkpoints: Mapping[str, Mapping[bytes, StoredCheckpoint]],
    ) -> None:
        if queue_id is not None and self._fresh:
            self._queue_id = queue_id
        hole = max(0, tail - self._tail)
        self._tail += hole
        self._read += hole
        self._accepted += hole
        for component, keys in checkpoints.items():
            mine = self._checkpoints.setdefault(component, {})
            for key, theirs in keys.items():
                if key not in mine or theirs.sequence > mine[key].sequence:
                    mine[key] = theirs

    def verify(self) -> Sequence[Damage]:
        return ()

    def lose(self, sequence: int) -> None:
        """Take out the record that holds ``sequence``: what a quarantined record looks like."""
        kept = [
            (record, total)
            for record, total in zip(self._records, self._totals, strict=True)
            if not record.first <= sequence <= record.last
        ]
        self._records = [record for record, _ in kept]
        self._totals = [total for _, total in kept]

    def close(self) -> None:
        self._open = False

    def _append(self, write: QueueWrite) -> Appended:
        first, rows = self._tail + 1, len(write.batch)
        if rows:
            size = write.batch.nbytes
            self._total += size
            self._tail += rows
            self._records.append(
                Record(
                    first=first,
                    last=self._tail,
                    batch=write.batch,
                    checkpoints=write.checkpoints,
                    time_us=write.time_us,
                    bytes=size,
                )
            )
            self._totals.append(self._total)
        self._read += write.read
        self._accepted += rows
        for drop in write.drops:
            self._dropped[drop.component, drop.reason, drop.rule] += drop.count
        for component, keys in write.checkpoints.items():
            mine = self._checkpoints.setdefault(component, {})
            for key, value in keys.items():
                if value is None:
                    mine.pop(key, None)
                else:
                    mine[key] = StoredCheckpoint(value, self._tail)
        return Appended(first, self._tail)
