"""The journal's export format (systemd, docs/JOURNAL_EXPORT_FORMATS.md), decoded as it comes.

An entry is lines ``NAME=value``, and an empty line at its end. A value that holds a newline or control characters is written as
``NAME``, a newline, its length (64 bits, little endian), its bytes, a newline.
"""

from __future__ import annotations

import struct
from typing import Final

from yaat_plugin_journald.entries import Collector

_CURSOR: Final = b"__CURSOR="
#: The first three lines are the journal's own: cursor, time, and this.
_THIRD: Final = b"__MONOTONIC_TIMESTAMP="
_LENGTH: Final = struct.Struct("<Q")
#: journald's own bounds (journal-def.h, journal-importer.h): 768 MiB a field, 1024 fields.
_LONGEST_FIELD: Final = 768 * 2**20
_LONGEST_NAME: Final = 1024


class Garbled(ValueError):
    """Bytes that are not of the format."""


class Decoder:
    """Fed with bytes, it fills a collector with the entries that are complete.

    `skip` is the cursor of an entry that is not wanted again: the one after which reading began.
    """

    def __init__(self, collector: Collector, skip: bytes = b"") -> None:
        self._collector = collector
        self._skip = skip
        self._buffer = bytearray()
        self._start = 0
        self._needed = 1

    @property
    def waiting(self) -> int:
        """Bytes of an entry whose end did not come yet."""
        return len(self._buffer) - self._start

    def feed(self, data: bytes) -> None:
        """More bytes."""
        if self._start:
            del self._buffer[: self._start]
            self._start = 0
        self._buffer += data

    def entries(self, rows: int, size: int) -> bool:
        """Collect complete entries, up to about so many rows and bytes; True when there may be more of them.

        Raises:
            Garbled: the stream can't be understood from here on.
        """
        collector = self._collector
        while len(collector.cursors) < rows and collector.bytes < size:
            if self.waiting < self._needed or not self._entry():
                return False
            self._needed = 1
        return True

    def _entry(self) -> bool:
        """One entry, if it is complete: quickly when all of it is text."""
        start = self._start
        end = self._buffer.find(b"\n\n", start)
        if end >= 0:
            lines = bytes(self._buffer[start:end]).split(b"\n")
            if False not in [b"=" in line for line in lines]:
                self._start = end + 2
                self._give(lines)
                return True
        fields = self._slowly()
        if fields is None:
            return False
        self._give(fields)
        return True

    def _slowly(self) -> list[bytes] | None:
        """An entry with binary values, as ``NAME=value``; None while its end is missing."""
        buffer, at = self._buffer, self._start
        fields: list[bytes] = []
        while True:
            end = buffer.find(b"\n", at)
            if end < 0:
                self._needed = self.waiting + 1
                return None
            if end == at:
                self._start = end + 1
                return fields
            line = bytes(buffer[at:end])
            at = end + 1
            if b"=" not in line:
                if len(line) > _LONGEST_NAME:
                    raise Garbled("a field's name does not end")
                if len(buffer) < at + 8:
                    self._needed = self.waiting + 1
                    return None
                (length,) = _LENGTH.unpack_from(buffer, at)
                if length > _LONGEST_FIELD:
                    raise Garbled(f"a field of {length} bytes")
                at += 8
                if len(buffer) <= at + length:
                    self._needed = at + length + 1 - self._start
                    return None
                if buffer[at + length] != 0x0A:
                    raise Garbled("a binary field does not end where it says")
                line += b"=" + bytes(buffer[at : at + length])
                at += length + 1
            fields.append(line)

    def _give(self, fields: list[bytes]) -> None:
        if not fields or fields == [b""]:
            return
        if not fields[0].startswith(_CURSOR):
            raise Garbled("an entry without its cursor")
        cursor = fields[0][len(_CURSOR) :]
        if cursor == self._skip:
            self._skip = b""
            return
        collector = self._collector
        collector.entry(cursor)
        collector.fields(fields[3:] if fields[2:] and fields[2].startswith(_THIRD) else fields[1:])
