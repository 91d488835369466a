"""What the sink says is wrong while it goes on, and that it stops saying so; queries that wait for it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from yaat_core.components import Done, QueryRequest
from yaat_core.errors import StoreUnavailable
from yaat_plugin_duckdb import answers, problems
from yaat_plugin_duckdb.sink import DuckDBSink
from yaat_plugin_duckdb.store import Store


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


async def test_the_sink_passes_them_on(bench: Any) -> None:
    sink = DuckDBSink(bench.config, bench.context)
    assert sink.problems() == ()
    bench.path.parent.mkdir(exist_ok=True)
    bench.path.with_name("events.duckdb.damaged-20260101T000000Z").write_bytes(b"x")
    await sink.open()
    (found,) = sink.problems()
    assert "set aside" in found.problem
    assert found.level == "warn"
    await sink.aclose()
    assert sink.problems() == ()


def test_a_damaged_file_is_told_until_somebody_has_removed_it(bench: Any) -> None:
    aside = bench.path.with_name("events.duckdb.damaged-20260101T000000Z")
    bench.open()
    assert bench.writer.problems() == ()
    aside.write_bytes(b"x")
    bench.tidy()
    assert [str(aside) in one.problem for one in bench.writer.problems()] == [True]
    aside.unlink()
    bench.tidy()
    assert bench.writer.problems() == ()


def test_a_disk_without_space(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.open()
    real = shutil.disk_usage

    def little(path: Path) -> Any:
        return real(path)._replace(free=10 * 2**20)

    monkeypatch.setattr(problems.shutil, "disk_usage", little)
    bench.tidy()
    (found,) = bench.writer.problems()
    assert "only 10MiB are free" in found.problem
    assert found.level == "error"
    monkeypatch.undo()
    bench.tidy()
    assert bench.writer.problems() == ()


def test_checkpoints_that_fail_again_and_again(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are stored all the while; the queue keeps them; it is told, and not any more when one succeeds."""
    bench.open(checkpoint_interval=3600.0)
    bench.deliver(1, 10)

    def fails(_: Store) -> None:
        raise duckdb.IOException("IO Error: made up")

    monkeypatch.setattr(Store, "checkpoint", fails)
    for turn in range(3):
        assert bench.writer.problems() == (), turn
        bench.writer.upkeep._rests_until = 0.0
        bench.tidy()
        assert bench.deliver(11 + 10 * turn, 10) == Done()
    (found,) = bench.writer.problems()
    assert "3 times in a row: IO Error: made up" in found.problem
    assert bench.writer.settled == 0
    monkeypatch.undo()
    bench.writer.upkeep._rests_until = 0.0
    bench.tidy()
    assert bench.writer.problems() == ()
    assert bench.sequences() == list(range(1, 41))


# --- queries around an opening


def test_a_query_waits_while_the_database_is_opened(bench: Any) -> None:
    bench.open()
    bench.deliver(1, 10)
    with bench.writer._lock:
        bench.writer.holder.close()
        found: list[Any] = []
        asking = threading.Thread(target=lambda: found.append(bench.ask("SELECT count(*) AS n FROM events")))
        asking.start()
        asking.join(0.2)
        assert not found
        bench.writer.holder.opened()
    asking.join(60)
    assert found == [[{"n": 10}]]


def test_a_query_does_not_wait_for_ever(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.open()
    monkeypatch.setattr(answers, "PATIENCE", 0.05)
    with bench.writer._lock:
        bench.writer.holder.close()
        with pytest.raises(StoreUnavailable, match="not open"):
            bench.ask("SELECT 1")


def test_a_query_that_waits_hears_at_once_that_the_agent_stops(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "PATIENCE", 3600.0)
    writer = bench.open()
    writer.answers.pause()
    heard: list[Exception] = []

    def ask() -> None:
        try:
            writer.answers.ask(writer.cursor, QueryRequest(sql="SELECT 1"))
        except StoreUnavailable as error:
            heard.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    bench.close()
    asking.join(60)
    assert len(heard) == 1


# --- memory


def memory_of(bench: Any) -> int:
    """What DuckDB is allowed, as its own setting says."""
    cursor = bench.writer.cursor()
    ((text,),) = cursor.execute("SELECT current_setting('memory_limit')").fetchall()
    cursor.close()
    number, unit = text.split()
    return round(float(number) * {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[unit])


def test_memory_is_given_to_queries_and_taken_back(bench: Any) -> None:
    bench.open(memory_limit=24 * 2**20, query_memory=100 * 2**20)
    bench.deliver(1, 100)
    assert memory_of(bench) == 24 * 2**20
    asked = [
        bench.writer.answers.ask(bench.writer.cursor, QueryRequest(sql="SELECT * FROM events"))
        for _ in range(3)
    ]
    for answer in asked:
        assert memory_of(bench) == 124 * 2**20
        answer.close()
    assert memory_of(bench) == 24 * 2**20
    with pytest.raises(Exception, match="memory"):
        bench.ask("SELECT quantile_cont(range, 0.5) FROM range(1000000000)")
    bench.tidy()
    assert memory_of(bench) == 24 * 2**20


def test_a_query_may_use_what_it_is_given(bench: Any) -> None:
    """A sort of some 60 MiB that may not spill: more than writing gets, less than a query does."""
    sql = "SELECT count(*) AS n FROM (SELECT DISTINCT range FROM range(1500000))"
    bench.open(memory_limit=16 * 2**20, query_memory=256 * 2**20, spill_bytes=0)
    assert bench.ask(sql) == [{"n": 1_500_000}]
    bench.close()
    bench.open(query_memory=32 * 2**20)
    with pytest.raises(Exception, match="memory"):
        bench.ask(sql)


def test_the_instance_is_opened_anew_when_it_has_written_much(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not while a query runs: it would be cut off."""
    from yaat_plugin_duckdb import upkeep

    bench.open(checkpoint_interval=3600.0)
    monkeypatch.setattr(upkeep, "_GROWTH", 1)
    bench.deliver(1, 20_000)
    answer = bench.writer.answers.ask(bench.writer.cursor, QueryRequest(sql="SELECT message FROM events"))
    before = bench.writer.holder.store
    bench.tidy()
    assert bench.writer.holder.store is before
    assert sum(piece.num_rows for piece in answer) == 20_000
    answer.close()
    bench.tidy()
    assert bench.writer.holder.store is not before
    assert bench.ask("SELECT count(*) AS n FROM events") == [{"n": 20_000}]
    bench.deliver(20_001, 10)
    assert bench.sequences() == list(range(1, 20_011))
