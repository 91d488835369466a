"""Bodies within bounds: every way to send too much, too slowly, or something else than was said."""

from __future__ import annotations

import functools
import gzip
import os
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Iterable

import pytest
import trio
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_kit.bodies import BodyLimits, BodyRefused, Memory, bounded_body

LIMITS = BodyLimits(wire=5_000_000, inflated=32 * 2**20, seconds=30)
PACK = {"gzip": gzip.compress, "zstd": zstd.compress, "identity": bytes}


async def pieces_of(pieces: Iterable[bytes], pause: float = 0.0) -> AsyncIterator[bytes]:
    for piece in pieces:
        await trio.sleep(pause)
        yield piece


async def read(
    body: bytes, coding: str, limits: BodyLimits = LIMITS, piece: int = 65_536, announced: int | None = None
) -> bytes:
    cut = [body[start : start + piece] for start in range(0, len(body), piece)]
    with Memory(2**30).share() as share:
        return await bounded_body(
            pieces_of(cut), coding=coding, limits=limits, share=share, announced=announced
        )


async def refused(*given: object, **more: object) -> BodyRefused:
    with pytest.raises(BodyRefused) as caught:
        await read(*given, **more)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("coding", PACK)
@pytest.mark.parametrize("piece", [1, 7, 65_536])
async def test_what_was_packed_is_unpacked(coding, piece):
    body = b'{"events": []}' * 40 + os.urandom(100)
    assert await read(PACK[coding](body), coding, piece=piece) == body


async def test_names_of_codings_have_no_case_and_gzip_has_an_old_name():
    assert await read(gzip.compress(b"x"), " GZip ") == b"x"
    assert await read(gzip.compress(b"x"), "x-gzip") == b"x"
    assert await read(b"x", "") == b"x"


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest.mark.parametrize("piece", [5, 65_536])
async def test_several_members_are_one_body(coding, piece):
    assert await read(PACK[coding](b"one ") + PACK[coding](b"two"), coding, piece=piece) == b"one two"


@pytest.mark.parametrize("coding", ["br", "deflate", "gzip, gzip", "gzip,zstd", "snappy", "g" * 10_000])
async def test_an_unknown_packing_is_refused(coding):
    error = await refused(b"x", coding)
    assert (error.trouble, error.status) == ("unknown_coding", 415)
    assert len(error.problem) < 200


@functools.cache
def gzip_bomb() -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(200)) + packer.flush()


@functools.cache
def zstd_bomb() -> bytes:
    packer = zstd.ZstdCompressor(level=3)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(200)) + packer.flush()


@pytest.mark.parametrize(("coding", "bomb"), [("gzip", gzip_bomb), ("zstd", zstd_bomb)])
@pytest.mark.parametrize("piece", [1_000, 5_000_000])
async def test_a_bomb_is_never_held(coding, bomb, piece):
    packed = bomb()
    assert len(packed) < 5_000_000
    tracemalloc.start()
    try:
        error = await refused(packed, coding, piece=piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (error.trouble, error.status) == ("too_large", 413)
    assert peak < 3 * LIMITS.inflated, peak


async def test_a_ratio_that_is_not_honest_is_refused_long_before_the_bound():
    many = BodyLimits(wire=5_000_000, inflated=2**30, ratio=100, seconds=30)
    error = await refused(gzip.compress(bytes(20 * 2**20)), "gzip", many)
    assert "100 times" in error.problem


async def test_a_window_beyond_the_rfc_is_refused():
    options = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.content_size_flag: 0}
    packer = zstd.ZstdCompressor(options=options)
    packed = packer.compress(os.urandom(1_000)) + packer.flush()
    assert (await refused(packed, "zstd")).trouble == "damaged"


async def test_bytes_as_sent_are_bounded():
    small = BodyLimits(wire=1_000, inflated=10_000, seconds=30)
    assert await read(b"x" * 1_000, "", small) == b"x" * 1_000
    assert (await refused(b"x" * 1_001, "", small)).status == 413
    assert (await refused(b"", "", small, announced=1_001)).status == 413


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
@pytest.mark.parametrize("kept", [0, 1, 11, -1])
async def test_what_is_cut_off_is_damaged(coding, kept):
    packed = PACK[coding](b"something to say" * 50)
    error = await refused(packed[:kept], coding)
    assert (error.trouble, error.status) == ("damaged", 400)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
async def test_what_is_no_packing_is_damaged(coding):
    assert (await refused(b'{"events": []}', coding)).trouble == "damaged"
    assert (await refused(PACK[coding](b"x") + b"garbage", coding)).trouble == "damaged"


async def test_a_slow_sender_has_so_much_time(autojump_clock):
    with Memory(2**20).share() as share, pytest.raises(BodyRefused) as caught:
        await bounded_body(pieces_of([b"x"] * 1_000, pause=1), coding="", limits=LIMITS, share=share)
    assert (caught.value.trouble, caught.value.status) == ("too_slow", 408)
    assert trio.current_time() == pytest.approx(30, abs=1.1)


async def test_all_bodies_together_are_bounded_and_give_their_room_back():
    memory = Memory(1_000)
    with memory.share() as first, memory.share() as second:
        first.grow(600)
        second.grow(400)
        with pytest.raises(BodyRefused) as caught:
            second.grow(401)
        assert (caught.value.trouble, caught.value.status) == ("no_memory", 503)
    assert memory.held == 0
    with memory.share() as alone:
        alone.grow(5_000)  # one that is larger than everything passes alone, or it never would


@settings(max_examples=60)
@given(st.sampled_from(["gzip", "zstd"]), st.binary(max_size=300), st.integers(1, 50))
async def test_no_bytes_raise_anything_else(coding, body, piece):
    try:
        await read(body, coding, piece=piece)
    except BodyRefused as error:
        assert error.trouble == "damaged"
