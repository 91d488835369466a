"""Reading an open store: records, their headers, checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from itertools import islice
from typing import Any

import attrs

from yaat_core.components import Record, RecordInfo, StoredCheckpoint
from yaat_plugin_leveldb import index, inspection, keys, records


@attrs.frozen
class Reader:
    """``reading()`` gives the open store; what does not check out goes to ``quarantine``."""

    reading: Callable[[], AbstractContextManager[Any]]
    quarantine: inspection.Quarantine

    def read(self, after: int, *, max_rows: int, max_bytes: int) -> Sequence[Record]:
        """As `Queue.read`."""
        found: list[Record] = []
        rows = size = 0
        with self.reading() as db, closing(index.entries(db, after)) as entries:
            for entry in entries:
                count = entry.last - max(after, entry.first - 1)
                cost = max(entry.memory, entry.size)
                if found and (rows >= max_rows or size + cost > max_bytes):
                    break
                record = inspection.read_record(db, entry, self.quarantine)
                if isinstance(record, Record):
                    found.append(records.cut(record, after))
                    rows, size = rows + count, size + cost
        return found

    def infos(self, after: int, limit: int) -> Sequence[RecordInfo]:
        """As `Queue.infos`."""
        with self.reading() as db, closing(index.entries(db, after)) as entries:
            return [entry.info() for entry in islice(entries, limit)]

    def checkpoints(self, component: str) -> Mapping[bytes, StoredCheckpoint]:
        """As `Queue.checkpoints`."""
        prefix = keys.checkpoint_prefix(component)
        found: dict[bytes, StoredCheckpoint] = {}
        with self.reading() as db, db.iterator(prefix=prefix, verify_checksums=True) as rows:
            for key, data in rows:
                sequence, value = keys.unseal(key, data, tuple[int, bytes])
                found[key[len(prefix) :]] = StoredCheckpoint(value, sequence)
        return found

    def checkpointed(self) -> Sequence[str]:
        """As `Queue.checkpointed`."""
        with self.reading() as db, db.iterator(prefix=keys.CHECKPOINT, include_value=False) as found:
            return list(dict.fromkeys(map(keys.component_of, found)))
