"""The rows of an answer as bytes that stream: JSON, JSON lines, CSV, Arrow, Parquet. None holds the whole answer.

    json      one object: ``{"columns": [{"name", "type"}], "rows": [{...}, ...], "end": {"rows", "truncated"}}``
    ndjson    a line ``{"columns": [...]}``, lines ``{"rows": [[...], ...]}``, a line ``{"end": {...}}``
    csv       RFC 4180 with a head; maps and lists are JSON in a cell, null is empty
    arrow     an IPC stream; the last, empty batch has ``{"end": {...}}`` as its custom metadata ``yaat``
    parquet   a file, zstd-compressed, a row group a batch

Where an answer breaks off, ``{"error": {...}}`` stands in the place of the end. CSV and Parquet have no place for it
(`Encoder.tells`): theirs must be left without an end.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Protocol

import msgspec

from yaat_core.control import wire

#: Rows that one piece of text holds at most.
TEXT_ROWS: Final = 1_000
_BINARY_ROWS: Final = 65_536
#: Signs with which a spreadsheet begins a formula (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class Encoder(Protocol):
    """Turns the batches of one answer into bytes. Made from its Arrow schema."""

    media_type: ClassVar[str]
    tells: ClassVar[bool]
    """True when `finish` writes its document, so that the reader knows how the answer ended."""
    most_rows: ClassVar[int]
    """Rows that `rows` is given at most."""

    def start(self) -> bytes:
        """What comes first."""
        ...

    def rows(self, batch: Any) -> bytes:
        """A record batch. What it returned may be left out when nothing but `finish` follows."""
        ...

    def finish(self, document: Mapping[str, Any]) -> bytes:
        """The end: ``{"end": ...}``, or the ``{"error": ...}`` that is the end."""
        ...


class NdjsonEncoder:
    """One JSON document a line."""

    media_type: ClassVar[str] = wire.NDJSON
    tells: ClassVar[bool] = True
    most_rows: ClassVar[int] = TEXT_ROWS

    def __init__(self, schema: Any) -> None:
        self._schema = schema

    def start(self) -> bytes:
        """The columns."""
        from yaat_core.control.rows import columns_of

        return _line({"columns": columns_of(self._schema)})

    def rows(self, batch: Any) -> bytes:
        """One line."""
        from yaat_core.control.rows import values_of

        return _line({"rows": list(zip(*values_of(batch), strict=True))})

    def finish(self, document: Mapping[str, Any]) -> bytes:
        """The last line."""
        return _line(document)


class JsonEncoder:
    """One JSON object, with an object a row."""

    media_type: ClassVar[str] = "application/json"
    tells: ClassVar[bool] = True
    most_rows: ClassVar[int] = TEXT_ROWS

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._before = b"\n"

    def start(self) -> bytes:
        """The columns."""
        from yaat_core.control.rows import columns_of

        return b'{"columns":' + wire.encode(columns_of(self._schema)) + b',"rows":['

    def rows(self, batch: Any) -> bytes:
        """A line a row."""
        from yaat_core.control.rows import rows_of

        if not batch.num_rows:
            return b""
        before, self._before = self._before, b",\n"
        return before + b",\n".join(map(msgspec.json.encode, rows_of(batch)))

    def finish(self, document: Mapping[str, Any]) -> bytes:
        """The last member."""
        return b"\n]," + wire.encode(document)[1:] + b"\n"


class CsvEncoder:
    """RFC 4180 with a head. ``safe`` defuses what a spreadsheet would take for a formula."""

    media_type: ClassVar[str] = "text/csv; charset=utf-8"
    tells: ClassVar[bool] = False
    most_rows: ClassVar[int] = TEXT_ROWS

    def __init__(self, schema: Any, *, safe: bool = False) -> None:
        self._schema = schema
        self._convert = _defused if safe else _plain

    def start(self) -> bytes:
        """The names of the columns."""
        return self._records([self._schema.names])

    def rows(self, batch: Any) -> bytes:
        """A record a row."""
        from yaat_core.control.rows import values_of

        return self._records(zip(*values_of(batch), strict=True))

    def finish(self, document: Mapping[str, Any]) -> bytes:
        """Nothing."""
        return b""

    def _records(self, rows: Any) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(map(self._convert, rows))
        return text.getvalue().encode("utf-8", "backslashreplace")


class ArrowEncoder:
    """An Arrow IPC stream."""

    media_type: ClassVar[str] = wire.ARROW
    tells: ClassVar[bool] = True
    most_rows: ClassVar[int] = _BINARY_ROWS

    def __init__(self, schema: Any) -> None:
        import pyarrow as pa

        self._schema = schema
        self._file = _Pieces()
        self._writer = pa.ipc.new_stream(self._file, schema)

    def start(self) -> bytes:
        """The schema."""
        return self._file.taken()

    def rows(self, batch: Any) -> bytes:
        """The batch as a message."""
        self._writer.write_batch(batch)
        return self._file.taken()

    def finish(self, document: Mapping[str, Any]) -> bytes:
        """An empty batch with the document as metadata (none for an empty document), and the end of the stream."""
        import pyarrow as pa

        if document:
            columns = [pa.array([], field.type) for field in self._schema]
            empty = pa.RecordBatch.from_arrays(columns, schema=self._schema)
            self._writer.write_batch(empty, custom_metadata={"yaat": wire.encode(document)})
        self._writer.close()
        return self._file.taken()


class ParquetEncoder:
    """A Parquet file."""

    media_type: ClassVar[str] = "application/vnd.apache.parquet"
    tells: ClassVar[bool] = False
    most_rows: ClassVar[int] = _BINARY_ROWS

    def __init__(self, schema: Any) -> None:
        import pyarrow.parquet as pq

        self._file = _Pieces()
        self._writer = pq.ParquetWriter(self._file, schema, compression="zstd")

    def start(self) -> bytes:
        """The magic number."""
        return self._file.taken()

    def rows(self, batch: Any) -> bytes:
        """A row group."""
        self._writer.write_batch(batch)
        return self._file.taken()

    def finish(self, document: Mapping[str, Any]) -> bytes:
        """The footer."""
        self._writer.close()
        return self._file.taken()


#: By the name that a user gives.
ENCODERS: Final[Mapping[str, Callable[[Any], Encoder]]] = {
    "json": JsonEncoder,
    "ndjson": NdjsonEncoder,
    "csv": CsvEncoder,
    "arrow": ArrowEncoder,
    "parquet": ParquetEncoder,
}


def shown(value: Any) -> Any:
    """A JSON value as it stands in a cell."""
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else value


def _plain(row: Any) -> list[Any]:
    return [shown(value) for value in row]


def _defused(row: Any) -> list[Any]:
    return [
        "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value
        for value in _plain(row)
    ]


def _line(document: Any) -> bytes:
    return wire.encode(document) + b"\n"


class _Pieces:
    """A file that Arrow writes to and that is taken away piece by piece; positions count on."""

    closed = False

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._written = 0

    def taken(self) -> bytes:
        """What was written since."""
        taken = bytes(self._buffer)
        self._buffer.clear()
        return taken

    def write(self, data: Any) -> int:
        self._buffer += data
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False
