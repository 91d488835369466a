"""Counters, cursors and ledger as one immutable value, replaced as a whole by whoever writes.

A reader that takes one reference has all numbers of one moment, without a lock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs
import msgspec

from yaat_core.components import QueueState, RecordInfo
from yaat_core.cursor import Cursor
from yaat_plugin_leveldb import index, keys

#: Version of the store as a whole: keys and values. A later one is refused untouched.
FORMAT: Final = 1

Holes = tuple[tuple[int, int], ...]
Dropped = Mapping[tuple[str, str, str], int]


@attrs.frozen(kw_only=True)
class Meta:
    """The counters of every write. ``write`` numbers the writes, so that it can be told which one landed."""

    format: int = FORMAT
    queue_id: bytes
    write: int = 0
    tail: int = 0
    total_bytes: int = 0
    read: int = 0
    accepted: int = 0

    def put(self) -> tuple[bytes, bytes]:
        """Key and value."""
        return keys.META, keys.seal(keys.META, self)

    def raised(self, tail: int) -> Meta:
        """The same with at least this tail; the hole counts as read and accepted."""
        hole = max(0, tail - self.tail)
        return attrs.evolve(self, tail=self.tail + hole, read=self.read + hole, accepted=self.accepted + hole)


@attrs.frozen(kw_only=True)
class Deleted:
    """What delivery and retention took away."""

    upto: int = 0
    size: int = 0

    def put(self) -> tuple[bytes, bytes]:
        """Key and value."""
        return keys.DELETED, keys.seal(keys.DELETED, self)


@attrs.frozen(kw_only=True)
class Figures:
    """Everything about the queue but the events."""

    meta: Meta
    deleted: Deleted = Deleted()
    ledger: Mapping[keys.LedgerKey, int] = attrs.field(factory=dict)
    dropped: Dropped = attrs.field(factory=dict)
    """The ledger with all hours together."""
    cursors: Mapping[str, Cursor] = attrs.field(factory=dict)
    holes: Holes = ()
    """Sequences that were never written here, or are known to be lost."""
    oldest: RecordInfo | None = None

    @property
    def untouched(self) -> bool:
        """True when nothing was ever written."""
        return not (self.meta.write or self.meta.tail or self.cursors)

    def state(self) -> QueueState:
        """As the contract shows it."""
        return QueueState(
            queue_id=self.meta.queue_id,
            tail=self.meta.tail,
            deleted_upto=self.deleted.upto,
            total_bytes=self.meta.total_bytes,
            deleted_bytes=self.deleted.size,
            oldest_us=self.oldest.time_us if self.oldest else None,
            read=self.meta.read,
            accepted=self.meta.accepted,
            dropped=self.dropped,
            cursors=self.cursors,
        )


def stored_meta(db: Any) -> Meta:
    """The counters.

    Raises:
        keys.Unsealed: they are damaged or not there.
    """
    meta: Meta | None = _get(db, keys.META, Meta)
    if meta is None:
        raise keys.Unsealed("the counters are not there")
    return meta


def summed(ledger: Mapping[keys.LedgerKey, int]) -> dict[tuple[str, str, str], int]:
    """The ledger with all hours together."""
    dropped: dict[tuple[str, str, str], int] = {}
    for (component, reason, rule, _), count in ledger.items():
        name = (component, reason, rule)
        dropped[name] = dropped.get(name, 0) + count
    return dropped


def load(db: Any) -> Figures:
    """What is stored.

    Raises:
        keys.Unsealed: the counters are damaged or not there.
    """
    deleted = _get(db, keys.DELETED, Deleted) or Deleted()
    meta = stored_meta(db)
    ledger = {keys.ledger_entry(key): keys.unseal(key, data, int) for key, data in _under(db, keys.LEDGER)}
    first = index.oldest(db, deleted.upto)
    return Figures(
        meta=meta,
        deleted=deleted,
        ledger=ledger,
        dropped=summed(ledger),
        cursors={key[1:].decode(): keys.unseal(key, data, Cursor) for key, data in _under(db, keys.CURSOR)},
        holes=_get(db, keys.HOLES, Holes) or (),
        oldest=first.info() if first else None,
    )


def unsound(db: Any) -> list[tuple[bytes, bytes]]:
    """Small values that don't pass their seal, with their keys."""
    return [(key, data) for key, data in _small(db) if not _sound(key, data)]


def _sound(key: bytes, data: bytes) -> bool:
    kinds: Mapping[bytes, Any] = {
        keys.META: Meta,
        keys.DELETED: Deleted,
        keys.HOLES: Holes,
        keys.NOTES: list[Any],
        keys.LEDGER: int,
        keys.CURSOR: Cursor,
        keys.CHECKPOINT: tuple[int, bytes],
    }
    try:
        keys.unseal(key, data, kinds[key[:1]])
        if key[:1] == keys.LEDGER:
            keys.ledger_entry(key)
    except (KeyError, keys.Unsealed, msgspec.MsgspecError):
        return False
    return True


def _small(db: Any) -> Iterator[tuple[bytes, bytes]]:
    """Every key that is neither a record nor an index entry."""
    bounds = ((None, keys.INDEX), (keys.INDEX + b"\xff" * 9, keys.RECORD), (keys.RECORD + b"\xff" * 9, None))
    for start, stop in bounds:
        with db.iterator(start=start, stop=stop, verify_checksums=True) as rows:
            yield from rows


def _under(db: Any, prefix: bytes) -> list[tuple[bytes, bytes]]:
    with db.iterator(prefix=prefix, verify_checksums=True) as rows:
        return list(rows)


def _get(db: Any, key: bytes, type: Any) -> Any:
    data = db.get(key, verify_checksums=True)
    return None if data is None else keys.unseal(key, data, type)
