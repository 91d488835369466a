"""Compressed files: read once, not again when they were read as plain files, from where those were read to."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
from collections import Counter
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from support.tails import Tail, append, lines

from yaat_kit.following.pacing import Pace
from yaat_kit.following.packing import Unpacked, codec_named
from yaat_kit.following.reader import Reader
from yaat_kit.multiline import SingleLines


def zstd(data: bytes) -> bytes:
    return pa.Codec("zstd").compress(data, asbytes=True)


PACK = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": partial(lzma.compress, preset=0), ".zst": zstd}


@pytest.fixture
def tail(tmp_path):
    made = Tail(tmp_path, selection={"archives": True})
    yield made
    made.follower.close()


def text(some: list[str]) -> bytes:
    return "".join(line + "\n" for line in some).encode()


def pack(path: Path, suffix: str = ".gz") -> Path:
    """As gzip and its like do: the packed file appears beside the plain one, which then goes."""
    packed = path.with_name(path.name + suffix)
    packed.write_bytes(PACK[suffix](path.read_bytes()))
    shutil.copystat(path, packed)
    path.unlink()
    return packed


def aged(path: Path) -> Path:
    """Written an hour ago."""
    before = path.stat().st_mtime - 3600
    os.utime(path, (before, before))
    return path


@pytest.mark.parametrize("suffix", PACK)
def test_a_backlog_is_read_once(tail, tmp_path, suffix):
    (tmp_path / f"app.log.1{suffix}").write_bytes(PACK[suffix](text(lines("a", 5)) + b"no newline"))
    append(tmp_path / "app.log", *lines("b", 3))
    expected = Counter([*lines("a", 5), "no newline", *lines("b", 3)])
    assert Counter(tail.go(5)) == expected
    tail.restart()
    assert Counter(tail.go(5)) == expected
    (tmp_path / f"app.log.1{suffix}").rename(tmp_path / f"app.log.2{suffix}")
    assert Counter(tail.go(5)) == expected
    tail.restart()
    assert Counter(tail.go(5)) == expected
    assert tail.count("damaged_archives_total") == 0


@pytest.mark.parametrize("suffix", PACK)
@pytest.mark.parametrize("running", [True, False])
def test_what_was_read_and_is_packed_then_is_not_read_again(tail, tmp_path, suffix, running):
    path = tmp_path / "app.log"
    append(path, *lines("a", 100))
    tail.go(2)
    if not running:
        tail.follower.close()
    path.rename(tmp_path / "app.log.1")
    append(path, *lines("b", 100))
    packed = pack(tmp_path / "app.log.1", suffix)
    if not running:
        tail.start()
    tail.go(30)
    packed.rename(tmp_path / f"app.log.2{suffix}")
    tail.go(10)
    tail.restart()
    tail.go(10)
    assert Counter(tail.seen) == Counter([*lines("a", 100), *lines("b", 100)])


def test_the_rest_is_read_from_the_packed_file(tail, tmp_path):
    path = tmp_path / "app.log"
    append(path, *lines("a", 50_000))
    tail.go(2)
    tail.follower.close()
    append(path, *lines("a", 50_000, 50_000))
    path.rename(tmp_path / "app.log.1")
    pack(tmp_path / "app.log.1")
    tail.start()
    assert tail.go(10) == lines("a", 100_000)
    assert tail.count("unread_bytes_total") == 0


def test_packed_while_the_plain_file_is_still_being_read(tail, tmp_path):
    """The descriptor is kept: the packed file waits, and is known to be read at the end."""
    path = tmp_path / "app.log"
    append(path, *lines("a" * 200, 100_000))
    tail.now += 0.5
    tail.follower.scan(tail.now)
    tail.turn()
    assert len(tail.seen) < 100_000
    path.rename(tmp_path / "app.log.1")
    aged(pack(tmp_path / "app.log.1"))
    tail.go(30)
    assert tail.seen == lines("a" * 200, 100_000)


@pytest.mark.parametrize("header", [["=" * 1500], []], ids=["same beginning", "no header"])
def test_many_rotations_while_it_is_dead(tail, tmp_path, header):
    path = tmp_path / "app.log"
    append(path, *header, *lines("first", 30))
    tail.go(2)
    append(path, "rest of first")
    tail.follower.close()
    written = [*header, *lines("first", 30), "rest of first"]
    for round_ in range(10):
        for number in range(round_ + 1, 0, -1):
            for suffix in ("", ".gz"):
                source = tmp_path / f"app.log.{number}{suffix}"
                if source.exists():
                    source.rename(tmp_path / f"app.log.{number + 1}{suffix}")
        path.rename(tmp_path / "app.log.1")
        if (tmp_path / "app.log.2").exists():
            pack(tmp_path / "app.log.2")
        append(path, *header, *lines(f"r{round_}", 30))
        written += [*header, *lines(f"r{round_}", 30)]
    tail.start()
    tail.go(10)
    tail.restart()
    tail.go(10)
    assert Counter(tail.seen) == Counter(written)


def test_copytruncate_with_compression(tail, tmp_path):
    path = tmp_path / "app.log"
    append(path, *lines("a", 50))
    tail.go(2)
    append(path, *lines("a", 10, 50))
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(path.read_bytes()))
    os.truncate(path, 0)
    append(path, *lines("b", 5))
    tail.go(30)
    assert Counter(tail.seen) == Counter([*lines("a", 60), *lines("b", 5)])


def test_one_that_is_being_written_waits(tail, tmp_path):
    whole = gzip.compress(text(lines("a", 2000)))
    packed = tmp_path / "app.log.1.gz"
    for share in (1, 2, 3):
        packed.write_bytes(whole[: len(whole) * share // 4])
        tail.go(1)
    assert tail.go(10) == [], "it ends too early, and is new"
    packed.write_bytes(whole)
    assert tail.go(10) == lines("a", 2000)
    assert tail.count("damaged_archives_total") == 0


def test_members_one_after_the_other(tail, tmp_path):
    for suffix, compress in PACK.items():
        (tmp_path / f"{suffix[1:]}.log{suffix}").write_bytes(
            compress(text(lines(suffix, 3))) + compress(text(lines(suffix, 3, 3)))
        )
    tail.go(10)
    assert Counter(tail.seen) == Counter(line for suffix in PACK for line in lines(suffix, 6))


def test_a_member_that_is_added_later(tail, tmp_path):
    packed = aged_write(tmp_path / "app.log.gz", gzip.compress(text(lines("a", 3))))
    assert tail.go(5) == lines("a", 3)
    with packed.open("ab") as writer:
        writer.write(gzip.compress(text(lines("a", 3, 3))))
    assert tail.go(5) == lines("a", 6)
    tail.restart()
    assert tail.go(5) == lines("a", 6)


def aged_write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return aged(path)


@pytest.mark.parametrize("suffix", PACK)
def test_a_truncated_one_is_told_and_read_as_far_as_it_goes(tail, tmp_path, suffix, caplog):
    data = text([f"{number} {os.urandom(50).hex()}" for number in range(20_000)])
    whole = PACK[suffix](data)
    aged_write(tmp_path / f"app.log.1{suffix}", whole[: len(whole) // 2])
    tail.go(10)
    tail.restart()
    tail.go(10)
    expected = data.decode().split("\n")
    # The last line may be cut.
    assert tail.seen[:-1] == expected[: len(tail.seen) - 1]
    assert len(tail.seen) > 5000 or suffix == ".bz2"
    assert tail.count("damaged_archives_total") == 1
    assert "is damaged" in caplog.text


@pytest.mark.parametrize("suffix", PACK)
def test_what_is_no_archive_is_told(tail, tmp_path, suffix, caplog):
    aged_write(tmp_path / f"app.log{suffix}", b"plain text\n" * 100)
    append(tmp_path / "b.log", "b")
    assert tail.go(10) == ["b"]
    assert "is no " in caplog.text
    assert tail.count("damaged_archives_total") == 1


def test_a_flipped_byte_is_told(tail, tmp_path, caplog):
    data = bytearray(gzip.compress(text([os.urandom(50).hex() for _ in range(5000)])))
    data[len(data) // 2] ^= 0x40
    aged_write(tmp_path / "app.log.gz", bytes(data))
    tail.go(10)
    assert tail.count("damaged_archives_total") == 1
    assert tail.go(10)[:-1]


def test_killed_in_the_middle_it_goes_on_there(tail, tmp_path):
    every = lines("a" * 100, 100_000)
    aged_write(tmp_path / "app.log.1.gz", gzip.compress(text(every), 1))
    tail.go_once()
    for _ in range(200):
        if not tail.turn():
            tail.now += 0.1
        if tail.seen:
            break
    assert 0 < len(tail.seen) < len(every)
    tail.restart()
    tail.go(5)
    assert tail.seen == every


def test_a_bomb_is_read_in_bounded_memory(tmp_path):
    """A gigabyte of zeros without a newline, in a megabyte: cut, counted, and never in memory as a whole."""
    tail = Tail(
        tmp_path, selection={"archives": True}, reader=Reader(joiner=SingleLines(), max_line_bytes=1000)
    )
    with gzip.open(tmp_path / "bomb.log.gz", "wb", compresslevel=1) as writer:
        writer.write(b"x")
        for _ in range(100):
            writer.write(b"y" * (1 << 20))
        writer.write(b"\nnext\n")
    aged(tmp_path / "bomb.log.gz")
    tail.go_once()
    largest = 0
    for _ in range(2000):
        tail.now += 0.1
        tail.turn()
        for generation in tail.follower._roster.generations.values():
            if generation.unpacked is not None:
                largest = max(largest, len(generation.unpacked._kept))
        if len(tail.seen) == 2:
            break
    assert tail.seen == ["x" + "y" * 999, "next"]
    assert largest < 8 << 20
    tail.follower.close()


def test_once_reads_a_backlog_and_ends(tmp_path):
    for number in range(1, 4):
        aged_write(tmp_path / f"app.log.{number}.gz", gzip.compress(text(lines(f"r{number}", 20))))
    append(tmp_path / "app.log", *lines("now", 20))
    aged_write(tmp_path / "app.log.9.gz", gzip.compress(text(lines("now", 20))))
    tail = Tail(tmp_path, once=True, selection={"archives": True})
    tail.follower.scan(tail.now)
    tail.read()
    assert Counter(tail.seen) == Counter(
        [*lines("now", 20), *(line for n in range(1, 4) for line in lines(f"r{n}", 20))]
    )


def test_once_goes_on_in_one_that_was_begun(tail, tmp_path):
    every = lines("a" * 100, 100_000)
    aged_write(tmp_path / "app.log.1.gz", gzip.compress(text(every), 1))
    tail.go_once()
    while not tail.seen:
        tail.turn()
    assert len(tail.seen) < len(every)
    tail.follower.close()
    tail.once = True
    tail.start()
    tail.follower.scan(tail.now)
    tail.read()
    assert tail.seen == every


def test_start_at_end_leaves_the_backlog_alone(tmp_path):
    aged_write(tmp_path / "app.log.1.gz", gzip.compress(text(lines("old", 3))))
    tail = Tail(tmp_path, selection={"archives": True, "start_at_end": True})
    assert tail.go(5) == []
    tail.restart()
    assert tail.go(5) == []
    aged_write(tmp_path / "app.log.2.gz", gzip.compress(text(lines("new", 3))))
    assert tail.go(5) == lines("new", 3), "one that appears later is read"
    tail.follower.close()


def test_closed_compressed_and_gone_before_it_was_read(tmp_path):
    """With one descriptor for all files: the rest is in the compressed file, and nothing counts as lost."""
    tail = Tail(tmp_path, pace=Pace(max_open_files=1), selection={"archives": True})
    for name in "abc":
        append(tmp_path / f"{name}.log", *lines(name, 5))
    tail.go(2)
    for name in "abc":
        append(tmp_path / f"{name}.log", *lines(name, 5, 5))
        pack(tmp_path / f"{name}.log")
    append(tmp_path / "d.log", "begun and not read")
    tail.follower.scan(tail.now)
    pack(tmp_path / "d.log")
    tail.go(20)
    tail.now += 8000
    tail.go(2)
    expected = ["begun and not read", *(line for name in "abc" for line in lines(name, 10))]
    assert Counter(tail.seen) == Counter(expected)
    assert tail.count("unread_bytes_total") == 0
    tail.follower.close()


def test_reading_at_a_place(tmp_path):
    data = os.urandom(1_000_000)
    (tmp_path / "x.gz").write_bytes(gzip.compress(data))
    descriptor = os.open(tmp_path / "x.gz", os.O_RDONLY)
    unpacked = Unpacked(descriptor, codec_named("gzip"))
    for count, at in [(10, 0), (1000, 300_000), (1000, 299_900), (5, 3), (10, 999_995), (10, 2_000_000)]:
        assert unpacked.pread(count, at) == data[at : at + count]
    assert unpacked.length == len(data)
    assert unpacked.ended
    assert unpacked.damage is None
    os.close(descriptor)
