"""`repair` of an open queue: what is damaged is set aside and told once, the rest stays as it was."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from yaat_plugin_leveldb.binding import plyvel


def record(last: int) -> bytes:
    return b"r" + last.to_bytes(8, "big")


def entry(last: int) -> bytes:
    return b"i" + last.to_bytes(8, "big")


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0x55]) + data[middle + 1 :]


@pytest.fixture
def filled(rig: Any) -> Any:
    """Ten records, closed."""
    for _ in range(10):
        rig.append(10, 200, dropped=1)
    rig.queue.close()
    return rig


def intact(rig: Any, numbers: list[int]) -> None:
    """Nothing is left to mend, these events are there, and it goes on."""
    assert list(rig.queue.repair()) == []
    assert list(rig.queue.verify()) == []
    assert rig.numbers() == numbers
    rig.balances()
    rows = rig.accepted
    rig.append(5)
    assert list(rig.reopen()) == []
    assert rig.numbers() == [*numbers, *range(rows, rows + 5)]
    assert list(rig.queue.verify()) == []


def test_an_intact_queue_stays_as_it_is(filled: Any) -> None:
    filled.open()
    before = filled.queue.state()
    assert list(filled.queue.repair()) == []
    assert filled.queue.state() == before
    assert filled.quarantined() == []
    filled.holds_all()


@pytest.mark.parametrize("lasts", [(30,), (10,), (30, 50), (30, 40)])
def test_bad_records(filled: Any, lasts: tuple[int, ...]) -> None:
    kept = {}
    with plyvel.DB(str(filled.store)) as db:
        for last in lasts:
            kept[last] = flipped(db.get(record(last)))
            db.put(record(last), kept[last])
    already = {damage.last for damage in filled.open()}
    told = filled.queue.repair()
    assert {damage.last for damage in told} == set(lasts)
    assert all(damage.first == damage.last - 9 for damage in told)
    assert already <= set(lasts)
    lost = {number for last in lasts for number in range(last - 10, last)}
    for last, data in kept.items():
        assert (filled.home / "quarantine" / f"record-{last:020d}.bin").read_bytes() == data
    state, infos = filled.queue.state(), filled.queue.infos(0, limit=99)
    assert state.oldest_us == infos[0].time_us
    intact(filled, [number for number in range(100) if number not in lost])
    filled.queue.close()
    with plyvel.DB(str(filled.store)) as db:
        assert not [last for last in lasts if db.get(record(last)) or db.get(entry(last))]


def test_records_that_are_gone(filled: Any) -> None:
    with plyvel.DB(str(filled.store)) as db:
        db.delete(record(30))
        db.delete(record(60))
        db.delete(entry(60))
    filled.open()
    told = {(damage.first, damage.last) for damage in filled.queue.repair()}
    assert told == {(21, 30), (51, 60)}
    intact(filled, [number for number in range(100) if not (20 <= number < 30 or 50 <= number < 60)])


def test_a_record_that_the_index_does_not_know_comes_back(filled: Any) -> None:
    with plyvel.DB(str(filled.store)) as db:
        db.delete(entry(30))
        db.put(record(60), flipped(db.get(record(60))))
        db.delete(entry(60))
    filled.open()
    told = {damage.last for damage in filled.queue.repair()}
    assert told == {30, 60}
    intact(filled, [number for number in range(100) if not 50 <= number < 60])


@pytest.mark.parametrize("key", [b"d", b"k", b"l", b"c", b"h"])
def test_small_values(filled: Any, key: bytes) -> None:
    from yaat_core.cursor import Cursor

    filled.open()
    filled.queue.put_cursors({"sinks.a": Cursor.attach(0, 1)})
    filled.queue.adopt(queue_id=None, tail=110, checkpoints={})
    handle = filled.queue._handle
    with handle.use() as db, db.iterator(prefix=key) as rows:
        for name, data in list(rows):
            db.put(name, flipped(data))
    assert filled.queue.repair()
    assert list(filled.queue.repair()) == []
    assert list(filled.queue.verify()) == []
    filled.balances()
    assert filled.numbers() == list(range(100))


def test_a_block_that_leveldb_cannot_read(filled: Any) -> None:
    """The store is repaired from its files, and the events that are gone are told."""
    filled.settled()
    filled.open()
    tables = filled.files(".ldb")
    assert tables
    for table in tables:
        data = bytearray(table.read_bytes())
        for place in range(0, len(data) - 200, 1500):
            data[place] ^= 0x55
        table.write_bytes(bytes(data))
    filled.queue.close()
    told = [*filled.open(), *filled.queue.repair()]
    assert told
    numbers = filled.numbers()
    assert set(numbers) <= set(range(100))
    assert list(filled.home.glob("quarantine-*/store"))
    intact(filled, numbers)


def test_others_go_on_meanwhile(filled: Any) -> None:
    with plyvel.DB(str(filled.store)) as db:
        db.put(record(50), flipped(db.get(record(50))))
    filled.open()
    stop = threading.Event()
    failures: list[BaseException] = []

    def write() -> None:
        try:
            while not stop.is_set():
                filled.append(3, 50)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        (damage,) = filled.queue.repair()
    finally:
        stop.set()
        writer.join()
    assert not failures
    assert (damage.first, damage.last) == (41, 50)
    intact(filled, [number for number in range(filled.accepted) if not 40 <= number < 50])


def test_what_is_deleted_is_not_lost(filled: Any) -> None:
    with plyvel.DB(str(filled.store)) as db:
        db.put(record(20), flipped(db.get(record(20))))
    filled.open()
    filled.queue.delete_upto(30)
    assert list(filled.queue.repair()) == []
    intact(filled, list(range(30, 100)))
