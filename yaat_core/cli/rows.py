"""Writes the rows of an answer: table, json, csv, parquet, arrow. All stream; none holds the whole answer."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

import attrs
import msgspec

from yaat_core.cli.table import stream, terminal_width
from yaat_core.components import QueryAnswer
from yaat_core.control.rows import rows_of, values_of

#: Signs with which a spreadsheet begins a formula (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@attrs.frozen(kw_only=True)
class Style:
    """How: for a ``terminal``, cells are cut to its width; ``csv_safe`` defuses formulas."""

    terminal: bool = False
    csv_safe: bool = False


class Writer(Protocol):
    """Writes an answer to a binary file."""

    def write(self, answer: QueryAnswer) -> None:
        """All of it."""
        ...


@attrs.frozen
class Table:
    """Aligned columns for people, then the number of rows."""

    file: Any
    style: Style

    def write(self, answer: QueryAnswer) -> None:
        """A head, a line a row."""
        width = terminal_width() if self.style.terminal else None
        for line in stream(answer.schema.names, map(_cells, answer), width=width):
            self.file.write(line.encode("utf-8", "backslashreplace") + b"\n")
            if self.style.terminal:
                self.file.flush()
        self.file.flush()


@attrs.frozen
class Json:
    """One array of objects. It is closed properly even when the answer breaks off, which the exit code tells."""

    file: Any
    style: Style

    def write(self, answer: QueryAnswer) -> None:
        """An object a row, each on its own line."""
        self.file.write(b"[")
        before = b"\n"
        try:
            for batch in answer:
                for row in rows_of(batch):
                    self.file.write(before + msgspec.json.encode(row))
                    before = b",\n"
        finally:
            self.file.write(b"\n]\n")
            self.file.flush()


@attrs.frozen
class Csv:
    """RFC 4180 with a head; maps and lists are JSON in a cell, null is empty."""

    file: Any
    style: Style

    def write(self, answer: QueryAnswer) -> None:
        """A record a row."""
        convert = _defused if self.style.csv_safe else _plain
        text = io.TextIOWrapper(self.file, "utf-8", "backslashreplace", newline="", write_through=True)
        try:
            records = csv.writer(text)
            records.writerow(convert(answer.schema.names))
            for batch in answer:
                records.writerows(convert(row) for row in zip(*values_of(batch), strict=True))
            text.flush()
        finally:
            text.detach()


@attrs.frozen
class Parquet:
    """A Parquet file, zstd-compressed."""

    file: Any
    style: Style

    def write(self, answer: QueryAnswer) -> None:
        """A row group a batch."""
        import pyarrow.parquet as pq

        with pq.ParquetWriter(_Uncloseable(self.file), answer.schema, compression="zstd") as writer:
            for batch in answer:
                writer.write_batch(batch)


@attrs.frozen
class Arrow:
    """An Arrow IPC stream."""

    file: Any
    style: Style

    def write(self, answer: QueryAnswer) -> None:
        """A message a batch."""
        import pyarrow as pa

        with pa.ipc.new_stream(_Uncloseable(self.file), answer.schema) as writer:
            for batch in answer:
                writer.write_batch(batch)
        self.file.flush()


WRITERS: Final[Mapping[str, Callable[[Any, Style], Writer]]] = {
    "table": Table,
    "json": Json,
    "csv": Csv,
    "parquet": Parquet,
    "arrow": Arrow,
}


class _Uncloseable:
    """A file that Arrow may write but not close, and whose position counts from here (stdout has none)."""

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file
        self._written = 0

    def write(self, data: Any) -> int:
        self._file.write(data)
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self.flush()

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


def _cells(batch: Any) -> Iterator[tuple[Any, ...]]:
    columns = [[_shown(value) for value in column] for column in values_of(batch)]
    return zip(*columns, strict=True)


def _shown(value: Any) -> Any:
    return msgspec.json.encode(value).decode() if isinstance(value, dict | list) else value


def _plain(row: Any) -> list[Any]:
    return [_shown(value) for value in row]


def _defused(row: Any) -> list[Any]:
    return [
        "'" + value if isinstance(value, str) and value.startswith(_FORMULA) else value
        for value in _plain(row)
    ]
