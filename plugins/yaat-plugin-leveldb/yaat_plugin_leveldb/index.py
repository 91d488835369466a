"""What a record is, without reading it: a small entry beside each record."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import Any

import attrs

from yaat_core.components import RecordInfo
from yaat_plugin_leveldb import keys, records

_Entry = tuple[int, int, int, int, int]


@attrs.frozen(kw_only=True)
class Entry:
    """First and last sequence, accept time, size on disk, sizes up to and with it, memory when decoded."""

    first: int
    last: int
    time_us: int
    size: int
    total_bytes: int
    memory: int

    @classmethod
    def of(cls, header: records.Header) -> Entry:
        """The entry that belongs to a record."""
        return cls(
            first=header.first,
            last=header.last,
            time_us=header.time_us,
            size=header.size,
            total_bytes=header.bytes_before + header.size,
            memory=header.memory,
        )

    @property
    def count(self) -> int:
        """Number of events."""
        return self.last - self.first + 1

    def put(self) -> tuple[bytes, bytes]:
        """Key and value."""
        key = keys.index_key(self.last)
        value = (self.first, self.time_us, self.size, self.total_bytes, self.memory)
        return key, keys.seal(key, value)

    def info(self) -> RecordInfo:
        """As the contract shows it."""
        return RecordInfo(
            first=self.first,
            last=self.last,
            time_us=self.time_us,
            bytes=self.size,
            total_bytes=self.total_bytes,
        )


def parse(key: bytes, data: bytes) -> Entry:
    """The inverse of `Entry.put`.

    Raises:
        keys.Unsealed: not what was written.
    """
    first, time_us, size, total, memory = keys.unseal(key, data, _Entry)
    return Entry(
        first=first,
        last=keys.last_of(key),
        time_us=time_us,
        size=size,
        total_bytes=total,
        memory=memory,
    )


def entries(db: Any, after: int, *, newest_first: bool = False) -> Generator[Entry, None, None]:
    """Entries of records that end after ``after``, by sequence. Close the iterator before the store.

    An entry that is damaged is made again from its record; when that is damaged as well it is left out.
    """
    start, stop = keys.index_key(after + 1), keys.index_key(keys.END)
    # Backwards, plyvel 1.5.1 finds nothing in a range of a single key that has a start.
    begin = None if newest_first else start
    with db.iterator(start=begin, stop=stop, reverse=newest_first, verify_checksums=True) as rows:
        for key, data in rows:
            if key < start:
                return
            try:
                yield parse(key, data)
            except keys.Unsealed:
                header = _header(db, keys.last_of(key))
                if header is not None:
                    yield Entry.of(header)


def oldest(db: Any, after: int) -> Entry | None:
    """The first record that ends after ``after``."""
    with closing(entries(db, after)) as found:
        return next(found, None)


def _header(db: Any, last: int) -> records.Header | None:
    data = db.get(keys.record_key(last), fill_cache=False)
    try:
        return records.check(last, data or b"")
    except records.BadRecord:
        return None
