"""Several files behave as one database, whatever happens to one of them."""

from __future__ import annotations

import random
import tarfile
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest

from yaat_core.components import Done, QueryRequest, StoredCheckpoint
from yaat_core.errors import QueryFailed, StoreDamaged, StoreNewer
from yaat_plugin_duckdb import plugin

FORMAT_1 = Path(__file__).with_name("data") / "format-1.tar.xz"
HOUR = 3600 * 1_000_000
ROWS = 500
DAY = 24 * 3600.0


def crash(bench: Any) -> None:
    """Leave the files as a kill does."""
    bench.writer.holder.close()
    bench.writer = None


def flip(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 0x40
    file.write_bytes(data)


# --- one database


def test_one_view_over_all_files(bench: Any) -> None:
    last = bench.fill(4)
    assert bench.ask("SELECT count(*) AS n, count(DISTINCT event_id) AS ids FROM logs") == [
        {"n": last, "ids": last}
    ]
    assert bench.ask("SELECT message FROM events WHERE tags['n'] = '3'") == [{"message": "event 3"}]
    types = bench.ask("SELECT DISTINCT typeof(tags['n']) AS t, typeof(tags['none']) AS none FROM events")
    assert types == [{"t": "VARCHAR", "none": "VARCHAR"}]
    assert bench.writer.problems() == ()


def test_position_and_checkpoints_go_from_file_to_file(bench: Any) -> None:
    last = bench.fill(3)
    bench.deliver(last + 1, 10, {"sources.app": {b"only 0": None}})
    bench.close()
    found = bench.open().position()
    assert found.sequence == last + 10
    assert found.checkpoints["sources.app"] == {
        b"offset": StoredCheckpoint(b"%d" % last, last),
        b"only 1": StoredCheckpoint(b"x", 2 * ROWS),
        b"only 2": StoredCheckpoint(b"x", last),
    }, "what was deleted must not come back from an older file"


def test_each_transaction_writes_to_the_newest_file_alone(bench: Any) -> None:
    last = bench.fill(3)
    bench.close()
    sealed = {file: file.read_bytes() for file in bench.files()[:-1]}
    bench.open()
    bench.deliver(last - 100, 200)
    bench.tidy()
    bench.close()
    assert {file: file.read_bytes() for file in sealed} == sealed, "a finished file was written to"
    assert bench.sequences() == list(range(1, last + 100))


@pytest.mark.parametrize("files", [12, pytest.param(50, marks=pytest.mark.faults)])
def test_queries_over_many_files(bench: Any, files: int) -> None:
    """Nothing depends on how many there are."""
    assert bench.fill(files, rows=10) == files * 10
    assert bench.count() == files * 10
    assert len(bench.ask("SELECT * FROM events ORDER BY timestamp DESC LIMIT 20")) == 20
    last = files * 10
    assert bench.ask(f"SELECT tags['n'] AS n FROM events WHERE message = 'event {last}'") == [
        {"n": str(last)}
    ]


def test_a_database_of_the_released_format_is_adopted(bench: Any) -> None:
    """One file, 1,000 rows in it and 500 in its log: everything is there, and the next file begins after it."""
    with tarfile.open(FORMAT_1) as archive:
        archive.extractall(bench.path.parent, filter="data")
    answer = plugin.query(
        sink=bench.config, context=bench.context, request=QueryRequest(sql="SELECT count(*) AS n FROM logs")
    )
    assert answer is not None
    assert [piece.to_pylist() for piece in answer] == [[{"n": 1500}]]
    answer.close()
    writer = bench.open()
    found = writer.position()
    assert found.sequence == 1500
    assert found.checkpoints == {"sources.app": {b"offset": StoredCheckpoint(b"1500", 1500)}}
    bench.deliver(1401, 200)
    assert writer.holder.store.rotate()
    bench.deliver(1601, 10)
    assert [file.name for file in bench.files()] == ["events.duckdb", "000002.duckdb"]
    assert bench.sequences() == list(range(1, 1611))


def test_an_older_version_refuses_what_was_adopted(bench: Any) -> None:
    with tarfile.open(FORMAT_1) as archive:
        archive.extractall(bench.path.parent, filter="data")
    bench.open()
    bench.close()
    with duckdb.connect(str(bench.path), read_only=True) as connection:
        assert connection.execute("SELECT format FROM yaat_meta").fetchall() == [(2,)]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_newer_format_in_any_file_is_refused_untouched(bench: Any, number: int) -> None:
    bench.fill(3)
    bench.close()
    with duckdb.connect(str(bench.files()[number])) as connection:
        connection.execute("UPDATE yaat_meta SET format = 3")
    before = [file.read_bytes() for file in bench.files()]
    with pytest.raises(StoreNewer, match="format 3"):
        bench.open()
    assert [file.read_bytes() for file in bench.files()] == before


# --- damage


@pytest.mark.parametrize(
    ("how", "number"),
    [
        pytest.param(how, number, marks=() if number == place else pytest.mark.faults)
        for place, how in [(0, "removed"), (1, "cut"), (0, "headers"), (1, "zeroed")]
        for number in (0, 1)
    ],
)
def test_a_finished_file_is_damaged(bench: Any, number: int, how: str) -> None:
    """The others go on, it is told, and what comes next is stored."""
    last = bench.fill(3)
    bench.close()
    file = bench.files()[number]
    if how == "removed":
        file.unlink()
    elif how == "cut":
        file.write_bytes(file.read_bytes()[:-262144])
    elif how == "headers":
        flip(file, 20)
    else:
        file.write_bytes(b"\0" * 20_000)
    bench.open()
    assert bench.count() == last - ROWS
    assert f"files of the database are gone: {number + 1}" in bench.told()
    assert ("set aside" in bench.told()) == (how != "removed")
    assert bench.writer.position().sequence == last
    assert bench.deliver(last + 1, 10) == Done()
    assert len(bench.sequences()) == last - ROWS + 10


@pytest.mark.parametrize(
    "how", ["cut", *(pytest.param(how, marks=pytest.mark.faults) for how in ("removed", "headers"))]
)
def test_the_newest_file_is_damaged(bench: Any, how: str) -> None:
    """The position falls back to the file before, so that the queue delivers again what it has."""
    last = bench.fill(3)
    bench.close()
    file = bench.files()[-1]
    if how == "removed":
        file.unlink()
    elif how == "cut":
        file.write_bytes(file.read_bytes()[:-262144])
    else:
        flip(file, 20)
    bench.open()
    found = bench.writer.position()
    assert found.sequence == last - ROWS
    assert found.checkpoints["sources.app"][b"offset"].value == b"%d" % (last - ROWS)
    bench.deliver(last - ROWS - 50, ROWS + 51)
    assert bench.sequences() == list(range(1, last + 1))


@pytest.mark.parametrize(
    "how",
    [
        "cut",
        "of another database",
        *(pytest.param(how, marks=pytest.mark.faults) for how in ("removed", "flipped", "without its file")),
    ],
)
def test_the_log_of_the_newest_file_is_damaged(bench: Any, how: str, make_bench: Any, tmp_path: Path) -> None:
    last = bench.fill(3, settle=False)
    wal, file = bench.wal, bench.files()[-1]
    data = wal.read_bytes()
    crash(bench)
    wal.write_bytes(data)
    if how == "removed":
        wal.unlink()
    elif how == "cut":
        wal.write_bytes(data[: len(data) // 3])
    elif how == "flipped":
        flip(wal, len(data) // 2)
    elif how == "of another database":
        (tmp_path / "other").mkdir()
        other = make_bench(tmp_path / "other")
        other.open(checkpoint_interval=3600.0)
        other.deliver(1, 10)
        wal.write_bytes(other.wal.read_bytes())
        other.close()
    else:
        file.unlink()
    bench.open(checkpoint_interval=3600.0)
    found = bench.writer.position()
    assert last - ROWS <= found.sequence <= last
    assert bench.count() == found.sequence, "rows and position disagree"
    bench.deliver(last - ROWS + 1, ROWS + 20)
    assert bench.sequences() == list(range(1, last + 21))


def test_a_crash_between_two_files(bench: Any) -> None:
    """The next file is there and has no tables yet, or no bytes at all."""
    last = bench.fill(2)
    bench.close()
    for content in (b"", None):
        third = bench.places.at(3)
        if content is None:
            duckdb.connect(str(third.path)).close()
        else:
            third.path.write_bytes(content)
        bench.open()
        assert bench.writer.position().sequence == last
        assert bench.writer.position().checkpoints["sources.app"][b"offset"].value == b"%d" % last
        assert bench.count() == last
        bench.close()
        third.path.unlink(missing_ok=True)
    bench.open()
    assert bench.deliver(last + 1, 5) == Done()
    assert bench.sequences() == list(range(1, last + 6))


def spoil_a_block(file: Path) -> None:
    """Flip a bit in a block that holds nothing but messages: the file opens, and most queries never see it."""
    with duckdb.connect(str(file), read_only=True) as connection:
        rows = connection.execute(
            "SELECT column_name, block_id FROM pragma_storage_info('yaat_events') WHERE block_id >= 0"
        ).fetchall()
    others = {block for name, block in rows if name != "message"}
    (block, *_) = [block for name, block in rows if name == "message" and block not in others]
    flip(file, 12_288 + block * 262_144 + 1000)


@pytest.mark.parametrize("number", [0, 1])
def test_damage_inside_a_file_does_not_spoil_every_query_for_ever(bench: Any, number: int) -> None:
    """The query that meets it fails; then that file is found, set aside, and the others answer."""
    rng = random.Random(1)
    bench.open(retention=DAY, checkpoint_interval=3600.0)
    start = time.time_ns() // 1_000 - 4 * HOUR
    for first, at in ((1, start), (2001, start + 4 * HOUR)):
        bench.deliver(first, 2000, accepted_us=at, message=[rng.randbytes(300).hex() for _ in range(2000)])
    bench.close()
    file = bench.files()[number]
    spoil_a_block(file)
    bench.open()
    assert bench.writer.problems() == ()
    sql = "SELECT count(*) AS n FROM events WHERE message LIKE '%ab%'"
    with pytest.raises(QueryFailed, match=r"(?i)corrupt|checksum"):
        bench.ask(sql)
    bench.writer.tidy()
    bench.writer.tidy()
    if number == 1:
        with pytest.raises(StoreDamaged, match="lost"):
            bench.deliver(4001, 1)
        bench.close()
        bench.open()
    assert bench.ask(sql)[0]["n"] > 0
    assert bench.count() == 2000
    assert str(file) + ".damaged" in bench.told()
    assert bench.writer.position().sequence == (4000 if number == 0 else 2000)
