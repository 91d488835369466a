"""Dead letters that are delivered again: each once, whatever happens to the database around them."""

from __future__ import annotations

import shutil
from typing import Any

import attrs
import duckdb
import pytest

from yaat_core.components import Done, Partial, Position, Retry
from yaat_core.errors import StoreForeign
from yaat_core.event import EventBatch

QUEUE = b"queue-0000000001"


def letter(id: str, first: int, rows: int) -> Position:
    return Position(queue_id=QUEUE, sink="sinks.local", first=first, last=first + rows - 1, replay=id)


def messages(bench: Any) -> list[str]:
    return sorted(row["message"] for row in bench.ask("SELECT message FROM events"))


def test_stored_once_and_in_the_file_itself(bench: Any, make_batch: Any) -> None:
    writer = bench.open(checkpoint_interval=3600.0)
    bench.deliver(1, 10)
    for _ in range(2):
        assert writer.deliver(make_batch(90, 3), letter("a", 4, 3)) == Done()
    assert (writer.position().sequence, writer.position().replayed) == (10, 3)
    assert not bench.wal.exists() or not bench.wal.stat().st_size, "its letter goes now"
    writer.holder.close()
    writer = bench.open()
    assert writer.deliver(make_batch(90, 3), letter("a", 4, 3)) == Done()
    assert writer.deliver(make_batch(95, 2), letter("b", 4, 2)) == Done()
    assert writer.position().replayed == 5
    bench.deliver(11, 1)
    assert messages(bench) == sorted(f"event {n}" for n in [*range(1, 12), 90, 91, 92, 95, 96])


def test_refused_again_in_part_and_the_same_answer_after_a_kill(bench: Any, make_batch: Any) -> None:
    """The kill comes between the COMMIT and the answer."""
    writer = bench.open()
    rows: EventBatch = make_batch(1, 3, tags=[[("a", "1")], [("a", "1"), ("a", "2")], []])
    first = writer.deliver(rows, letter("a", 1, 3))
    assert isinstance(first, Partial)
    assert [row for row, _ in first.dead] == [1]
    writer.holder.close()
    assert bench.open().deliver(rows, letter("a", 1, 3)) == first
    assert messages(bench) == ["event 1", "event 3"]
    assert bench.writer.position().replayed == 2


def test_without_a_checkpoint_it_is_not_done_yet(
    bench: Any, make_batch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query is in the way of it."""
    writer = bench.open(checkpoint_interval=3600.0)
    bench.deliver(1, 10)
    with monkeypatch.context() as patch:

        def refused(_: Any) -> None:
            raise duckdb.TransactionException("Cannot CHECKPOINT: there are other transactions")

        patch.setattr(writer.upkeep, "move_to_file", refused)
        for _ in range(2):
            assert isinstance(writer.deliver(make_batch(90, 3), letter("a", 4, 3)), Retry)
    assert writer.deliver(make_batch(90, 3), letter("a", 4, 3)) == Done()
    assert bench.count() == 13


def test_the_next_file_knows_of_it(bench: Any, make_batch: Any) -> None:
    writer = bench.open()
    bench.deliver(1, 10)
    writer.deliver(make_batch(90, 3), letter("a", 4, 3))
    assert writer.holder.store.rotate()
    assert writer.deliver(make_batch(90, 3), letter("a", 4, 3)) == Done()
    bench.deliver(11, 5)
    bench.close()
    assert len(bench.files()) == 2
    assert bench.open().position().replayed == 3
    assert bench.count() == 18


def test_an_older_copy_of_the_database_says_that_it_lacks_them(bench: Any, make_batch: Any) -> None:
    writer = bench.open()
    bench.deliver(1, 10)
    writer.deliver(make_batch(90, 3), letter("a", 4, 3))
    bench.close()
    shutil.copy(bench.path, bench.folder / "older")
    writer = bench.open()
    writer.deliver(make_batch(95, 4), letter("b", 4, 4))
    assert writer.position().replayed == 7
    bench.close()
    shutil.copy(bench.folder / "older", bench.path)
    assert bench.open().position().replayed == 3


def test_rows_of_a_letter_do_not_go_for_their_old_age(bench: Any, make_batch: Any) -> None:
    """They are stored as rows of this moment: in the newest file."""
    bench.fill(3)
    writer = bench.writer
    writer.deliver(make_batch(9_000, 3), letter("a", 4, 3))
    bench.close()
    assert len(bench.stored(bench.files()[-1])) == 503


def test_a_letter_of_another_queue_is_refused(bench: Any, make_batch: Any) -> None:
    writer = bench.open()
    with pytest.raises(StoreForeign):
        writer.deliver(make_batch(1, 3), attrs.evolve(letter("a", 1, 3), queue_id=b"queue-0000000002"))
