"""Rows go in once, as they are, and the database knows whose they are."""

from __future__ import annotations

import json
import shutil
import stat
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_core.components import Done, Partial, Position, StoredCheckpoint
from yaat_core.errors import StoreForeign, StoreNewer
from yaat_core.event import SCHEMA, TAGS_TYPE, Event, EventBatch
from yaat_core.pipeline.deadletter import DeadLetters
from yaat_core.testing import make_context
from yaat_plugin_duckdb.maps import carry
from yaat_plugin_duckdb.writer import Writer


def test_every_column_comes_back_as_it_went_in(bench: Any) -> None:
    at = datetime(2026, 1, 5, 10, 0, 0, 123456, UTC)
    event = Event(
        message="naïve \N{SNOWMAN} \t\n\0 end", level="error", timestamp=at, received_at=at, event_type="span",
        service_name="shop", environment="test", organization_id="local", event_id=uuid.uuid4(), stacktrace="a\nb",
        trace_id="ab" * 16, span_id="cd" * 8, parent_span_id="ef" * 8, operation="GET /", duration_ms=1.5,
        status_code=65535, metric_name="m", metric_value=-0.0, tags={"a": "1", "": "empty", "A": "2", "ü": "\N{SNOWMAN}"},
    )  # fmt: skip
    bare = Event(
        timestamp=at,
        received_at=at,
        service_name="s",
        environment="e",
        organization_id="o",
        event_id=uuid.uuid4(),
    )
    writer = bench.open()
    writer.deliver(
        EventBatch.from_events([event, bare]),
        Position(queue_id=b"queue-0000000001", sink="sinks.local", first=1, last=2),
    )
    (found, found_bare) = bench.ask("SELECT * FROM events ORDER BY event_type DESC")
    for name in SCHEMA.names:
        value = getattr(event, name)
        if name == "tags":
            assert dict(found[name]) == value
            assert dict(found_bare[name]) == {}
        else:
            assert found[name] == (str(value) if name == "event_id" else value), name
            assert found_bare[name] == (str(bare.event_id) if name == "event_id" else getattr(bare, name)), (
                name
            )
    assert bench.ask("SELECT tags['a'] AS a, tags['A'] AS b FROM spans") == [{"a": "1", "b": "2"}]


KEYS = st.text(st.sampled_from("aAb\0\"'.é"), max_size=3)
ROWS = st.dictionaries(KEYS, st.one_of(st.text(max_size=3), st.none()), max_size=4)


@pytest.fixture(scope="module")
def plain() -> Iterator[duckdb.DuckDBPyConnection]:
    """One instance for all examples."""
    with duckdb.connect() as connection:
        yield connection


@settings(max_examples=25)
@given(st.lists(st.tuples(ROWS, st.sampled_from([1, 3, 255, 256, 300])), max_size=6))
def test_tags_on_the_fast_way_are_those_on_the_slow_way(
    plain: duckdb.DuckDBPyConnection, shapes: list[tuple[dict[str, str], int]]
) -> None:
    """Rows of many shapes, in large and small groups, in any order."""
    rows = [list(tags.items()) for tags, count in shapes for _ in range(count)]
    rows = rows[::2] + rows[1::2]
    tags = pa.array([[("pad", "x")], *rows], TAGS_TYPE).slice(1)
    carried = carry(tags)
    plain.register("incoming", pa.table(carried.columns))
    sql = f"SELECT CAST({carried.expression} AS MAP(VARCHAR, VARCHAR)) FROM incoming"
    found = [row for (row,) in plain.execute(sql).fetchall()]
    assert found == [dict(row) for row in rows]


def test_large_groups_take_the_fast_way() -> None:
    """Else it would not matter whether it is right."""
    same = pa.array([[("a", "1"), ("b", "2")]] * 1000, TAGS_TYPE)
    assert carry(same).expression == "CAST(tags_0 AS MAP(VARCHAR, VARCHAR))"
    mixed = pa.array([[("a", "1")], [("b", "2")]] * 1000 + [[("c", "3")]], TAGS_TYPE)
    assert set(carry(mixed).columns) == {"tags_0", "tags_1", "tags_shape", "tags"}


def test_pieces_that_overlap_are_cut(bench: Any) -> None:
    bench.open()
    for first, rows in [(1, 10), (1, 10), (5, 10), (2, 3), (1, 20), (30, 5), (15, 20)]:
        assert bench.deliver(first, rows) == Done()
    assert bench.sequences() == [*range(1, 21), *range(30, 35)]


def test_rows_that_duckdb_refuses_are_dead_and_the_others_are_in(bench: Any) -> None:
    """A key that is twice in a row's tags: no plugin should make it, and none must stop the sink with it."""
    twice = [("a", "1"), ("a", "2")]
    tags = [twice if row in (3, 77) else [("a", "1")] for row in range(100)]
    bench.open()
    bench.deliver(1, 10)
    outcome = bench.deliver(6, 100, checkpoints={"sources.app": {b"k": b"v"}}, tags=tags)
    assert isinstance(outcome, Partial)
    assert [row for row, _ in outcome.dead] == [3, 77]
    assert all("duplicate key" in reason.lower() for _, reason in outcome.dead)
    position = bench.writer.position()
    assert (position.sequence, position.checkpoints) == (
        105,
        {"sources.app": {b"k": StoredCheckpoint(b"v", 105)}},
    )
    assert bench.sequences() == [sequence for sequence in range(1, 106) if sequence != 83]


def test_dead_rows_are_kept_whole_with_the_reason(bench: Any, make_batch: Any) -> None:
    """What the database refuses, as the core writes it down: every field of it, and what DuckDB said."""
    bench.open()
    rows = make_batch(
        1, 3, tags=[[("a", "1")], [("a", "1"), ("a", "2")], []], stacktrace=["x", "y\n  z", None]
    )
    position = Position(queue_id=b"queue-0000000001", sink="sinks.local", first=1, last=3)
    outcome = bench.writer.deliver(rows, position)
    assert isinstance(outcome, Partial)
    file = DeadLetters(bench.folder / "dead").write(rows, position, outcome)
    head, dead = (json.loads(line) for line in file.read_text().splitlines())
    assert (head["events"], dead["sequence"]) == (1, 2)
    assert "duplicate key" in dead["reason"].lower()
    assert (dead["event"]["message"], dead["event"]["stacktrace"]) == ("event 2", "y\n  z")
    assert dead["event"]["event_id"]
    assert bench.sequences() == [1, 3]


def test_checkpoints_of_many_keys(bench: Any) -> None:
    bench.open()
    for turn in range(3):
        written = {b"key %d" % key: b"%d" % turn if key % 7 != turn else None for key in range(50)}
        bench.deliver(turn * 10 + 1, 10, checkpoints={"sources.a": written, "sources.b": {b"": b"\0\xff"}})
    bench.close()
    found = bench.open().position()
    assert found.checkpoints["sources.a"] == {
        b"key %d" % key: StoredCheckpoint(b"2", 30) for key in range(50) if key % 7 != 2
    }
    assert found.checkpoints["sources.b"] == {b"": StoredCheckpoint(b"\0\xff", 30)}


def test_settled_is_what_a_checkpoint_has_covered(bench: Any) -> None:
    writer = bench.open(checkpoint_interval=3600.0, checkpoint_bytes=2**20)
    assert writer.settled == 0
    bench.deliver(1, 1000)
    assert writer.settled == 0, "in DuckDB's log alone: the queue must keep it"
    last = 1000
    while not writer.settled:
        bench.deliver(last + 1, 1000)
        last += 1000
        assert last < 100_000, "checkpoint_bytes had no effect"
    assert writer.settled == last
    bench.deliver(last + 1, 10)
    assert writer.settled == last
    bench.close()
    assert not bench.wal.exists()
    assert bench.open().settled == last + 10


def test_interval_moves_the_log_into_the_file(bench: Any) -> None:
    writer = bench.open(checkpoint_interval=0.05)
    bench.deliver(1, 10)
    deadline = time.monotonic() + 60
    while writer.settled < 10:
        assert time.monotonic() < deadline, "no checkpoint came"
        time.sleep(0.01)
        writer.tidy()


def test_files_are_private(bench: Any) -> None:
    import os

    before = os.umask(0)
    try:
        bench.open()
        bench.deliver(1, 10)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (bench.path, bench.wal)}
    finally:
        os.umask(before)
    assert modes == {"events.duckdb": 0o600, "events.duckdb.wal": 0o600}


def test_another_agent_is_refused(bench: Any) -> None:
    import attrs

    bench.open()
    bench.deliver(1, 10)
    bench.close()
    context = attrs.evolve(bench.context, agent_id=b"another-agent-01")
    before = bench.path.read_bytes()
    other = Writer(bench.config, context)
    other.start()
    with pytest.raises(StoreForeign) as caught:
        other.position()
    assert "agent" in caught.value.what
    assert caught.value.fix
    with pytest.raises(StoreForeign):
        other.bind(b"queue-0000000001")
    other.tidy()
    other.stop()
    assert bench.path.read_bytes() == before, "it was touched"
    assert bench.sequences() == list(range(1, 11))


def test_another_sink_of_the_same_agent_is_refused(bench: Any) -> None:
    bench.open()
    bench.deliver(1, 10)
    bench.close()
    other = Writer(bench.config, make_context(bench.folder, "sinks.second"))
    other.start()
    with pytest.raises(StoreForeign, match=r"sinks\.local"):
        other.position()
    other.stop()


def test_rows_of_another_queue_are_refused(bench: Any) -> None:
    writer = bench.open()
    with pytest.raises(StoreForeign):
        writer.deliver(EventBatch.empty(), Position(queue_id=b"another", sink="sinks.local", first=1, last=0))


def test_a_store_that_is_nobodys_yet_can_be_taken(bench: Any) -> None:
    """Made by an agent that stopped before it delivered: nothing in it, nobody's."""
    first = Writer(bench.config, bench.context)
    first.start()
    first.stop()
    second = Writer(bench.config, make_context(bench.folder, "sinks.second"))
    second.start()
    assert second.position() is None
    second.bind(b"q")
    assert second.position().queue_id == b"q"  # type: ignore[union-attr]
    second.stop()


def test_a_newer_format_is_refused_untouched(bench: Any) -> None:
    bench.open()
    bench.deliver(1, 10)
    bench.close()
    with duckdb.connect(str(bench.path)) as connection:
        connection.execute("UPDATE yaat_meta SET format = 3")
    before = bench.path.read_bytes()
    with pytest.raises(StoreNewer, match="format 3"):
        bench.open()
    assert bench.path.read_bytes() == before
    assert not bench.wal.exists()


def test_somebody_elses_database_is_refused_untouched(bench: Any) -> None:
    with duckdb.connect(str(bench.path)) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 1")
    before = bench.path.read_bytes()
    with pytest.raises(StoreForeign):
        bench.open()
    assert bench.path.read_bytes() == before


@pytest.mark.parametrize("content", [b"root:x:0:0", b"\x7fELF" * 5000, b"SQLite format 3\0" * 400])
def test_a_file_that_is_no_database_is_refused_untouched(bench: Any, content: bytes) -> None:
    bench.path.write_bytes(content)
    with pytest.raises(StoreForeign, match="no DuckDB database"):
        bench.open()
    assert bench.path.read_bytes() == content
    assert [file.name for file in bench.path.parent.iterdir()] == [bench.path.name]


def test_a_restored_older_copy_has_its_own_lower_position(bench: Any) -> None:
    bench.open()
    bench.deliver(1, 10, checkpoints={"sources.app": {b"k": b"10"}})
    bench.close()
    backup = shutil.copy(bench.path, bench.folder / "backup")
    bench.open()
    bench.deliver(11, 10, checkpoints={"sources.app": {b"k": b"20"}})
    bench.close()
    shutil.copy(backup, bench.path)
    found = bench.open().position()
    assert found.sequence == 10
    assert found.checkpoints["sources.app"][b"k"] == StoredCheckpoint(b"10", 10)
    bench.deliver(11, 10)
    assert bench.sequences() == list(range(1, 21))
