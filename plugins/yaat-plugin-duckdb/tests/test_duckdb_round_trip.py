"""Any rows go in, the same rows come out: nulls, texts of every kind and length, times at the ends of the calendar."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_core.components import Done, Partial, Position
from yaat_core.event import SCHEMA, EventBatch

QUEUE = b"queue-0000000001"
#: Microseconds that DuckDB can store as a timestamp with time zone; beyond them rows are refused, one by one.
EARLIEST, LATEST = -(2**63) + 2**52, 2**63 - 2**52
YEAR_1, YEAR_9999 = -62_135_596_800_000_000, 253_402_300_799_999_999

TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", "\0", "'; DROP TABLE yaat_events; --", "\N{PILE OF POO}" * 3, "\u202e\u200b", "x" * 70_000]
    ),
)
TIMES = st.one_of(st.integers(YEAR_1, YEAR_9999), st.sampled_from([0, YEAR_1, YEAR_9999, 2**31 * 1_000_000]))
NUMBERS = st.one_of(st.floats(allow_nan=False), st.sampled_from([-0.0, 5e-324, 1.7976931348623157e308]))
TAGS = st.lists(
    st.tuples(st.text(max_size=5), st.one_of(st.none(), TEXTS)), max_size=4, unique_by=lambda one: one[0]
)
VALUES: dict[Any, Any] = {
    pa.string(): TEXTS,
    pa.binary(16): st.binary(min_size=16, max_size=16),
    pa.timestamp("us", "UTC"): TIMES,
    pa.float64(): NUMBERS,
    pa.uint16(): st.integers(0, 65535),
    pa.map_(pa.string(), pa.string()): TAGS,
}


def column(field: Any) -> Any:
    values = VALUES[field.type]
    return st.one_of(st.none(), values) if field.nullable else values


ROW = st.fixed_dictionaries({field.name: column(field) for field in SCHEMA})


def as_batch(rows: list[dict[str, Any]]) -> EventBatch:
    arrays = [pa.array([row[field.name] for row in rows], field.type) for field in SCHEMA]
    return EventBatch(pa.RecordBatch.from_arrays(arrays, schema=SCHEMA))


def comparable(value: Any) -> Any:
    """With NaN, -0.0 and lists of pairs made comparable."""
    if isinstance(value, float):
        return struct.pack("d", value)
    return dict(value) if isinstance(value, list) else value


@pytest.fixture(scope="module")
def running(make_bench: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    bench = make_bench(tmp_path_factory.mktemp("round"))
    bench.open()
    yield bench
    bench.close()


@settings(max_examples=15, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=8))
def test_the_same_rows_come_out(running: Any, rows: list[dict[str, Any]]) -> None:
    first = running.writer.position().sequence + 1
    batch = as_batch(rows)
    position = Position(queue_id=QUEUE, sink="sinks.local", first=first, last=first + len(rows) - 1)
    assert running.writer.deliver(batch, position) == Done()
    if len(rows) % 3 == 0:
        running.tidy()
    reading = running.writer.cursor()
    names = ", ".join("epoch_us(timestamp)" if name == "timestamp" else name for name in SCHEMA.names)
    names = names.replace("received_at", "epoch_us(received_at)")
    table = f"{running.writer.holder.store.current.alias}.main.yaat_events"
    found = reading.execute(
        f"SELECT {names} FROM {table} WHERE sequence >= {first} ORDER BY sequence"
    ).fetchall()
    reading.close()
    for values, row in zip(found, rows, strict=True):
        for name, value in zip(SCHEMA.names, values, strict=True):
            got = value.bytes if name == "event_id" and value is not None else value
            assert comparable(got) == comparable(row[name]), name


def test_the_largest_texts(bench: Any, tmp_path: Path) -> None:
    """16 MiB in one message, with the memory that is there by default."""
    bench.open()
    huge = "é" * (8 * 2**20)
    assert bench.deliver(1, 2, message=[huge, None]) == Done()
    bench.tidy()
    assert bench.writer.settled == 2
    assert bench.ask("SELECT strlen(message) AS n FROM events WHERE message IS NOT NULL") == [
        {"n": 16 * 2**20}
    ]


@pytest.mark.parametrize("time", [-(2**63), 2**63 - 1, -(2**63) + 1, EARLIEST, LATEST])
def test_times_beyond_every_calendar_are_stored_or_dead_and_never_in_the_way(bench: Any, time: int) -> None:
    rows = 5
    bench.open()
    times = pa.array([0, 1, time, 3, 4], pa.int64()).cast(pa.timestamp("us", "UTC"))
    outcome = bench.deliver(1, rows, timestamp=times)
    dead = [row for row, _ in outcome.dead] if isinstance(outcome, Partial) else []
    assert isinstance(outcome, Done | Partial)
    assert dead in ([], [2])
    bench.deliver(6, 1)
    assert bench.ask("SELECT count(*) AS n FROM events") == [{"n": 6 - len(dead)}]
