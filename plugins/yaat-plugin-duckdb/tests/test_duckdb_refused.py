"""Rows that DuckDB refuses are remembered until the core has written them down: the same piece gets the same answer."""

from __future__ import annotations

from typing import Any

import pytest

from yaat_core.components import Done, Held, Outcome, Partial, Position

ROW_GROUP = 30_720


def tags(rows: int, *bad: int) -> list[list[tuple[str, str]]]:
    """Keys that are twice in these rows."""
    return [[("a", "1"), ("a", "2")] if row in bad else [("a", "1")] for row in range(rows)]


def dead(outcome: Outcome) -> list[int]:
    assert isinstance(outcome, Partial), outcome
    assert all("duplicate key" in reason.lower() for _, reason in outcome.dead)
    return [row for row, _ in outcome.dead]


def refused(bench: Any) -> Any:
    return bench.writer.position().refused


def killed(bench: Any) -> None:
    """As the next start finds it: the answer was heard by nobody."""
    bench.writer.holder.close()
    bench.open()


def test_the_same_answer_after_a_kill_until_rows_behind_are_stored(bench: Any) -> None:
    bench.open()
    assert refused(bench) is None
    bench.deliver(1, 10)
    first = bench.deliver(11, 10, tags=tags(10, 2, 7))
    assert dead(first) == [2, 7]
    for _ in range(2):
        killed(bench)
        assert refused(bench) == (11, 20)
        assert bench.deliver(11, 10, tags=tags(10, 2, 7)) == first
    assert bench.deliver(21, 10) == Done()
    assert refused(bench) is None
    killed(bench)
    assert refused(bench) is None
    assert bench.sequences() == [n for n in range(1, 31) if n not in (13, 18)]


def test_cut_otherwise_it_is_still_answered(bench: Any) -> None:
    """A part of the piece, and one that goes on behind it with more of the kind."""
    bench.open()
    bench.deliver(1, 10, tags=tags(10, 2, 7))
    killed(bench)
    assert dead(bench.deliver(1, 5, tags=tags(5, 2))) == [2]
    assert refused(bench) == (1, 10), "the rest of it was not answered"
    assert dead(bench.deliver(6, 15, tags=tags(15, 2, 14))) == [2, 14]
    assert refused(bench) == (6, 20)
    assert dead(bench.deliver(6, 20, tags=tags(20, 2, 14))) == [2, 14], "only good rows are new"
    assert refused(bench) == (6, 25)
    assert bench.sequences() == [n for n in range(1, 26) if n not in (3, 8, 20)]


def test_it_is_not_held_though_much_waits(bench: Any) -> None:
    bench.open()
    bench.deliver(1, 10, tags=tags(10, 2))
    killed(bench)
    assert dead(bench.deliver(1, 20, waiting=ROW_GROUP, tags=tags(20, 2))) == [2]
    assert isinstance(bench.deliver(21, 20, waiting=ROW_GROUP), Held)
    assert bench.deliver(41, 20) == Done()
    assert refused(bench) is None


@pytest.mark.parametrize("what", ["checkpoints", "letter"])
def test_what_moves_no_position_does_not_forget_it(bench: Any, make_batch: Any, what: str) -> None:
    bench.open()
    bench.deliver(1, 10, tags=tags(10, 2))
    if what == "checkpoints":
        assert bench.deliver(11, 0, {"sources.app": {b"k": b"v"}}) == Done()
    else:
        at = Position(queue_id=b"queue-0000000001", sink="sinks.local", first=4, last=6, replay="a")
        assert bench.writer.deliver(make_batch(90, 3), at) == Done()
    killed(bench)
    assert dead(bench.deliver(1, 10, tags=tags(10, 2))) == [2]


def test_the_next_file_knows_of_it(bench: Any) -> None:
    bench.open()
    bench.deliver(1, 10, tags=tags(10, 2))
    assert bench.writer.holder.store.rotate()
    assert refused(bench) == (1, 10)
    killed(bench)
    assert dead(bench.deliver(1, 10, tags=tags(10, 2))) == [2]
    bench.deliver(11, 10)
    assert refused(bench) is None
    bench.close()
    assert len(bench.files()) == 2
    bench.open()
    assert refused(bench) is None
