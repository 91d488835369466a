"""Comma-separated values by a header line, or by the columns that the configuration names (RFC 4180).

The first line of a stream is its header, unless `columns` is set; names are understood as in JSON.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yaat_plugin_parse.config import CsvConfig
from yaat_plugin_parse.found import Fields, Found
from yaat_plugin_parse.leading import subset
from yaat_plugin_parse.matching import given
from yaat_plugin_parse.naming import assign, known_names
from yaat_plugin_parse.streams import Streams
from yaat_plugin_parse.zones import zone_of


@attrs.define
class _Stream:
    header: str = ""
    names: tuple[str, ...] = ()


class CsvFormat:
    """Lines of as many values as the header has."""

    def __init__(self, config: CsvConfig) -> None:
        self._delimiter = config.delimiter
        self._names = known_names(zone_of(config.timezone))
        self._fixed = bool(config.columns)
        self._streams: Streams[_Stream] = Streams(lambda: _Stream(names=_unique(config.columns)))

    def fits(self, lines: Any) -> Any:
        """A delimiter is in it."""
        return np.asarray(pc.match_substring(lines, self._delimiter))

    def parse(self, lines: Any, stream: str) -> Sequence[Found]:
        """Each line of as many values; the header line itself has nothing to be found in."""
        one = self._streams.get(stream)
        parts = []
        if not self._fixed:
            self._headed(one, lines)
            header = np.asarray(pc.equal(lines, pa.scalar(one.header, pa.string())))
            parts = [Found(np.flatnonzero(header), {})] if header.any() else []
        else:
            header = np.zeros(len(lines), bool)
        return [*parts, *self._values(lines, np.flatnonzero(~header), one.names)]

    def learn(self, opening: Any, stream: str) -> None:
        """See `Learning`: its first line is the header."""
        if not self._fixed:
            self._headed(self._streams.get(stream), opening)

    def _headed(self, one: _Stream, lines: Any) -> None:
        if not one.header:
            one.header = lines[0].as_py()
            one.names = _unique(self._row(one.header))

    def _values(self, lines: Any, rows: Any, names: tuple[str, ...]) -> list[Found]:
        texts = subset(lines, rows)
        quoted = np.asarray(pc.match_substring(texts, '"'))
        parts = []
        for mask, read in ((~quoted, self._plain), (quoted, self._quoted)):
            if mask.any() and names:
                columns, fits = read(texts.filter(pa.array(mask)), names)
                if len(fits):
                    fields = Fields(
                        rows[mask][fits], {name: given(column) for name, column in columns.items()}
                    )
                    parts.append(assign(fields, self._names))
        return parts

    def _plain(self, texts: Any, names: tuple[str, ...]) -> tuple[dict[str, Any], Any]:
        split = pc.split_pattern(texts, self._delimiter)
        whole = np.asarray(pc.list_value_length(split)) == len(names)
        flat = split.filter(pa.array(whole)).flatten()
        picks = [pa.array(np.arange(place, len(flat), len(names))) for place in range(len(names))]
        return {name: flat.take(pick) for name, pick in zip(names, picks, strict=True)}, np.flatnonzero(whole)

    def _quoted(self, texts: Any, names: tuple[str, ...]) -> tuple[dict[str, Any], Any]:
        """Row by row: a value may hold delimiters and line breaks."""
        read = [self._row(text) for text in texts.to_pylist()]
        fits = [place for place, row in enumerate(read) if len(row) == len(names)]
        columns = zip(*(read[place] for place in fits), strict=True) if fits else [()] * len(names)
        arrays = {name: pa.array(column, pa.string()) for name, column in zip(names, columns, strict=True)}
        return arrays, np.array(fits, np.int64)

    def _row(self, text: str) -> list[str]:
        """The values of one record; none when the text is no record (a quote is not closed)."""
        try:
            read = list(csv.reader([text + "\n"] if "\n" not in text else text.splitlines(keepends=True),
                                   delimiter=self._delimiter, strict=True))  # fmt: skip
        except csv.Error:
            return []
        return read[0] if len(read) == 1 else []


def _unique(names: Sequence[str]) -> tuple[str, ...]:
    """A name that comes again, or none, gets a number."""
    found: dict[str, None] = {}
    for place, name in enumerate(names, 1):
        name = name.strip().removeprefix("\ufeff") or f"column.{place}"
        found[name if name not in found else f"{name}.{place}"] = None
    return tuple(found)
