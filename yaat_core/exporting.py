"""Events of the queue as a streamed answer: columns of the schema, behind the sequence of each event."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import pyarrow as pa

from yaat_core.components import Record
from yaat_core.event import SCHEMA

SEQUENCE: Final = "sequence"
#: Rows and bytes of one step: what an export holds at a time.
_ROWS: Final = 8192
_BYTES: Final = 4 * 2**20

#: ``read(after, max_rows, max_bytes)`` is `yaat_core.components.Queue.read`.
Read = Callable[[int, int, int], Sequence[Record]]


class Exported:
    """A `QueryAnswer`: events ``first`` to ``last``, as they are stored; what the queue does not hold is left out."""

    schema: Any = pa.schema([pa.field(SEQUENCE, pa.uint64()), *SCHEMA])
    truncated = False

    def __init__(self, read: Read, first: int, last: int) -> None:
        self._read = read
        self._after = first - 1
        self._last = last

    def __iter__(self) -> Iterator[Any]:
        """Arrow record batches."""
        while self._after < self._last:
            records = self._read(self._after, _ROWS, _BYTES)
            if not records:
                return
            for record in records:
                rows = min(record.last, self._last) - record.first + 1
                if rows > 0:
                    yield _with_sequence(record, rows)
                self._after = record.last

    def close(self) -> None:
        """Nothing is held between two steps."""


def _with_sequence(record: Record, rows: int) -> Any:
    columns = record.batch.columns.slice(0, rows)
    sequences = pa.array(range(record.first, record.first + rows), pa.uint64())
    return pa.RecordBatch.from_arrays([sequences, *columns.columns], schema=Exported.schema)
