"""Writes that fail while the queue is open: whatever was acknowledged is there once, and nothing else is twice."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from yaat_core.cursor import Cursor
from yaat_core.errors import StoreUnavailable
from yaat_plugin_leveldb import store
from yaat_plugin_leveldb.folder import Folder

MiB = 2**20


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Writes beyond ``size`` fail half-way in this process, as they do on a full disk (EFBIG in place of ENOSPC)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def log_size(rig: Any) -> int:
    return int(rig.files(".log")[-1].stat().st_size)


@pytest.mark.parametrize("torn_after", [1, 7, 100, 4_000, 32_768])
def test_acknowledged_writes_survive_a_torn_one(rig: Any, torn_after: int) -> None:
    """Finding 0.1: behind a torn log entry LevelDB loses what it acknowledges, unless the store is reopened."""
    for _ in range(5):
        rig.append(10, 50)
    with files_no_larger_than(log_size(rig) + torn_after), pytest.raises(StoreUnavailable):
        rig.queue.append(rig.write(50, 2_000))
    assert rig.queue.recover() is None
    for _ in range(30):
        rig.append(10, 50)
    killed = rig.image("killed")
    assert list(killed.open()) == []
    killed.holds_all()
    killed.queue.close()


@pytest.mark.parametrize("rows", [10, 0])
def test_recover_tells_when_the_write_had_landed(
    rig: Any, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """Finding B3: a write whose sync failed can be in the log all the same."""
    plain = store.write

    def write_then_fail(db: Any, puts: Any, *, sync: bool) -> None:
        plain(db, puts, sync=sync)
        raise OSError(5, "Input/output error")

    rig.append(10)
    write = rig.write(rows, dropped=3)
    with monkeypatch.context() as patch:
        patch.setattr(store, "write", write_then_fail)
        with pytest.raises(StoreUnavailable):
            rig.queue.append(write)
    landed = rig.queue.recover()
    assert (landed.first, landed.last) == (11, 10 + rows)
    assert rig.queue.recover() == landed
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "room", lambda _: 0)
        with pytest.raises(StoreUnavailable, match="full"):
            rig.queue.append(rig.write(1))
    assert rig.queue.recover() is None  # of the append that was refused, not of the one before
    rig.accepted += rows
    rig.append(10)
    assert sum(rig.queue.state().dropped.values()) == 3
    rig.holds_all()


def test_a_write_without_events_that_failed(rig: Any) -> None:
    rig.append(10)
    with files_no_larger_than(log_size(rig)), pytest.raises(StoreUnavailable):
        rig.queue.append(rig.write(0, dropped=4))
    assert rig.queue.state().read == 10
    assert rig.queue.recover() is None
    rig.append(0, dropped=4)
    assert rig.queue.state().read == 14
    rig.holds_all()


def test_everything_waits_until_reopening_works(rig: Any) -> None:
    rig.append(10, 500)
    with files_no_larger_than(10):
        with pytest.raises(StoreUnavailable):
            rig.queue.append(rig.write())
        for call in (
            rig.queue.recover,
            lambda: rig.queue.append(rig.write()),
            lambda: rig.queue.read(0, max_rows=1, max_bytes=1),
            lambda: rig.queue.put_cursors({}),
            lambda: rig.queue.delete_upto(5),
            rig.queue.verify,
        ):
            with pytest.raises(StoreUnavailable):
                call()
        assert rig.queue.state().tail == 10  # the figures are known meanwhile
    assert rig.queue.recover() is None
    rig.append(10)
    rig.holds_all()


def test_a_failed_cursor_write_closes_the_queue_as_well(rig: Any) -> None:
    rig.append(10)
    cursor = Cursor.attach(0, 1)
    with files_no_larger_than(log_size(rig)), pytest.raises(StoreUnavailable):
        rig.queue.put_cursors({"sinks.a": cursor})
    with pytest.raises(StoreUnavailable):
        rig.append(1)
    assert rig.queue.recover() is None
    assert not rig.queue.state().cursors
    rig.queue.put_cursors({"sinks.a": cursor})
    rig.append(1)
    killed = rig.image("killed")
    killed.open()
    killed.holds_all()
    assert killed.queue.state().cursors == {"sinks.a": cursor}
    killed.queue.close()


def test_a_store_that_comes_back_with_less_gives_no_sequence_twice(rig: Any) -> None:
    """Whatever took acknowledged events away while the store was closed: they are told, and counted as lost."""
    rig.append(10)
    before = rig.image("before")
    rig.queue.put_cursors({"sinks.a": Cursor.attach(0, 1)})
    rig.append(10, dropped=3)
    kept = rig.queue.state()
    with files_no_larger_than(10), pytest.raises(StoreUnavailable):
        rig.queue.append(rig.write())
    for file in rig.store.iterdir():
        file.unlink()
    for file in before.store.iterdir():
        os.link(file, rig.store / file.name)
    assert rig.queue.recover() is None
    assert rig.queue.state() == kept
    assert rig.numbers() == list(range(10))
    assert rig.append(10).first == 21
    assert rig.numbers() == [*range(10), *range(20, 30)]
    assert list(rig.queue.verify()) == []
    (damage,) = rig.reopen()
    assert (damage.first, damage.last) == (11, 20)
    rig.balances()


def test_no_append_without_room_but_everything_else(
    make_rig: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = make_rig(tmp_path)
    rig.open()
    rig.append(10)
    with monkeypatch.context() as patch:
        patch.setattr(Folder, "room", lambda _: MiB - 1)
        with pytest.raises(StoreUnavailable, match="full"):
            rig.append(1)
        with pytest.raises(StoreUnavailable, match="full"):
            rig.queue.recover()
        rig.queue.put_cursors({"sinks.a": Cursor.attach(0, 1)})
        assert len(rig.numbers()) == 10
        rig.queue.delete_upto(10)
        assert rig.numbers() == []
    assert rig.queue.recover() is None
    assert rig.append(1).first == 11


def test_a_reserve_that_can_not_be_made_leaves_nothing_behind(rig: Any) -> None:
    """The disk seems to have room, and has none (a quota)."""
    (rig.home / "reserve").unlink()
    with files_no_larger_than(1000), pytest.raises(StoreUnavailable, match="full"):
        rig.append(1)
    assert not (rig.home / "reserve").exists()
    rig.append(1)
    assert (rig.home / "reserve").stat().st_size == rig.config.reserve


def test_closing_waits_for_readers(rig: Any) -> None:
    """LevelDB crashes the process when it is closed under a running call."""
    for _ in range(20):
        rig.append(200, 50)
    stop = threading.Event()
    outcomes: set[str] = set()

    def read() -> None:
        while not stop.is_set():
            try:
                outcomes.add("read" if rig.queue.read(0, max_rows=10**6, max_bytes=2**40) else "empty")
                outcomes.add("verified" if not rig.queue.verify() else "damaged")
            except StoreUnavailable:
                outcomes.add("closed")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for _ in range(15):
            with files_no_larger_than(log_size(rig)), pytest.raises(StoreUnavailable):
                rig.queue.append(rig.write())
            assert rig.queue.recover() is None
            rig.append(1)
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert {"read", "verified"} <= outcomes <= {"read", "verified", "closed"}
    rig.holds_all()
