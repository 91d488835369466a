"""Records and small values as bytes: what comes back is what was written, or it is refused."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yaat_core.components import Record, StoredCheckpoint
from yaat_core.cursor import Cursor
from yaat_core.event import EventBatch
from yaat_plugin_leveldb import keys, records

sequences = st.integers(1, 2**63)
checkpoints = st.dictionaries(
    st.text(max_size=5), st.dictionaries(st.binary(max_size=4), st.none() | st.binary(max_size=4), max_size=3)
)


def encoded(rows: int = 3, first: int = 1, written: Any = None) -> tuple[int, bytes]:
    (piece,) = records.split(EventBatch.build(rows, {"message": "hello"}))
    data = records.encode(piece, first=first, time_us=7, bytes_before=11, checkpoints=written or {})
    return first + rows - 1, data


@given(st.integers(1, 300), sequences, checkpoints)
def test_records_round_trip(rows: int, first: int, written: dict[str, dict[bytes, bytes | None]]) -> None:
    last, data = encoded(rows, first, written)
    record = records.decode(last, data)
    assert (record.first, record.last, record.time_us, record.bytes) == (first, last, 7, len(data))
    assert record.checkpoints == written
    assert record.batch.column("message").to_pylist() == ["hello"] * rows
    header = records.check(last, data)
    assert (header.count, header.bytes_before) == (rows, 11)


@given(st.data(), st.integers(1, 255))
def test_any_changed_byte_is_noticed(data: st.DataObject, change: int) -> None:
    last, good = encoded()
    place = data.draw(st.integers(0, len(good) - 1))
    bad = good[:place] + bytes([good[place] ^ change]) + good[place + 1 :]
    with pytest.raises(records.BadRecord):
        records.decode(last, bad)
    with pytest.raises(records.BadRecord):
        records.check(last, good[:place])
    with pytest.raises(records.BadRecord):
        records.check(last + 1, good)


@given(st.binary(max_size=200), sequences)
def test_garbage_is_no_record(data: bytes, last: int) -> None:
    with pytest.raises(records.BadRecord):
        records.decode(last, data)


@given(st.binary(min_size=1, max_size=9), st.integers(), st.data())
def test_small_values_know_their_key(key: bytes, number: int, data: st.DataObject) -> None:
    number %= 2**63
    sealed = keys.seal(key, number)
    assert keys.unseal(key, sealed, int) == number
    place = data.draw(st.integers(0, len(sealed) - 1))
    changed = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
    for wrong_key, wrong in ((key, changed), (key + b"x", sealed), (key, sealed[:place])):
        with pytest.raises(keys.Unsealed):
            keys.unseal(wrong_key, wrong, int)
    with pytest.raises(keys.Unsealed):
        keys.unseal(key, sealed, str)


@given(st.lists(sequences, min_size=2))
def test_keys_sort_by_sequence(numbers: list[int]) -> None:
    assert [keys.last_of(key) for key in sorted(map(keys.record_key, numbers))] == sorted(numbers)


def test_a_cut_record_keeps_its_end() -> None:
    last, data = encoded(5, 10, {"sources.a": {b"k": b"v"}})
    whole = records.decode(last, data)
    cut = records.cut(whole, 12)
    assert isinstance(cut, Record)
    assert (cut.first, cut.last, len(cut.batch), cut.checkpoints) == (13, 14, 2, whole.checkpoints)
    assert records.cut(whole, 9) is whole


@pytest.mark.parametrize("version", [1])
def test_stores_of_released_formats_open(make_rig: Callable[..., Any], tmp_path: Path, version: int) -> None:
    """Written by the version that made the format; see `Rig` for what is in it."""
    with tarfile.open(Path(__file__).parent / "released" / f"format-{version}.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    rig = make_rig(tmp_path)
    rig.accepted = 35
    assert list(rig.open()) == []
    assert rig.numbers() == list(range(10, 35))
    state = rig.queue.state()
    assert (state.tail, state.deleted_upto, state.read) == (35, 10, 40)
    assert state.dropped == {("scrub", "test", ""): 5}
    assert state.cursors == {"sinks.a": Cursor.attach(0, 1).settle(1, 12, "delivered")}
    assert rig.queue.checkpoints("sources.app") == {b"next": StoredCheckpoint(b"35", 35)}
    assert list(rig.queue.verify()) == []
