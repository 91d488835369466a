"""Writes the rows of an answer: table, json, csv, parquet, arrow. All stream; none holds the whole answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Protocol

import attrs
import msgspec

from yaat_core.cli.table import stream, terminal_width
from yaat_core.components import QueryAnswer
from yaat_core.control.encoders import ArrowEncoder, CsvEncoder, Encoder, ParquetEncoder, shown
from yaat_core.control.rows import rows_of, values_of


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
        for line in stream(answer.schema.names, map(cells, answer), width=width):
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
        _encode(self.file, CsvEncoder(answer.schema, safe=self.style.csv_safe), answer)


@attrs.frozen
class Parquet:
    """A Parquet file, zstd-compressed."""

    file: Any
    style: Style

    def write(self, answer: QueryAnswer) -> None:
        """A row group a batch."""
        _encode(self.file, ParquetEncoder(answer.schema), answer)


@attrs.frozen
class Arrow:
    """An Arrow IPC stream."""

    file: Any
    style: Style

    def write(self, answer: QueryAnswer) -> None:
        """A message a batch."""
        _encode(self.file, ArrowEncoder(answer.schema), answer)


WRITERS: Final[Mapping[str, Callable[[Any, Style], Writer]]] = {
    "table": Table,
    "json": Json,
    "csv": Csv,
    "parquet": Parquet,
    "arrow": Arrow,
}


def _encode(file: Any, encoder: Encoder, answer: QueryAnswer) -> None:
    file.write(encoder.start())
    for batch in answer:
        for start in range(0, batch.num_rows, encoder.most_rows):
            file.write(encoder.rows(batch.slice(start, encoder.most_rows)))
    file.write(encoder.finish({}))
    file.flush()


def cells(batch: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a batch as they are shown."""
    columns = [[shown(value) for value in column] for column in values_of(batch)]
    return zip(*columns, strict=True)
