from __future__ import annotations

import datetime as dt
import json
import math
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yaat_core.control.rows import columns_of, rows_of, values_of
from yaat_core.event import Event, EventBatch

MOMENT = dt.datetime(2026, 1, 5, 10, 0, 0, 123, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("array", "value"),
    [
        (pa.array([MOMENT], pa.timestamp("us", "UTC")), "2026-01-05T10:00:00.000123Z"),
        (pa.array([MOMENT], pa.timestamp("us", "Europe/Berlin")), "2026-01-05T10:00:00.000123Z"),
        (pa.array([MOMENT.replace(tzinfo=None)], pa.timestamp("us")), "2026-01-05T10:00:00.000123"),
        (pa.array([1], pa.timestamp("ns", "UTC")), "1970-01-01T00:00:00.000000Z"),
        (pa.array([dt.date(2026, 1, 5)]), "2026-01-05"),
        (pa.array([dt.timedelta(seconds=90)]), "0:01:30"),
        (pa.array([bytes(range(16))], pa.binary(16)), "00010203-0405-0607-0809-0a0b0c0d0e0f"),
        (pa.array([b"\xff\x00"], pa.binary()), "ff00"),
        (pa.array([[("a", "b")]], pa.map_(pa.string(), pa.string())), {"a": "b"}),
        (pa.array([[("a", math.nan)]], pa.map_(pa.string(), pa.float64())), {"a": None}),
        (pa.array([{"x": [1.5, math.inf]}]), {"x": [1.5, None]}),
        (pa.array([[b"\x01", None]]), ["01", None]),
        (pa.array([Decimal("12.50")]), 12.5),
        (pa.array([Decimal(2**100)], pa.decimal128(38, 0)), 2**100),
        (pa.array([2**64 - 1], pa.uint64()), 2**64 - 1),
        (pa.array([math.nan]), None),
        (pa.array(["a"]).dictionary_encode(), "a"),
        (pa.array([None]), None),
        (pa.array([True]), True),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_values(array: Any, value: Any) -> None:
    batch = pa.RecordBatch.from_arrays([array], ["column"])
    assert values_of(batch) == [[value]]
    json.loads(msgspec.json.encode(values_of(batch)))
    nothing = pa.RecordBatch.from_arrays([pa.nulls(2, array.type)], ["column"])
    assert values_of(nothing) == [[None, None]]


def test_events_as_rows() -> None:
    batch = EventBatch.from_events(
        [Event(message="a", timestamp=MOMENT, tags={"k": "v"}), Event(message="b")]
    )
    rows = rows_of(batch.columns)
    assert [row["message"] for row in rows] == ["a", "b"]
    assert rows[0]["timestamp"] == "2026-01-05T10:00:00.000123Z"
    assert rows[0]["tags"] == {"k": "v"}
    assert rows[0]["event_id"] == "00000000-0000-0000-0000-000000000000"
    assert [column["name"] for column in columns_of(batch.columns.schema)] == batch.columns.schema.names


@given(st.lists(st.floats(), max_size=20), st.lists(st.text(), max_size=20))
def test_what_comes_out_is_always_json(numbers: list[float], texts: list[str]) -> None:
    for values, kind in (
        (numbers, pa.float64()),
        ([text for text in texts if text.isprintable()], pa.string()),
    ):
        batch = pa.RecordBatch.from_arrays([pa.array(values, kind)], ["v"])
        decoded = json.loads(msgspec.json.encode(values_of(batch)))[0]
        expected = [None if isinstance(v, float) and not math.isfinite(v) else v for v in values]
        assert decoded == expected
