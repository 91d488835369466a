"""Files that were damaged while nobody looked: what is good is read, the rest is told, and the queue goes on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from yaat_core.cursor import Cursor
from yaat_core.errors import StateInUse, StoreDamaged, StoreNewer
from yaat_plugin_leveldb.binding import plyvel

MAGIC = b"YQR1"


def flip(file: Path, offset: int) -> None:
    with open(file, "r+b") as handle:
        handle.seek(offset)
        byte = handle.read(1)
        handle.seek(offset)
        handle.write(bytes([byte[0] ^ 0x55]))


def records_in(rig: Any) -> tuple[Path, list[int]]:
    """The table that holds the records, and where in it each begins."""
    (table,) = [file for file in rig.files(".ldb") if MAGIC in file.read_bytes()]
    data, offsets = table.read_bytes(), list[int]()
    while (found := data.find(MAGIC, offsets[-1] + 1 if offsets else 0)) >= 0:
        offsets.append(found)
    return table, offsets


def goes_on(rig: Any) -> None:
    """After damage: what is read was accepted, in order, and new events come behind all old ones."""
    found = rig.numbers()
    assert found == sorted(set(found))
    assert set(found) <= set(range(rig.accepted))
    rig.balances()
    before = rig.queue.state().tail
    rows = rig.accepted
    assert rig.append(5).first == before + 1
    assert rig.numbers() == [*found, *range(rows, rows + 5)]
    assert list(rig.reopen()) == []
    assert rig.numbers() == [*found, *range(rows, rows + 5)]


@pytest.fixture
def filled(rig: Any) -> Any:
    """Ten records and a cursor, closed."""
    for _ in range(10):
        rig.append(10, 200, dropped=1)
    rig.queue.put_cursors({"sinks.a": Cursor.attach(0, 1)})
    rig.queue.close()
    return rig


def test_a_bad_record_is_skipped_kept_and_told_once(filled: Any) -> None:
    filled.settled()
    table, offsets = records_in(filled)
    flip(table, offsets[2] + 500)
    assert list(filled.open()) == []  # the first and the newest records are fine
    assert filled.numbers() == [*range(20), *range(30, 100)]
    assert filled.quarantined() == ["record-00000000000000000030.bin"]
    assert filled.numbers() == [*range(20), *range(30, 100)]
    (damage,) = filled.queue.verify()
    assert (damage.first, damage.last) == (21, 30)
    assert filled.queue.read(20, max_rows=1, max_bytes=1)[0].first == 31
    goes_on(filled)


def test_a_bad_newest_record_is_told_when_the_queue_opens(filled: Any) -> None:
    filled.settled()
    table, offsets = records_in(filled)
    flip(table, offsets[-1] + 500)
    (damage,) = filled.open()
    assert (damage.first, damage.last) == (91, 100)
    assert filled.numbers() == list(range(90))
    goes_on(filled)


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.8, 0.97])
def test_a_flipped_byte_in_the_log(filled: Any, share: float) -> None:
    (log,) = filled.files(".log")
    flip(log, int(log.stat().st_size * share))
    damages = filled.open()
    assert damages
    assert filled.queue.state().queue_id
    assert len(filled.numbers()) >= 80
    assert list(filled.home.glob("quarantine-*/store/*.log"))
    goes_on(filled)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.35, 0.6, 0.85, 0.999])
def test_a_truncated_log_gives_a_prefix(filled: Any, share: float) -> None:
    (log,) = filled.files(".log")
    with open(log, "r+b") as handle:
        handle.truncate(int(log.stat().st_size * share))
    filled.open()
    found = filled.numbers()
    assert found == list(range(len(found)))
    assert len(found) % 10 == 0
    assert filled.queue.state().tail == len(found)
    goes_on(filled)


@pytest.mark.parametrize("name", ["CURRENT", "MANIFEST-*", "*.ldb", "*.log"])
@pytest.mark.parametrize("how", ["removed", "emptied"])
def test_a_file_of_the_store_is_gone(filled: Any, name: str, how: str) -> None:
    filled.settled()
    filled.open()
    filled.append(10, 200)
    filled.queue.close()
    for file in filled.store.glob(name):
        file.unlink() if how == "removed" else file.write_bytes(b"")
    told = list(filled.open())
    lost = set(range(filled.accepted)) - set(filled.numbers())
    # A log that is gone can't be told from one that was never there: the sinks' own position tells.
    assert bool(told) == (name != "*.log")
    assert len(lost) == {"CURRENT": 0, "MANIFEST-*": 0, "*.ldb": 100, "*.log": 10}[name]
    goes_on(filled)


def test_damage_is_told_until_events_went_in_again(filled: Any) -> None:
    (filled.store / "CURRENT").unlink()
    first = list(filled.open())
    assert first
    assert list(filled.reopen()) == first
    filled.append(1)
    assert list(filled.reopen()) == []


def test_a_store_that_is_gone_is_damage_and_not_a_new_queue(filled: Any) -> None:
    before = json.loads((filled.home / "initialised").read_text())["queue_id"]
    shutil.rmtree(filled.store)
    (damage,) = filled.open()
    assert "gone" in damage.what
    assert filled.queue.state().queue_id.hex() != before
    assert filled.queue.state().tail == 0
    assert filled.append(1).first == 1


def test_a_store_of_garbage_is_set_aside_whole(filled: Any) -> None:
    for file in filled.store.iterdir():
        file.write_bytes(b"\xff" * 5000)
    assert filled.open()
    assert filled.queue.state().tail == 0
    assert list(filled.home.glob("quarantine-*/store-as-found"))
    filled.accepted = 0
    filled.append(3)
    filled.holds_all()


def test_a_crash_in_the_middle_of_making_the_store_is_no_damage(rig: Any) -> None:
    rig.queue.close()
    (rig.home / "initialised").unlink()
    shutil.copytree(rig.store, rig.home / "store.new")
    assert list(rig.open()) == []  # complete, but the marker was not written
    rig.queue.close()
    for half in ("store", "store.new"):
        shutil.rmtree(rig.home)
        (rig.home / half).mkdir(parents=True)
        (rig.home / half / "LOG").write_text("begin")
        (rig.home / half / "MANIFEST-000001").write_bytes(b"\x01\x02")
        assert list(rig.open()) == []
        rig.queue.close()
        assert not (rig.home / "store.new").exists()
    rig.open()
    rig.append(2)
    rig.holds_all()


@pytest.mark.parametrize("text", [None, "", "{}", '{"format": "x"}'])
def test_the_marker_is_written_again(filled: Any, text: str | None) -> None:
    marker = filled.home / "initialised"
    marker.unlink() if text is None else marker.write_text(text)
    assert filled.open()
    filled.holds_all()
    assert json.loads(marker.read_text())["queue_id"] == filled.queue.state().queue_id.hex()
    goes_on(filled)


def test_a_later_format_is_refused_untouched(filled: Any) -> None:
    marker = filled.home / "initialised"
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "format": 2}))
    before = {file: file.read_bytes() for file in filled.home.rglob("*") if file.is_file()}
    with pytest.raises(StoreNewer, match="format 2"):
        filled.open()
    assert {file: file.read_bytes() for file in filled.home.rglob("*") if file.is_file()} == before


def test_a_folder_of_something_else_is_refused(make_rig: Callable[..., Any], tmp_path: Path) -> None:
    rig = make_rig(tmp_path)
    rig.home.mkdir(parents=True)
    (rig.home / "letters.txt").write_text("Dear")
    with pytest.raises(StoreDamaged, match="holds no queue"):
        rig.open()
    assert [file.name for file in rig.home.iterdir()] == ["letters.txt"]


def test_a_second_opening_is_refused_by_name(
    rig: Any, start_appender: Callable[..., Any], make_rig: Callable[..., Any], tmp_path: Path
) -> None:
    with pytest.raises(StateInUse, match="in use"):
        rig.make().open()
    rig.append(1)
    rig.holds_all()
    other = make_rig(tmp_path / "other")
    (tmp_path / "other").mkdir()
    process = start_appender(other.folder)
    assert process.stdout.readline() == "open 0\n"
    with pytest.raises(StateInUse, match="another process"):
        other.make().open()


@pytest.mark.parametrize("key", [b"m", b"d", b"k", b"l", b"c", b"i"])
def test_a_damaged_small_value(filled: Any, key: bytes) -> None:
    filled.open()
    filled.queue.delete_upto(10)
    filled.queue.close()
    with plyvel.DB(str(filled.store)) as db, db.iterator(prefix=key) as rows:
        for name, data in list(rows):
            db.put(name, bytes([data[0] ^ 1]) + data[1:])
    damages = list(filled.open())
    assert bool(damages) == (key != b"i")  # an index entry is made again from its record
    assert set(filled.numbers()) >= set(range(10, 100))
    filled.balances()
    assert ("sinks.a" in filled.queue.state().cursors) == (key != b"k")
    assert bool(filled.queue.checkpoints("sources.app")) == (key != b"c")
    assert [info.last for info in filled.queue.infos(10, limit=99)] == list(range(20, 101, 10))
    filled.append(5)
    assert list(filled.reopen()) == []


def test_counters_that_are_lost_are_counted_again(filled: Any) -> None:
    before = filled.queue.state()
    with plyvel.DB(str(filled.store)) as db:
        db.delete(b"m")
    assert filled.open()
    after = filled.queue.state()
    assert (after.queue_id, after.tail, after.total_bytes) == (before.queue_id, 100, before.total_bytes)
    filled.holds_all()


def test_a_block_that_went_bad_while_the_queue_is_open(filled: Any) -> None:
    """LevelDB meets it when it compacts, and refuses every write from then on: the store is repaired, nothing is lost twice."""
    filled.settled()
    filled.open()
    table, offsets = records_in(filled)
    flip(table, offsets[-1] + 500)
    filled.queue.close()
    filled.open()
    failures = 0
    for _ in range(200):
        write = filled.write(50, 400)
        while True:
            try:
                filled.queue.append(write)
            except Exception:  # noqa: BLE001
                failures += 1
                assert failures < 3
                filled.queue.recover()
                continue
            break
        filled.accepted += 50
    assert failures
    assert filled.numbers() == [*range(90), *range(100, filled.accepted)]
    filled.reopen()
    assert filled.numbers() == [*range(90), *range(100, filled.accepted)]


def test_records_that_were_swapped(filled: Any) -> None:
    """Each is whole, and neither is the one that belongs there."""
    with plyvel.DB(str(filled.store)) as db:
        third, fourth = (b"r" + last.to_bytes(8, "big") for last in (30, 40))
        one, other = db.get(third), db.get(fourth)
        db.put(third, other)
        db.put(fourth, one)
    filled.open()
    assert filled.numbers() == [*range(20), *range(40, 100)]
    assert len(filled.quarantined()) == 2


def test_a_queue_of_a_single_record_is_intact(rig: Any) -> None:
    rig.append(3, 200)
    assert list(rig.reopen()) == []
    assert list(rig.queue.verify()) == []


def test_a_queue_of_which_a_single_record_is_left_is_intact(filled: Any) -> None:
    filled.reopen()
    filled.queue.delete_upto(filled.queue.infos(0, limit=100)[-2].last)
    assert len(filled.queue.infos(0, limit=100)) == 1
    assert list(filled.reopen()) == []
    assert list(filled.queue.verify()) == []


def test_newest_records_that_are_gone_are_told(filled: Any) -> None:
    with plyvel.DB(str(filled.store)) as db:
        for last in (90, 100):
            db.delete(b"r" + last.to_bytes(8, "big"))
            db.delete(b"i" + last.to_bytes(8, "big"))
    (damage,) = filled.open()
    assert (damage.first, damage.last) == (81, 100)
    assert filled.numbers() == list(range(80))
    assert filled.append(1).first == 101


def test_a_repair_brings_nothing_back_that_was_deleted(filled: Any) -> None:
    with plyvel.DB(str(filled.store)) as db:
        deleted = {key: data for key, data in db if key[:1] in (b"i", b"r") and key[-1] <= 50}
    filled.open()
    filled.queue.delete_upto(50)
    filled.queue.close()
    with plyvel.DB(str(filled.store)) as db:
        for key, data in deleted.items():
            db.put(key, data)
    (filled.store / "CURRENT").unlink()
    assert filled.open()
    assert filled.numbers() == list(range(50, 100))
    filled.queue.close()
    with plyvel.DB(str(filled.store)) as db:
        assert not [key for key in deleted if db.get(key)]


def test_verify_finds_a_record_that_the_index_does_not_know(filled: Any) -> None:
    with plyvel.DB(str(filled.store)) as db:
        db.delete(b"i" + (30).to_bytes(8, "big"))
    filled.open()
    found = filled.queue.verify()
    assert ("a record has no index entry", 30) in [(damage.what, damage.last) for damage in found]
    assert (21, 30) in [(damage.first, damage.last) for damage in found]


def test_what_a_repair_took_over_whole_is_not_kept_twice(filled: Any) -> None:
    filled.settled()
    (filled.store / "CURRENT").unlink()
    filled.open()
    filled.holds_all()
    (copy,) = filled.home.glob("quarantine-*/store")
    assert list(copy.glob("MANIFEST-*"))
    assert not [file for file in copy.iterdir() if MAGIC in file.read_bytes()]
    assert not (filled.store / "lost").exists()


def test_only_this_user_may_look(rig: Any) -> None:
    assert rig.home.stat().st_mode & 0o777 == 0o700
