"""The identities of the events that were taken last, by organization: exact, bounded by count and by time."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from yaat_core.event import EventBatch

_NONE: Final = bytes(16)
_SIZE: Final = 16


class Seen:
    """Up to about ``most`` identities; the oldest are forgotten, a batch at a time. 0: remembers none."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._by_organization: dict[str, set[bytes]] = {}
        self._batches: deque[tuple[int, bytes, str, bytes]] = deque()

    def new_rows(self, organization: str, batch: EventBatch) -> tuple[EventBatch, bytes]:
        """The rows that were not seen before, each identity once, and their identities (16 bytes each, joined).

        Rows without an identity are always new, and not among these.
        """
        if not self._most or not len(batch):
            return batch, b""
        column = batch.column("event_id")
        ids: list[bytes] = column.to_pylist()
        known = self._by_organization.get(organization, set())
        different = set(ids)
        different.discard(_NONE)
        if len(different) == len(ids) and known.isdisjoint(different):
            return batch, _joined(column)
        new = batch.filter(pa.array(_firsts(ids, known)))
        return new, b"".join(one for one in new.column("event_id").to_pylist() if one != _NONE)

    def remember(self, time_us: int, key: bytes, organization: str, ids: bytes) -> Sequence[bytes]:
        """These are in since then, under this key. Returns the keys of those that are forgotten instead."""
        if not ids:
            return ()
        self._batches.append((time_us, key, organization, ids))
        self._by_organization.setdefault(organization, set()).update(_split(ids))
        self._count += len(ids) // _SIZE
        forgotten = []
        while self._count > self._most and len(self._batches) > 1:
            forgotten.append(self._forget())
        return forgotten

    def forget_before(self, time_us: int) -> Sequence[bytes]:
        """Forget what is in for longer. Returns the keys."""
        forgotten = []
        while self._batches and self._batches[0][0] < time_us:
            forgotten.append(self._forget())
        return forgotten

    def _forget(self) -> bytes:
        _, key, organization, ids = self._batches.popleft()
        known = self._by_organization[organization]
        known.difference_update(_split(ids))
        if not known:
            del self._by_organization[organization]
        self._count -= len(ids) // _SIZE
        return key


def _firsts(ids: Sequence[bytes], known: set[bytes]) -> list[bool]:
    here: set[bytes] = set()
    firsts = []
    for one in ids:
        new = one == _NONE or (one not in known and one not in here)
        firsts.append(new)
        here.add(one)
    return firsts


def _joined(column: Any) -> bytes:
    raw = np.frombuffer(column.buffers()[1], np.uint8)
    return raw[column.offset * _SIZE : (column.offset + len(column)) * _SIZE].tobytes()


def _split(ids: bytes) -> list[bytes]:
    return [ids[start : start + _SIZE] for start in range(0, len(ids), _SIZE)]
