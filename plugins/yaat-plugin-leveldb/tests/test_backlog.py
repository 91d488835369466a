"""A large backlog: opening and reading touch what they need, and space comes back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from yaat_core.components import LedgerEntry, QueueWrite
from yaat_core.event import EventBatch
from yaat_plugin_leveldb import inspection
from yaat_plugin_leveldb.binding import plyvel

MiB = 2**20


def size_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def forget_pages(folder: Path) -> None:
    """Take a folder's files out of the page cache, so that reading them is seen as reading from the disk."""
    for file in folder.rglob("*"):
        if file.is_file():
            fd = os.open(file, os.O_RDONLY)
            os.fsync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(fd)


def bytes_from_disk() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("read_bytes")))


@pytest.mark.faults
def test_opening_reads_little_of_a_large_backlog(
    make_rig: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = make_rig(tmp_path, write_buffer=8 * MiB)
    rig.open()
    while rig.queue.state().total_bytes < 200 * MiB:
        rig.append(2000, 512)
    rig.queue.close()
    with plyvel.DB(str(rig.store)) as db:
        db.compact_range()  # or LevelDB compacts in the background while we measure
    forget_pages(rig.home)
    looked: list[int] = []
    raw = inspection.raw
    monkeypatch.setattr(inspection, "raw", lambda db, last: looked.append(last) or raw(db, last))
    before = bytes_from_disk()
    rig.open()
    state = rig.queue.state()
    assert state.tail == rig.accepted
    assert len(looked) <= 5
    assert rig.queue.read(state.tail // 2, max_rows=1, max_bytes=1)[0].first == state.tail // 2 + 1
    assert len(looked) <= 6
    infos = rig.queue.infos(0, limit=10**6)
    assert infos[-1].total_bytes == state.total_bytes
    assert len(looked) <= 6
    # The kernel reads ahead by as much as the device is set to, so this can't be much tighter.
    assert bytes_from_disk() - before < state.total_bytes // 2


def test_deleted_records_give_their_space_back(make_rig: Callable[..., Any], tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    rig.open()
    for _ in range(10):
        for _ in range(4):
            rig.append(2000, 512)
        rig.queue.delete_upto(rig.queue.state().tail - 1000)
    total = rig.queue.state().total_bytes
    assert total > 35 * MiB
    assert size_of(rig.store) < total // 2
    rig.queue.delete_upto(rig.queue.state().tail)
    assert rig.numbers() == []
    assert list(rig.queue.verify()) == []


def test_a_large_drain_gives_its_space_back_at_once(make_rig: Callable[..., Any], tmp_path: Path) -> None:
    rig = make_rig(tmp_path, write_buffer=8 * MiB)
    rig.open()
    while rig.queue.state().total_bytes < 40 * MiB:
        rig.append(2000, 512)
    rig.queue.delete_upto(rig.queue.state().tail)
    assert size_of(rig.store) < 10 * MiB


def test_many_small_records_are_deleted_in_steps(rig: Any) -> None:
    for _ in range(1_300):
        rig.append(1, 0)
    rig.queue.delete_upto(1_100)
    state = rig.queue.state()
    assert state.deleted_upto == 1_100
    assert rig.numbers() == list(range(1_100, 1_300))
    assert state.total_bytes - state.deleted_bytes == sum(i.bytes for i in rig.queue.infos(0, limit=10_000))
    assert list(rig.reopen()) == []
    assert rig.queue.state() == state


def test_memory_is_bounded_by_max_bytes_though_records_compress_well(rig: Any) -> None:
    for _ in range(10):
        batch = EventBatch.build(5_000, {"message": "x" * 200})
        rig.queue.append(QueueWrite(batch=batch, read=5_000, time_us=time.time_ns() // 1000))
    some = rig.queue.read(0, max_rows=10**9, max_bytes=4 * MiB)
    assert len(some) < 10
    assert sum(record.batch.nbytes for record in some) <= 4 * MiB


def test_one_huge_write_is_several_records(rig: Any) -> None:
    rig.append(3_000, 4_000)
    sizes = [record.batch.nbytes for record in rig.queue.read(0, max_rows=10**9, max_bytes=2**40)]
    assert len(sizes) > 4
    assert max(sizes) < 5 * MiB
    rig.holds_all()


def test_old_hours_of_the_ledger_are_added_up(rig: Any) -> None:
    hour = 3_600_000_000
    for number in range(400):
        drops = [LedgerEntry(component="filter", reason="level", rule="r", count=2)]
        write = QueueWrite(batch=EventBatch.empty(), drops=drops, read=2, time_us=hour * (1000 + number))
        rig.queue.append(write)
    assert rig.queue.state().dropped == {("filter", "level", "r"): 800}
    assert rig.queue.state().read == 800
    rig.reopen()
    assert rig.queue.state().dropped == {("filter", "level", "r"): 800}
    rig.queue.close()
    with plyvel.DB(str(rig.store)) as db, db.iterator(prefix=b"l", include_value=False) as rows:
        assert len(list(rows)) <= 170


def test_a_new_queue_takes_over_the_id_of_the_database(rig: Any) -> None:
    theirs = b"0123456789abcdef"
    assert rig.queue.fresh
    rig.queue.adopt(queue_id=theirs, tail=70, checkpoints={})
    assert rig.queue.state().queue_id == theirs
    assert list(rig.reopen()) == []
    assert rig.queue.state().queue_id == theirs
    assert rig.append(1).first == 71
    assert rig.queue.state().deleted_upto == 70
    rig.queue.adopt(queue_id=bytes(16), tail=71, checkpoints={})
    assert rig.queue.state().queue_id == theirs
