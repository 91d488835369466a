"""One record of events as bytes: header, checkpoints, Arrow IPC, checksum.

    offset  size
         0     4  magic `YQR1`
         4     2  format version
         6     2  version of the event schema
         8     8  sequence of the first event
        16     4  number of events
        20     8  accept time, microseconds since the epoch
        28     8  bytes of all records written before this one
        36     8  memory that the events take when decoded
        44     4  length A of the checkpoints
        48     4  length B of the events
        52     A  checkpoints, msgpack: {component: {key: value or nil}}
      52+A     B  events, an Arrow IPC stream; packed unless they are few: magic `YZST`, 4 bytes of length, a zstd frame
    52+A+B     4  CRC32C of everything before

All numbers are big-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Final

import attrs
import crc32c
import msgspec
import pyarrow as pa

from yaat_core.components import Checkpoints, Record
from yaat_core.event import SCHEMA, SCHEMA_VERSION, EventBatch

MAGIC: Final = b"YQR1"
FORMAT: Final = 1
#: A record holds at most so many rows and about so many bytes when decoded: some 64 to 300 KiB on disk.
MAX_ROWS: Final = 8192
MAX_MEMORY: Final = 2**20

#: Smaller pieces are not compressed: that would take longer than writing them.
_COMPRESS_FROM: Final = 16 * 2**10
_PACKED: Final = struct.Struct(">4sI")
_PACKED_MAGIC: Final = b"YZST"
#: One frame for the stream: Arrow's own compression sets zstd up anew for each of its 60 buffers.
_ZSTD: Final = pa.Codec("zstd", compression_level=1)

_HEADER: Final = struct.Struct(">4sHHQIQQQII")
_CRC: Final = struct.Struct(">I")
_CHECKPOINTS = dict[str, dict[bytes, bytes | None]]


class BadRecord(Exception):
    """Bytes that are not the record that belongs there."""


@attrs.frozen(kw_only=True)
class Piece:
    """Rows of a write that become one record, encoded already."""

    count: int
    memory: int
    body: Any
    """Bytes of an Arrow IPC stream, as an Arrow buffer."""


@attrs.frozen(kw_only=True)
class Header:
    """What a record says of itself."""

    first: int
    count: int
    time_us: int
    bytes_before: int
    memory: int
    size: int
    """Bytes of the whole record."""

    @property
    def last(self) -> int:
        """Sequence of the last event."""
        return self.first + self.count - 1


def split(batch: EventBatch) -> list[Piece]:
    """The rows of a write as the bodies of one or more records; none for an empty batch."""
    rows = len(batch)
    if not rows:
        return []
    parts = max(-(-rows // MAX_ROWS), min(rows, -(-batch.nbytes // MAX_MEMORY)))
    step = -(-rows // parts)
    pieces = [batch.slice(start, step) for start in range(0, rows, step)] if parts > 1 else [batch]
    return [_piece(part) for part in pieces]


def encode(
    piece: Piece, *, first: int, time_us: int, bytes_before: int, checkpoints: Mapping[str, Checkpoints]
) -> bytes:
    """A record as it is stored."""
    written = msgspec.msgpack.encode(checkpoints) if checkpoints else b""
    header = _HEADER.pack(
        MAGIC,
        FORMAT,
        SCHEMA_VERSION,
        first,
        piece.count,
        time_us,
        bytes_before,
        piece.memory,
        len(written),
        piece.body.size,
    )
    crc = crc32c.crc32c(piece.body, crc32c.crc32c(written, crc32c.crc32c(header)))
    return b"".join((header, written, piece.body, _CRC.pack(crc)))


def check(last: int, data: bytes) -> Header:
    """The header of the record that ends at ``last``, after checking every byte.

    Raises:
        BadRecord: says what does not fit.
    """
    return _checked(last, data)[0]


def decode(last: int, data: bytes) -> Record:
    """The record that ends at ``last``.

    Raises:
        BadRecord: says what does not fit.
    """
    header, middle = _checked(last, data)
    try:
        written = data[_HEADER.size : middle]
        checkpoints = msgspec.msgpack.decode(written, type=_CHECKPOINTS) if written else {}
        batch = EventBatch.from_ipc(_unpacked(memoryview(data)[middle : -_CRC.size]))
    except (msgspec.MsgspecError, pa.ArrowException, OSError, struct.error) as error:
        raise BadRecord(f"the content can't be read: {type(error).__name__}") from error
    if len(batch) != header.count:
        raise BadRecord(f"{len(batch)} events where {header.count} were written")
    return Record(
        first=header.first,
        last=header.last,
        batch=batch,
        checkpoints=checkpoints,
        time_us=header.time_us,
        bytes=header.size,
    )


def cut(record: Record, after: int) -> Record:
    """The record without its events up to ``after``. Its checkpoints cover the end, so they stay."""
    if record.first > after:
        return record
    return attrs.evolve(record, first=after + 1, batch=record.batch.slice(after + 1 - record.first))


def _checked(last: int, data: bytes) -> tuple[Header, int]:
    """Header, and the offset where the events begin."""
    if len(data) < _HEADER.size + _CRC.size:
        raise BadRecord(f"only {len(data)} bytes")
    (stored,) = _CRC.unpack_from(data, len(data) - _CRC.size)
    if crc32c.crc32c(memoryview(data)[: -_CRC.size]) != stored:
        raise BadRecord("the checksum does not match")
    magic, version, _, first, count, time_us, before, memory, written, body = _HEADER.unpack_from(data)
    if magic != MAGIC or version > FORMAT:
        raise BadRecord(f"not a record of format {FORMAT}")
    middle = _HEADER.size + written
    header = Header(
        first=first, count=count, time_us=time_us, bytes_before=before, memory=memory, size=len(data)
    )
    if header.last != last or middle + body + _CRC.size != len(data):
        raise BadRecord(f"it belongs to sequences {first} to {header.last}")
    return header, middle


def _piece(rows: EventBatch) -> Piece:
    memory = rows.nbytes
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA, options=pa.ipc.IpcWriteOptions(use_threads=False)) as writer:
        writer.write_batch(rows.columns)
    body = sink.getvalue()
    if memory >= _COMPRESS_FROM:
        body = pa.py_buffer(_PACKED.pack(_PACKED_MAGIC, body.size) + _ZSTD.compress(body, asbytes=True))
    return Piece(count=len(rows), memory=memory, body=body)


def _unpacked(body: memoryview) -> Any:
    if bytes(body[: len(_PACKED_MAGIC)]) != _PACKED_MAGIC:
        return body
    _, size = _PACKED.unpack_from(body)
    return _ZSTD.decompress(body[_PACKED.size :], decompressed_size=size)
