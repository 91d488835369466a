"""The export format: what is encoded comes back, however it is cut; garbage is refused and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.journals import field

from yaat_plugin_journald.entries import Collector, Entries
from yaat_plugin_journald.export import Decoder, Garbled

names = st.from_regex(r"[A-Z][A-Z0-9_]{0,20}", fullmatch=True)
values = st.one_of(
    st.binary(max_size=300), st.text(max_size=50).map(str.encode), st.just(b"\n\n"), st.just(b"")
)
entries = st.lists(st.lists(st.tuples(names, values), max_size=6), max_size=6)


def encoded(made: Sequence[Sequence[tuple[str, bytes]]]) -> bytes:
    out = b""
    for number, fields in enumerate(made):
        out += b"__CURSOR=c%d\n__REALTIME_TIMESTAMP=1\n" % number
        out += b"".join(field(name, value) for name, value in fields) + b"\n"
    return out


def by_entry(found: Entries) -> list[dict[str, list[bytes]]]:
    rows: list[dict[str, list[bytes]]] = [{} for _ in range(len(found))]
    for name, column in found.fields.items():
        for row, value in zip(column.rows, column.values, strict=True):
            rows[row].setdefault(name, []).append(value)
    return rows


def grouped(fields: Sequence[tuple[str, bytes]]) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    return found


@given(entries, st.lists(st.integers(0, 2000), max_size=8))
@settings(max_examples=100)
def test_everything_comes_back_however_it_is_cut(
    made: list[list[tuple[str, bytes]]], cuts: list[int]
) -> None:
    data = encoded(made)
    collector = Collector(None, 2**20)
    decoder = Decoder(collector)
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    for start, end in pairwise(places):
        decoder.feed(data[start:end])
        assert not decoder.entries(1000, 2**30)
    found = collector.take()
    assert list(found.cursors) == [b"c%d" % number for number in range(len(made))]
    assert by_entry(found) == [grouped(fields) for fields in made]
    assert decoder.waiting == 0


@given(st.binary(max_size=500))
@settings(max_examples=100)
def test_garbage_is_refused_or_waited_on(data: bytes) -> None:
    collector = Collector(None, 100)
    decoder = Decoder(collector)
    decoder.feed(b"__CURSOR=c\nA=1\n\n" + data)
    with suppress(Garbled):
        decoder.entries(1000, 2**20)
    assert collector.take().cursors[0] == b"c"


@pytest.mark.parametrize(
    "data",
    [
        b"A=1\n\n",
        b"__CURSOR=c\nX\n" + (2**62).to_bytes(8, "little"),
        b"__CURSOR=c\nX\n" + (2).to_bytes(8, "little") + b"abc\n\n",
        b"__CURSOR=c\n" + b"N" * 2000 + b"\n",
    ],
    ids=["no cursor", "too long", "wrong length", "endless name"],
)
def test_what_is_not_the_format_is_refused(data: bytes) -> None:
    decoder = Decoder(Collector(None, 100))
    decoder.feed(data)
    with pytest.raises(Garbled):
        decoder.entries(10, 1000)


def test_the_entry_of_the_cursor_itself_is_passed_over_once() -> None:
    collector = Collector(None, 100)
    decoder = Decoder(collector, b"c0")
    decoder.feed(encoded([[("A", b"1")], [("A", b"2")]]))
    decoder.entries(10, 1000)
    assert list(collector.take().cursors) == [b"c1"]


def test_batches_are_bounded_by_rows_and_bytes() -> None:
    collector = Collector(None, 2**20)
    decoder = Decoder(collector)
    decoder.feed(encoded([[("A", b"x" * 100)]] * 10))
    assert decoder.entries(4, 2**20)
    assert len(collector.take()) == 4
    assert decoder.entries(100, 250)
    assert len(collector.take()) == 2
    assert not decoder.entries(100, 2**20)
    assert len(collector.take()) == 4


def test_only_wanted_fields_are_kept_and_long_ones_cut() -> None:
    collector = Collector(frozenset([b"A"]), 5)
    decoder = Decoder(collector)
    decoder.feed(encoded([[("A", b"123456"), ("B", b"2")], [("A", b"1")], [("A", b"123456")]]))
    decoder.entries(10, 1000)
    found = collector.take()
    assert by_entry(found) == [{"A": [b"12345"]}, {"A": [b"1"]}, {"A": [b"12345"]}]
    assert list(found.cut) == [0, 2]
