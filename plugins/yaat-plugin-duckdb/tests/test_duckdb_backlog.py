"""What waits in masses goes in by whole row groups, several deliveries to a transaction."""

from __future__ import annotations

import random
from typing import Any

import duckdb

from yaat_core.components import Done, Held, Partial, Retry
from yaat_plugin_duckdb.engine import ROW_GROUP


def deliver_behind(bench: Any, last: int, *, first: int = 1, until: int | None = None) -> list[str]:
    """Deliver up to ``last`` as a queue does that has it all; the names of the answers."""
    answers = []
    while first <= (until or last):
        rows = min(bench.writer.batch_rows, last - first + 1)
        outcome = bench.deliver(
            first,
            rows,
            {"sources.app": {b"offset": b"%d" % (first + rows - 1)}},
            waiting=last - first - rows + 1,
        )
        answers.append(type(outcome).__name__)
        if isinstance(outcome, Retry):
            first = bench.writer.position().sequence + 1
        else:
            first += rows
    return answers


def test_a_backlog_goes_in_by_whole_row_groups_without_the_log(bench: Any) -> None:
    writer = bench.open(checkpoint_interval=3600.0)
    last = 3 * ROW_GROUP + 100
    assert deliver_behind(bench, last) == ["Held", "Done"] * 3 + ["Done"]
    assert bench.wal.stat().st_size < 2**20, "the rows went through the log"
    position = writer.position()
    assert position.sequence == last
    assert position.checkpoints["sources.app"][b"offset"].value == b"%d" % last
    assert bench.sequences() == list(range(1, last + 1))
    with duckdb.connect(str(bench.path), read_only=True) as connection:
        groups = connection.execute(
            "SELECT DISTINCT row_group_id, count FROM pragma_storage_info('yaat_events') WHERE column_name = 'sequence'"
        ).fetchall()
    assert sum(count for _, count in groups) == last


def test_what_is_held_is_seen_by_nobody_until_it_is_committed(bench: Any) -> None:
    writer = bench.open()
    assert deliver_behind(bench, 3 * ROW_GROUP, until=1) == ["Held"]
    assert bench.ask("SELECT count(*) AS n FROM events") == [{"n": 0}]
    assert writer.position().sequence == 0
    writer.tidy()
    assert writer.settled == 0
    assert bench.sequences() == []


def test_a_row_that_duckdb_refuses_among_many(bench: Any) -> None:
    """The whole transaction comes again, piece by piece, and only that row is dead."""
    bench.open()
    bad = ROW_GROUP // 2 + 7
    rows = bench.writer.batch_rows
    twice = [[("a", "1"), ("a", "2")] if number == bad else [("a", "1")] for number in range(1, 2 * rows + 1)]

    def deliver(first: int) -> Any:
        tags = twice[first - 1 : first - 1 + rows]
        return bench.deliver(first, rows, waiting=4 * rows - first - rows + 1, tags=tags)

    assert deliver(1) == Held()
    outcome = deliver(rows + 1)
    assert isinstance(outcome, Retry)
    assert outcome.after == 0.0
    assert deliver(1) == Done()
    outcome = deliver(rows + 1)
    assert isinstance(outcome, Partial)
    assert [row for row, _ in outcome.dead] == [bad - rows - 1]
    assert bench.sequences() == [n for n in range(1, 2 * rows + 1) if n != bad]


def test_a_store_that_is_reopened_in_the_middle_lets_everything_come_again(bench: Any) -> None:
    writer = bench.open()
    assert deliver_behind(bench, 4 * ROW_GROUP, until=1) == ["Held"]
    writer.holder.abandon(duckdb.IOException("made up"))
    first = ROW_GROUP // 2 + 1
    answers = deliver_behind(bench, 4 * ROW_GROUP, first=first)
    assert answers[0] == "Retry"
    assert bench.sequences() == list(range(1, 4 * ROW_GROUP + 1))


def test_very_long_texts_get_the_memory_that_their_checkpoint_needs(bench: Any) -> None:
    """More than `memory_limit` in one vector of rows: the queue would never be freed without a CHECKPOINT."""
    writer = bench.open(memory_limit=16 * 2**20, checkpoint_interval=0.01)
    noise = random.Random(1)
    for first in range(1, 61, 10):
        outcome = bench.deliver(first, 10, message=[noise.randbytes(300_000).hex() for _ in range(10)])
        assert outcome == Done()
    for _ in range(5):
        writer.tidy()
    assert writer.settled == 60
    assert bench.ask("SELECT count(*) AS n FROM events") == [{"n": 60}]
    assert writer.holder.memory.writing == 16 * 2**20, "what it was given was for the checkpoint only"
    assert bench.sequences() == list(range(1, 61))
    with duckdb.connect(str(bench.path), read_only=True) as connection:
        assert connection.execute("SELECT min(length(message)) FROM events").fetchall() == [(600_000,)]
