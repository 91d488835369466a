"""A file that lost its end is told from one that DuckDB itself made shorter."""

from __future__ import annotations

import os
from typing import Any

import attrs
import duckdb
import pytest

from yaat_core.components import QueryRequest
from yaat_core.errors import QueryFailed
from yaat_plugin_duckdb import plugin
from yaat_plugin_duckdb.diagnosis import Extent, extent
from yaat_plugin_duckdb.engine import connect, limits_of
from yaat_plugin_duckdb.extent import shortened

BLOCK = 262_144


def told(bench: Any, number: int = 0) -> str:
    """What is said of a file, looked at as a start does."""
    root = connect(bench.places, limits_of(bench.config))
    try:
        return shortened(root, bench.places.present()[number])
    finally:
        root.close()


def shorter_than_its_header(bench: Any) -> int:
    """Deliver until a CHECKPOINT has cut free blocks off the newest file; returns the last sequence.

    Large checkpoints of a source come and go, and each time their blocks become free.
    """
    last = bench.writer.position().sequence
    for turn in range(40):
        value = os.urandom(20 * BLOCK) if turn % 2 == 0 else None
        bench.deliver(last + 1, 10, {"sources.app": {b"large": value}})
        last += 10
        bench.tidy()
        found = extent(bench.files()[-1])
        if not found.is_whole(found.blocks):
            return int(last)
    raise AssertionError("DuckDB never made the file shorter than its header says")


def test_a_header_that_says_more_than_there_is_is_no_damage(bench: Any) -> None:
    """As a kill leaves it: nothing is set aside, every row is there, and it goes on."""
    writer = bench.open(checkpoint_interval=3600.0)
    last = shorter_than_its_header(bench)
    assert writer.settled == last, "the queue does not have them any more"
    writer.holder.close()
    bench.writer = None
    assert told(bench) == ""
    answer = plugin.query(
        sink=bench.config,
        context=bench.context,
        request=QueryRequest(sql="SELECT count(*) AS n FROM events"),
    )
    assert [row for piece in answer for row in piece.to_pylist()] == [{"n": last}]
    answer.close()
    writer = bench.open()
    assert writer.problems() == ()
    assert bench.places.damaged() == []
    assert writer.position().sequence == last
    bench.deliver(last + 1, 10)
    assert bench.sequences() == list(range(1, last + 11))


def test_a_finished_file_that_is_shorter_than_its_header_stays(bench: Any) -> None:
    """Nothing writes to it any more, so that its header stays as it is."""
    day_us = 24 * 3600 * 1_000_000
    writer = bench.open(retention=24 * 3600.0, checkpoint_interval=3600.0)
    last = shorter_than_its_header(bench)
    writer.holder.store._began_us -= day_us
    bench.deliver(last + 1, 10)
    assert len(bench.files()) == 2
    bench.close()
    first = extent(bench.files()[0])
    assert not first.is_whole(first.blocks)
    bench.open(retention=None)
    assert bench.writer.problems() == ()
    assert bench.count() == last + 10


def test_such_a_file_that_lost_its_end_as_well(bench: Any) -> None:
    writer = bench.open(checkpoint_interval=3600.0)
    shorter_than_its_header(bench)
    writer.holder.close()
    bench.writer = None
    (file,) = bench.files()
    whole = file.read_bytes()
    for cut in range(2 * BLOCK, len(whole) - 3 * 4096, max(BLOCK, len(whole) // 6)):
        assert said(bench, file, whole[:-cut]), f"{cut} of {len(whole)} bytes are missing"


def said(bench: Any, file: Any, content: bytes) -> bool:
    """Is it noticed, by us or by DuckDB, that the file has only this?"""
    file.write_bytes(content)
    try:
        return bool(told(bench))
    except duckdb.Error:
        return True


def test_a_file_that_lost_its_end_is_noticed_though_duckdb_would_open_it(bench: Any) -> None:
    last = bench.fill(2)
    bench.close()
    file = bench.files()[0]
    assert told(bench) == ""
    whole = file.read_bytes()
    for cut in (1, 4096, BLOCK):
        file.write_bytes(whole[:-cut])
        assert "missing at its end" in told(bench)
    with pytest.raises(QueryFailed, match="file is damaged"):
        plugin.query(sink=bench.config, context=bench.context, request=QueryRequest(sql="SELECT 1"))
    file.write_bytes(whole)
    bench.open()
    assert bench.count() == last


def test_an_extent() -> None:
    one = Extent(blocks=3, block_bytes=BLOCK, bytes=3 * 4096 + 2 * BLOCK)
    assert [one.is_whole(blocks) for blocks in (0, 2, 3)] == [True, True, False]
    assert not attrs.evolve(one, bytes=one.bytes - 1).is_whole(2)
