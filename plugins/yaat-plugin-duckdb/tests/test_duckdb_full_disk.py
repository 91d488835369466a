"""No space, on a real small file system: nothing lost, nothing twice, and it goes on by itself when there is room."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from yaat_core.components import Done, QueryRequest, Retry
from yaat_core.errors import QueryFailed, StoreUnavailable
from yaat_plugin_duckdb import plugin

SIZE = 12 * 2**20
HOUR_US = 3600 * 1_000_000


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 12 MiB; needs the right to mount."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", folder], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"can't mount a tmpfs here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def fill(folder: Path, leave: int) -> Path:
    """A file that leaves so many bytes free."""
    ballast = folder / "ballast"
    free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(1, free - leave))
    return ballast


LEVELS = (0, 5_000, 40_000, 150_000, 300_000, 700_000, 1_500_000)
QUICK = (("often", 40_000),)


@pytest.mark.parametrize(
    ("checkpoints", "leave"),
    [
        pytest.param(often, leave, marks=() if (often, leave) in QUICK else pytest.mark.faults)
        for often in ("often", "never")
        for leave in LEVELS
    ],
)
def test_full_disk(make_bench: Any, small_disk: Path, leave: int, checkpoints: str) -> None:
    """Full in the log's append, in its sync, in a CHECKPOINT: at whatever level it comes."""
    bench = make_bench(small_disk)
    interval, size = (0.01, 2**20) if checkpoints == "often" else (3600.0, 2**30)
    bench.open(checkpoint_interval=interval, checkpoint_bytes=size)
    bench.deliver(1, 1000)
    ballast = fill(small_disk, leave)
    last, failures = 1000, 0
    while failures < 3:
        assert last < 400_000, "the disk never was full"
        outcome = bench.deliver(last + 1, 1000)
        if isinstance(outcome, Done):
            last += 1000
        else:
            assert isinstance(outcome, Retry), outcome
            assert outcome.why
            failures += 1
    ballast.unlink()
    for _ in range(5):
        assert bench.deliver(last + 1, 1000) == Done(), "space is back, and it does not go on"
        last += 1000
    assert bench.sequences() == list(range(1, last + 1))


def test_full_disk_at_the_first_start(make_bench: Any, small_disk: Path) -> None:
    from yaat_core.errors import YaatError

    bench = make_bench(small_disk)
    _ = bench.context
    ballast = fill(small_disk, 4096)
    with pytest.raises(YaatError) as caught:
        bench.open()
    assert "space" in caught.value.render().lower()
    bench.writer = None
    ballast.unlink()
    bench.open()
    bench.deliver(1, 10)
    assert bench.sequences() == list(range(1, 11))


def test_full_disk_while_the_next_file_begins(make_bench: Any, small_disk: Path) -> None:
    """Rows go on into the one that there is, or wait; afterwards all are there, in files that follow each other."""
    bench = make_bench(small_disk)
    bench.open(checkpoint_interval=3600.0, retention=80 * 3600.0)
    days_ago = time.time_ns() // 1_000 - 60 * HOUR_US
    assert bench.deliver(1, 1000, accepted_us=days_ago) == Done()
    ballast = fill(small_disk, 100_000)
    for _ in range(2):
        assert isinstance(bench.deliver(1001, 1000, accepted_us=days_ago + 50 * HOUR_US), Done | Retry)
    ballast.unlink()
    bench.writer.upkeep._rests_until = 0.0
    assert bench.deliver(1001, 1000, accepted_us=days_ago + 50 * HOUR_US) == Done()
    bench.close()
    bench.open()
    assert bench.writer.problems() == () or "are free" in bench.writer.problems()[0].problem
    assert bench.sequences() == list(range(1, 2001))


def test_full_disk_under_a_query_that_spills(make_bench: Any, small_disk: Path) -> None:
    """The query fails and says why; rows go in all the while."""
    bench = make_bench(small_disk)
    bench.open(checkpoint_interval=3600.0, query_memory=32 * 2**20, memory_limit=16 * 2**20)
    assert bench.deliver(1, 1000) == Done()
    with pytest.raises(QueryFailed) as caught:
        bench.ask("SELECT * FROM range(30000000) ORDER BY hash(range)")
    assert any(word in caught.value.render().lower() for word in ("space", "memory")), caught.value.render()
    for first in range(1001, 4000, 1000):
        assert bench.deliver(first, 1000) == Done()
    assert bench.ask("SELECT count(*) AS n FROM events") == [{"n": 4000}]
    assert bench.sequences() == list(range(1, 4001))


def test_a_disk_that_can_only_be_read(make_bench: Any, small_disk: Path) -> None:
    """The agent says why it can't; a query without an agent answers, also when rows are in the log alone."""
    bench = make_bench(small_disk)
    bench.open(checkpoint_interval=3600.0)
    bench.deliver(1, 1000)
    bench.close()
    bench.open(checkpoint_interval=3600.0)
    bench.deliver(1001, 10)
    bench.writer.holder.close()
    bench.writer = None
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    try:
        request = QueryRequest(sql="SELECT count(*) AS n FROM events")
        answer = plugin.query(sink=bench.config, context=bench.context, request=request)
        assert answer is not None
        assert [piece.to_pylist() for piece in answer] == [[{"n": 1010}]]
        answer.close()
        with pytest.raises(StoreUnavailable) as caught:
            bench.open()
        assert "read-only" in caught.value.render().lower()
        assert caught.value.fix
        bench.writer = None
    finally:
        subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    bench.open()
    bench.deliver(1011, 10)
    assert bench.sequences() == list(range(1, 1021))
