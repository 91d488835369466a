"""Looking at a queue that lies there: everything can be seen, and no byte, name or time of it changes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from yaat_core.components import Queue, QueueWrite
from yaat_core.cursor import Cursor
from yaat_core.errors import StoreDamaged, StoreNewer, UsageError
from yaat_core.event import EventBatch
from yaat_plugin_leveldb.binding import plyvel

MAGIC = b"YQR1"


def everything_of(folder: Path) -> dict[str, tuple[Any, ...]]:
    """Names, bytes, and whatever of the inodes a change would show."""
    found: dict[str, tuple[Any, ...]] = {}
    for path in [folder, *folder.rglob("*")]:
        about = path.lstat()
        facts = (about.st_mode, about.st_ino, about.st_nlink, about.st_mtime_ns, about.st_ctime_ns)
        content = path.read_bytes() if path.is_file() else os.readlink(path) if path.is_symlink() else None
        found[str(path.relative_to(folder))] = (*facts, content)
    return found


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where views copy to; empty again when they are closed."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def filled(rig: Any) -> Any:
    """Ten records, in tables and in the log, a cursor, and deleted events; closed."""
    for _ in range(5):
        rig.append(10, 200, dropped=1)
    rig.settled()
    rig.open()
    for _ in range(5):
        rig.append(10, 200, dropped=1)
    rig.queue.put_cursors({"sinks.a": Cursor.attach(0, 1)})
    rig.queue.delete_upto(10)
    rig.queue.close()
    return rig


def seen(queue: Queue) -> list[int]:
    found: list[int] = []
    after = 0
    while records := queue.read(after, max_rows=1000, max_bytes=2**30):
        for record in records:
            found += [int.from_bytes(one) for one in record.batch.column("event_id").to_pylist()]
            after = record.last
    return found


def test_everything_is_seen_and_nothing_changes(filled: Any) -> None:
    filled.open()
    state, infos = filled.queue.state(), filled.queue.infos(0, limit=99)
    stored = filled.queue.checkpoints("sources.app")
    filled.queue.close()
    before = everything_of(filled.home.parent)
    view = filled.make().view()
    assert list(view.open()) == []
    assert view.state() == state
    assert list(view.infos(0, limit=99)) == list(infos)
    assert view.checkpoints("sources.app") == stored
    assert seen(view) == list(range(10, 100))
    assert list(view.verify()) == []
    assert not view.fresh
    assert everything_of(filled.home.parent) == before
    view.close()
    view.close()
    assert everything_of(filled.home.parent) == before
    filled.open()
    filled.queue.delete_upto(filled.queue.state().tail)


def test_what_writes_is_refused(filled: Any) -> None:
    view = filled.make().view()
    view.open()
    for write in (
        lambda: view.append(QueueWrite(batch=EventBatch.empty())),
        view.recover,
        lambda: view.put_cursors({}),
        lambda: view.delete_upto(5),
        lambda: view.adopt(queue_id=None, tail=5, checkpoints={}),
    ):
        with pytest.raises(UsageError, match="looking only"):
            write()
    view.close()


def test_two_may_look(filled: Any) -> None:
    views = [filled.make().view() for _ in range(2)]
    for view in views:
        view.open()
    assert [seen(view) for view in views] == [list(range(10, 100))] * 2
    for view in views:
        view.close()


@pytest.mark.parametrize("name", ["CURRENT", "MANIFEST-*", "*.ldb", "*.log"])
@pytest.mark.parametrize(
    "how", ["removed", "emptied", "flipped", "link to nothing", "link to itself", "folder"]
)
def test_damage_is_told_and_left(filled: Any, name: str, how: str) -> None:
    for file in list(filled.store.glob(name)):
        data = file.read_bytes()
        file.unlink()
        if how == "emptied":
            file.write_bytes(b"")
        elif how == "flipped":
            middle = len(data) // 2
            file.write_bytes(data[:middle] + bytes([data[middle] ^ 0x55]) + data[middle + 1 :])
        elif how == "link to nothing":
            file.symlink_to(filled.folder / "nowhere")
        elif how == "link to itself":
            file.symlink_to(file)
        elif how == "folder":
            file.mkdir()
    # What was deleted last is still there without the log that says so.
    possible = set(range(0 if name == "*.log" else 10, 100))
    before = everything_of(filled.home.parent)
    view = filled.make().view()
    told = [*view.open(), *view.verify()]
    # A log that lost its end, or is gone, can't be told from one that ended there.
    assert told or (name == "*.log" and how != "flipped")
    try:
        assert set(seen(view)) <= possible
    except StoreDamaged as error:
        assert "yaat queue repair" in error.fix
    view.close()
    assert everything_of(filled.home.parent) == before
    filled.open()
    told_then = filled.queue.repair()
    assert list(filled.queue.verify()) == [], told_then
    assert set(filled.numbers()) <= possible
    rows = filled.accepted
    filled.append(5)
    assert filled.numbers()[-5:] == list(range(rows, rows + 5))
    assert not list(filled.reopen())


@pytest.mark.parametrize("key", [b"m", b"d", b"k", b"l", b"c"])
def test_a_damaged_small_value_is_told_and_left(filled: Any, key: bytes) -> None:
    with plyvel.DB(str(filled.store)) as db, db.iterator(prefix=key) as rows:
        for name, data in list(rows):
            db.put(name, bytes([data[0] ^ 1]) + data[1:])
    before = everything_of(filled.home.parent)
    view = filled.make().view()
    assert [*view.open(), *view.verify()]
    with pytest.raises(StoreDamaged, match="damaged"):
        view.state()
    view.close()
    assert everything_of(filled.home.parent) == before


def test_a_bad_record_is_told_and_left(filled: Any) -> None:
    filled.settled()
    table = next(file for file in filled.files(".ldb") if MAGIC in file.read_bytes())
    data = table.read_bytes()
    place = data.rindex(MAGIC) + 500
    table.write_bytes(data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :])
    before = everything_of(filled.home.parent)
    view = filled.make().view()
    view.open()
    assert len(seen(view)) == 80
    (damage,) = view.verify()
    assert damage.last - damage.first == 9
    view.close()
    assert everything_of(filled.home.parent) == before
    assert filled.quarantined() == []


def test_a_queue_that_was_never_made_is_not_made(make_rig: Callable[..., Any], tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    with pytest.raises(UsageError, match="no queue in"):
        rig.make().view().open()
    assert not rig.home.exists()


def test_a_store_that_is_gone(filled: Any) -> None:
    shutil.rmtree(filled.store)
    view = filled.make().view()
    (damage,) = view.open()
    assert damage.what == "the store is gone"
    assert list(view.verify()) == []
    view.close()
    assert not filled.store.exists()


def test_a_repair_that_was_interrupted_is_told(filled: Any) -> None:
    (filled.home / "repairing").touch()
    view = filled.make().view()
    (damage,) = view.open()
    assert "interrupted" in damage.what
    with pytest.raises(StoreDamaged, match="interrupted"):
        view.infos(0, limit=1)
    view.close()


def test_a_later_format_is_refused(filled: Any) -> None:
    marker = filled.home / "initialised"
    marker.write_text(marker.read_text().replace('"format": 1', '"format": 2'))
    view = filled.make().view()
    with pytest.raises(StoreNewer, match="format 2"):
        view.open()
    view.close()


def test_no_room_for_the_copy(filled: Any, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from yaat_core.errors import StoreUnavailable

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = everything_of(filled.home.parent)
    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(StoreUnavailable, match="No space left") as caught:
        filled.make().view().open()
    assert "TMPDIR" in caught.value.fix
    assert everything_of(filled.home.parent) == before
