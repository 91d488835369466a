"""Files that a crash, a bad disk or a person has damaged: the agent starts all the same, and says so.

The oracle: what the database says is its position is exactly what it holds, and delivering from there on (the queue
still has what was not settled) gives every event once.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from yaat_core.errors import StateInUse, StoreDamaged, StoreNewer, StoreUnavailable
from yaat_plugin_duckdb.diagnosis import diagnose

SETTLED = 2000
LAST = 4000


@pytest.fixture(scope="module")
def files(make_bench: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes]:
    """A database with 2,000 rows in its file and 2,000 in its log, as kill -9 leaves them."""
    bench = make_bench(tmp_path_factory.mktemp("files"))
    writer = bench.open(checkpoint_interval=3600.0)
    for first in range(1, SETTLED, 500):
        bench.deliver(first, 500)
    bench.close()
    writer = bench.open()
    assert writer.settled == SETTLED
    for first in range(SETTLED + 1, LAST, 500):
        bench.deliver(first, 500)
    main, wal = bench.path.read_bytes(), bench.wal.read_bytes()
    bench.close()
    return main, wal


def place(bench: Any, main: bytes, wal: bytes | None) -> None:
    for file in bench.path.parent.iterdir():
        if file.is_file():
            file.unlink()
    bench.path.write_bytes(main)
    if wal is not None:
        bench.wal.write_bytes(wal)


def flipped(data: bytes, at: int) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 0x40
    return bytes(changed)


def resume(bench: Any) -> int:
    """Start, look at the position, deliver from there on, compare; returns the position that was found."""
    bench.open(checkpoint_interval=3600.0)
    sequence = int(bench.writer.position().sequence)
    assert bench.ask("SELECT count(*) AS n FROM events") == [{"n": sequence}], "rows and position disagree"
    bench.deliver(1, LAST + 100)
    assert bench.sequences() == list(range(1, LAST + 101))
    return sequence


def test_untouched(bench: Any, files: tuple[bytes, bytes]) -> None:
    place(bench, *files)
    assert resume(bench) == LAST
    assert bench.places.damaged() == []


def test_log_removed(bench: Any, files: tuple[bytes, bytes]) -> None:
    place(bench, files[0], None)
    assert resume(bench) == SETTLED


@pytest.mark.parametrize(
    "left", [0, 20, 0.7, *(pytest.param(left, marks=pytest.mark.faults) for left in (1, 200, 0.3, 0.999))]
)
def test_log_cut(bench: Any, files: tuple[bytes, bytes], left: float) -> None:
    main, wal = files
    place(bench, main, wal[: int(left * len(wal)) if isinstance(left, float) else left])
    found = resume(bench)
    assert SETTLED <= found < LAST
    assert found % 500 == 0, "a transaction is whole or not there"


def test_log_flipped_at_many_places(bench: Any, files: tuple[bytes, bytes]) -> None:
    main, wal = files
    rng = random.Random(1)
    for at in [*range(0, 64, 26), *(rng.randrange(len(wal)) for _ in range(3))]:
        place(bench, main, flipped(wal, at))
        try:
            found = resume(bench)
        except StoreNewer:
            # A flipped version number can look like that of a later DuckDB: then nothing is touched.
            bench.writer = None
            assert bench.wal.read_bytes() == flipped(wal, at)
            continue
        assert SETTLED <= found <= LAST
        if found < LAST and bench.places.damaged():
            (aside,) = bench.places.damaged()
            assert aside.read_bytes() == flipped(wal, at), "what was set aside is as it was"


def test_log_with_garbage_after_it(bench: Any, files: tuple[bytes, bytes]) -> None:
    main, wal = files
    place(bench, main, wal + b"garbage" * 100)
    assert resume(bench) == LAST


def test_log_of_another_database(
    bench: Any, files: tuple[bytes, bytes], make_bench: Any, tmp_path: Path
) -> None:
    other = make_bench(tmp_path / "other")
    (tmp_path / "other").mkdir()
    other.open(checkpoint_interval=3600.0)
    other.deliver(1, 10)
    wal = other.wal.read_bytes()
    other.close()
    place(bench, files[0], wal)
    assert resume(bench) == SETTLED
    assert len(bench.places.damaged()) == 1


def test_headers_of_the_file_damaged(
    bench: Any, files: tuple[bytes, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    """Both files are set aside, a new database begins, and the queue has nothing but what was not settled."""
    main, wal = files
    for number, damaged in enumerate(
        [flipped(main, 0), flipped(main, 20), flipped(flipped(main, 4100), 8200), b"\0" * 4096 + main[4096:]]
    ):
        caplog.clear()
        place(bench, damaged, wal)
        assert resume(bench) == 0, number
        aside = bench.places.damaged()
        assert [file.read_bytes() for file in aside] == [damaged, wal]
        assert any("set aside" in record.message and record.levelname == "ERROR" for record in caplog.records)


def test_empty_file_of_a_crash_at_the_first_start(bench: Any) -> None:
    place(bench, b"", None)
    assert resume(bench) == 0
    assert bench.places.damaged() == []


def test_damaged_rows_are_an_answer(bench: Any, files: tuple[bytes, bytes]) -> None:
    """Damage deep in the file: it opens, queries that meet it fail, and nothing crashes."""
    main = files[0]
    place(bench, main[:12288] + bytes(reversed(main[12288:])), None)
    try:
        bench.open()
        bench.ask("SELECT sum(length(message)) AS n FROM events")
    except Exception as error:  # noqa: BLE001 - any of ours is an answer
        assert type(error).__module__ == "yaat_core.errors", repr(error)


def test_damage_found_while_running_makes_the_core_start_over(bench: Any, files: tuple[bytes, bytes]) -> None:
    """The log is gone when the database has to be reopened: committed rows are missing, and the core must hear it."""
    place(bench, *files)
    writer = bench.open(checkpoint_interval=3600.0)
    bench.deliver(LAST + 1, 10)
    assert writer.settled == LAST + 10, "what a start finds in the log is moved into the file"
    bench.deliver(LAST + 11, 10)
    bench.wal.unlink()
    with writer._lock:
        writer.holder.close()
    with pytest.raises(StoreDamaged, match="lost"):
        bench.deliver(LAST + 21, 10)
    bench.close()
    bench.open()
    assert bench.writer.position().sequence == LAST + 10
    bench.deliver(LAST + 11, 20)
    assert bench.sequences() == list(range(1, LAST + 31))


def test_a_later_duckdbs_file_is_refused_untouched(bench: Any, files: tuple[bytes, bytes]) -> None:
    import duckdb

    said = duckdb.IOException(
        "IO Error: Trying to read a database file with version number 70, but we can only read versions between 64 and 68."
    )
    place(bench, *files)
    with pytest.raises(StoreNewer, match="later version of DuckDB"):
        diagnose(said, bench.path)


def test_second_process_is_refused(bench: Any) -> None:
    import subprocess
    import sys

    bench.open()
    code = (
        "import sys, duckdb\nfrom pathlib import Path\nfrom yaat_core.errors import StateInUse\n"
        "from yaat_plugin_duckdb.opening import open_store\nfrom yaat_plugin_duckdb.engine import Limits\n"
        "from yaat_plugin_duckdb.places import Places\n"
        "from yaat_plugin_duckdb.ledger import Owner\n"
        "try:\n    open_store(Places(Path(sys.argv[1])), Limits(memory=2**26, threads=1, spill=0),"
        " Owner(agent_id=b'', sink='', queue_id=None))\n"
        "except StateInUse as error:\n    print(error.render())\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(bench.path)], capture_output=True, text=True, check=True
    )
    assert "another process" in ran.stdout
    assert StateInUse.code in ran.stdout
    bench.deliver(1, 10)
    assert bench.sequences() == list(range(1, 11))


def test_a_folder_in_its_place(bench: Any) -> None:
    bench.path.mkdir()
    with pytest.raises(StoreUnavailable):
        bench.open()
    assert bench.path.is_dir()
