"""Repetitions that were dropped and that no event has told of yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs
import pyarrow as pa

from yaat_core.event import EventBatch

#: Bytes of events that are kept to be told of; of further ones only the number is kept.
KEPT_BYTES: Final = 8 << 20
#: Bytes of batches that may be held for single rows of them.
_HELD_BYTES: Final = 4 * KEPT_BYTES


@attrs.define
class _Repeated:
    count: int = 0
    at: float = 0.0
    """When the last one came, in seconds."""
    rows: EventBatch | None = None
    """Holds it at ``place``."""
    place: int = 0
    bytes: int = 0


class Untold:
    """By the digest of an event: how often it was repeated, and its last repetition."""

    def __init__(self) -> None:
        self._repeated: dict[bytes, _Repeated] = {}
        self._bytes = 0
        self._held = 0

    def __len__(self) -> int:
        return len(self._repeated)

    def add(self, digest: bytes) -> None:
        """One more."""
        one = self._repeated.get(digest)
        if one is None:
            one = self._repeated[digest] = _Repeated()
        one.count += 1

    def show(self, last: Mapping[bytes, int], batch: EventBatch, present: float) -> None:
        """The last repetitions of this batch, by their rows. They are copied, so that the batch can go."""
        if not last:
            return
        if self._held > _HELD_BYTES:
            self._let_go()
        rows = EventBatch(batch.columns.take(pa.array(list(last.values()))))
        self._held += rows.nbytes
        size = rows.nbytes // len(rows) + 256
        for place, digest in enumerate(last):
            one = self._repeated.get(digest)
            if one is None:
                continue  # told of by an event behind it
            self._bytes -= one.bytes
            one.at, one.rows, one.bytes = present, None, 0
            if self._bytes + size <= KEPT_BYTES:
                one.rows, one.place, one.bytes = rows, place, size
                self._bytes += size

    def told(self, digest: bytes) -> int:
        """How many there were: an event says it now."""
        one = self._repeated.pop(digest, None)
        if one is None:
            return 0
        self._bytes -= one.bytes
        return one.count

    def quiet_since(self, before: float, present: float) -> Iterator[bytes]:
        """Those of which something is kept, and of which none came since (or in the future: the clock was set)."""
        for digest, one in self._repeated.items():
            if one.rows is not None and not before < one.at <= present:
                yield digest

    def take(self, digests: Sequence[bytes]) -> tuple[EventBatch, list[int]]:
        """Their last repetitions, and how many there were; they are told of now."""
        pieces, counts = [], []
        for digest in digests:
            one = self._repeated[digest]
            assert one.rows is not None
            pieces.append(one.rows.slice(one.place, 1))
            counts.append(self.told(digest))
        return EventBatch.concat(pieces), counts

    def _let_go(self) -> None:
        """Of batches of which few rows are still to be told of."""
        kept = [one for one in self._repeated.values() if one.rows is not None]
        rows = EventBatch.concat([one.rows.slice(one.place, 1) for one in kept if one.rows is not None])
        for place, one in enumerate(kept):
            one.rows, one.place = rows, place
        self._held = rows.nbytes
