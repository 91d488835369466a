"""Answers as bytes: every format read back with a reader of its own, and what each says when an answer breaks off."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from yaat_core.control.encoders import ENCODERS, CsvEncoder

TABLE = pa.table(
    {
        "n": pa.array([1, None, 3], pa.int64()),
        "text": ["plain", 'a "quoted", \r\n line', "=1+1"],
        "tags": pa.array([[("k", "v")], [], None], pa.map_(pa.string(), pa.string())),
    }
)
END = {"end": {"rows": 3, "truncated": False}}
ROWS = [
    {"n": 1, "text": "plain", "tags": {"k": "v"}},
    {"n": None, "text": 'a "quoted", \r\n line', "tags": {}},
    {"n": 3, "text": "=1+1", "tags": None},
]


def encoded(form: str, document: dict[str, Any], table: pa.Table = TABLE) -> bytes:
    encoder = ENCODERS[form](table.schema)
    pieces = [encoder.start()]
    for batch in table.to_batches(max_chunksize=2):
        pieces.append(encoder.rows(batch))
    pieces.append(encoder.finish(document))
    return b"".join(pieces)


@pytest.mark.parametrize("document", [END, {"error": {"code": "YAAT-E603"}}])
def test_json(document: dict[str, Any]) -> None:
    read = json.loads(encoded("json", document))
    assert [column["name"] for column in read.pop("columns")] == ["n", "text", "tags"]
    assert read == {"rows": ROWS, **document}
    empty = json.loads(encoded("json", document, TABLE.slice(0, 0)))
    assert (empty["rows"], empty.get("end"), empty.get("error")) == (
        [],
        document.get("end"),
        document.get("error"),
    )


def test_json_lines() -> None:
    head, *rows, end = map(json.loads, encoded("ndjson", END).splitlines())
    names = [column["name"] for column in head["columns"]]
    assert [dict(zip(names, row, strict=True)) for line in rows for row in line["rows"]] == ROWS
    assert end == END


def test_arrow_has_its_end_as_metadata() -> None:
    stream = io.BytesIO(encoded("arrow", END))
    with pa.ipc.open_stream(stream) as reader:
        read = [reader.read_next_batch_with_custom_metadata() for _ in range(3)]
    assert pa.Table.from_batches([batch for batch, _ in read]) == TABLE
    assert json.loads(read[-1][1][b"yaat"]) == END
    assert pa.ipc.open_stream(encoded("arrow", {})).read_all() == TABLE


def test_parquet() -> None:
    assert pq.read_table(io.BytesIO(encoded("parquet", END))).to_pylist() == TABLE.to_pylist()


def test_csv() -> None:
    records = list(csv.reader(io.StringIO(encoded("csv", END).decode(), newline="")))
    assert records == [
        ["n", "text", "tags"],
        ["1", "plain", '{"k":"v"}'],
        ["", 'a "quoted", \r\n line', "{}"],
        ["3", "=1+1", ""],
    ]
    safe = CsvEncoder(TABLE.schema, safe=True).rows(TABLE.slice(2).to_batches()[0])
    assert safe == b"3,'=1+1,\r\n"


def test_which_formats_can_tell_of_an_error() -> None:
    """The others are left without an end: `AnswerResponse` ends the connection."""
    tells = {form for form, make in ENCODERS.items() if make(TABLE.schema).tells}
    assert tells == {"json", "ndjson", "arrow"}
