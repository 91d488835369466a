"""Old events go, by age and by size, their disk space with them, and what is left is the newest."""

from __future__ import annotations

import datetime
import random
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

HOUR = 3600 * 1_000_000
EIGHT_HOURS = 8 * 3600.0
#: Housekeeping comes when a test asks for it, however long its deliveries take.
QUIET = {"checkpoint_interval": 3600.0}


def now_us() -> int:
    return time.time_ns() // 1_000


def disk_bytes(bench: Any) -> int:
    return sum(file.stat().st_size for file in bench.path.parent.rglob("*") if file.is_file())


def noise(rows: int, seed: int = 1) -> list[str]:
    rng = random.Random(seed)
    return [rng.randbytes(500).hex() for _ in range(rows)]


def test_age_goes_by_accept_time_and_gives_the_space_back(bench: Any) -> None:
    """Ten hours of events at once, as after an outage: each file has the events of one, and old ones go as files."""
    bench.open(retention=EIGHT_HOURS, **QUIET)
    start = now_us() - 10 * HOUR
    for hour in range(10):
        bench.deliver(1 + hour * 100, 100, accepted_us=start + hour * HOUR, message=noise(100, hour))
    before = disk_bytes(bench)
    bench.tidy()
    kept = bench.ask("SELECT count(*) AS n, min(message) IS NULL AS none FROM events")
    assert kept == [{"n": 700, "none": False}]
    assert disk_bytes(bench) < before * 0.95
    assert bench.sequences() == list(range(301, 1001))
    assert len(bench.files()) == 8


def test_event_time_decides_nothing(bench: Any) -> None:
    """Events that say they are ancient, or of next year, go when they were accepted long ago, and not before."""
    bench.open(retention=EIGHT_HOURS, **QUIET)

    at = [
        datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC),
        datetime.datetime(2199, 1, 1, tzinfo=datetime.UTC),
    ]
    bench.deliver(1, 2, accepted_us=now_us() - 9 * HOUR, timestamp=at)
    bench.deliver(3, 2, accepted_us=now_us(), timestamp=at)
    bench.tidy()
    assert bench.sequences() == [3, 4]


def test_the_last_events_go_too_though_nothing_comes_after_them(bench: Any) -> None:
    bench.open(retention=EIGHT_HOURS, **QUIET)
    bench.deliver(1, 10, {"sources.app": {b"k": b"v"}}, accepted_us=now_us() - 9 * HOUR)
    bench.close()
    writer = bench.open(checkpoint_interval=3600.0)
    bench.tidy()
    assert bench.ask("SELECT count(*) AS n FROM events") == [{"n": 0}]
    found = writer.position()
    assert (found.sequence, found.checkpoints["sources.app"][b"k"].value) == (10, b"v")
    assert not bench.path.exists(), "the file that held them is still there"
    bench.deliver(11, 10)
    assert bench.sequences() == list(range(11, 21))


def test_none_keeps_everything_in_one_file(bench: Any) -> None:
    bench.open(retention=None, checkpoint_interval=3600.0)
    bench.deliver(1, 10, accepted_us=1)
    bench.deliver(11, 10)
    bench.tidy()
    assert bench.sequences() == list(range(1, 21))
    assert bench.files() == [bench.path]


def test_a_clock_that_is_set_back_keeps_the_order(bench: Any) -> None:
    writer = bench.open(retention=EIGHT_HOURS, **QUIET)
    bench.deliver(1, 10, accepted_us=now_us())
    bench.deliver(11, 10, accepted_us=now_us() - 2 * HOUR)
    bench.deliver(21, 10, accepted_us=now_us())
    bench.tidy()
    assert writer.position().sequence == 30
    assert bench.sequences() == list(range(1, 31))


def test_size(bench: Any) -> None:
    """Far more than `max_bytes` goes through: the disk never holds more, and what is kept is the newest."""
    most = 16 * 2**20
    writer = bench.open(max_bytes=most, checkpoint_interval=3600.0)
    last, largest = 0, 0
    while last < 25_000:
        bench.deliver(last + 1, 1000, message=noise(1000, last))
        last += 1000
        largest = max(largest, disk_bytes(bench))
    assert largest <= most
    gone = writer.upkeep.retention._removed.value
    assert bench.ask("SELECT count(*) AS n FROM events") == [{"n": last - gone}], "what goes is counted"
    kept = bench.sequences()
    assert kept == list(range(kept[0], last + 1))
    assert kept[0] > 1
    assert len(kept) > 8_000, f"only {len(kept)} events are kept of {last}"


def test_a_query_that_reads_what_is_removed_goes_on_to_its_end(bench: Any) -> None:
    from yaat_core.components import QueryRequest

    writer = bench.open(retention=EIGHT_HOURS, **QUIET)
    old = now_us() - 8 * HOUR - 50_000_000
    bench.deliver(1, 20_000, accepted_us=old)
    bench.deliver(20_001, 10, accepted_us=now_us())
    answer = writer.answers.ask(writer.cursor, QueryRequest(sql="SELECT message FROM events"))
    pieces = iter(answer)
    rows = next(pieces).num_rows
    bench.tidy()
    assert not bench.path.exists()
    assert bench.ask("SELECT count(*) AS n FROM events") == [{"n": 10}]
    assert rows + sum(piece.num_rows for piece in pieces) == 20_010
    answer.close()


@pytest.mark.parametrize("step", ["oldest", "renamed", "log", "gone"])
def test_interrupted_while_a_file_is_removed(bench: Any, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it stops, the next start has all of the others, and nothing is left of what goes."""
    from yaat_plugin_duckdb import places

    writer = bench.open(retention=EIGHT_HOURS, **QUIET)
    bench.deliver(1, 10, accepted_us=now_us() - 9 * HOUR)
    bench.deliver(11, 10, accepted_us=now_us())

    class Stop(BaseException):
        pass

    def stop(*_: object) -> None:
        raise Stop

    if step == "oldest":
        monkeypatch.setattr(places.Places, "remove", stop)
    elif step == "renamed":
        monkeypatch.setattr(places.Places, "_finish", stop)
    elif step == "log":
        real = Path.unlink
        monkeypatch.setattr(
            Path,
            "unlink",
            lambda path, **how: stop() if path.name.endswith(".dropped") else real(path, **how),
        )
    if step == "gone":
        bench.tidy()
    else:
        with pytest.raises(Stop):
            bench.tidy()
    monkeypatch.undo()
    writer.holder.close()
    bench.writer = None
    writer = bench.open()
    bench.tidy()
    assert not writer.problems(), writer.problems()
    assert bench.sequences() == list(range(11, 21))
    assert [
        file.name for file in bench.path.parent.rglob("*") if "events" in file.name and file.is_file()
    ] == []


def test_a_file_is_a_database_of_its_own(bench: Any) -> None:
    """Whoever opens one with `duckdb` finds the views over its rows."""
    bench.open(retention=EIGHT_HOURS, **QUIET)
    bench.deliver(1, 10, accepted_us=now_us() - 3 * HOUR)
    bench.deliver(11, 5, accepted_us=now_us())
    bench.close()
    counts = []
    for file in bench.files():
        with duckdb.connect(str(file), read_only=True) as connection:
            counts += connection.execute("SELECT count(*) FROM logs WHERE tags['host.name'] = 'h'").fetchall()
    assert counts == [(10,), (5,)]
