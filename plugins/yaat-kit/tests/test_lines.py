"""Lines: any division of the same bytes gives the same lines, with the right offsets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yaat_kit.lines import LineCutter, Skipping, encoding_of


def cut_all(data: bytes, sizes: list[int], *, name: str = "utf-8", limit: int = 1000):
    """Read ``data`` in windows of the given sizes (the last one repeats), as a reader of a growing file does."""
    encoding = encoding_of(name, data[:4])
    cutter, skipping, offset, rows, known = LineCutter(limit), Skipping.ZEROS, 0, [], 0
    for size in [*sizes, len(data)]:
        known = min(len(data), known + size)
        cut = cutter.cut(data[offset:known], offset, encoding, skipping=skipping)
        rows += zip(cut.lines.text.to_pylist(), cut.lines.starts.tolist(), cut.lines.cut > 0, strict=True)
        offset, skipping = cut.end, cut.skipping
    cut = cutter.cut(data[offset:], offset, encoding, skipping=skipping, final=True)
    rows += zip(cut.lines.text.to_pylist(), cut.lines.starts.tolist(), cut.lines.cut > 0, strict=True)
    assert cut.end == len(data)
    return [(text, start, bool(long)) for text, start, long in rows]


def expected(data: bytes, limit: int):
    """The plain definition, one line at a time."""
    rows, start = [], len(data) - len(data.lstrip(b"\0"))
    body = data[start:]
    if start == 0 and body.startswith(b"\xef\xbb\xbf"):
        start, body = 3, body[3:]
    for line in body.split(b"\n"):
        kept = line[:limit]
        while len(line) > limit and kept and (line[len(kept)] & 0xC0) == 0x80 and len(kept) > limit - 3:
            kept = kept[:-1]
        long = len(line) > limit
        rows.append((kept.removesuffix(b"\r").decode("utf-8", "replace"), start, long))
        start += len(line) + 1
    if not body.split(b"\n")[-1]:
        rows.pop()
    return rows


pieces = st.lists(
    st.sampled_from(
        [b"a", b"\n", b"\r\n", b"\0", "é".encode(), "€".encode(), b"\xff", b"word " * 3, b"\xe2\x82"]
    ),
    max_size=60,
)


@given(pieces.map(b"".join), st.lists(st.integers(1, 30), max_size=12))
def test_any_division_gives_the_same_lines(data, sizes):
    assert cut_all(data, sizes) == expected(data, 1000)


ascii_pieces = st.lists(st.sampled_from([b"a", b"b", b"\n", b"0123456789"]), max_size=40)


@given(ascii_pieces.map(b"".join), st.lists(st.integers(1, 30), max_size=12), st.integers(1, 12))
def test_any_division_cuts_the_same_long_lines(data, sizes, limit):
    assert cut_all(data, sizes, limit=limit) == expected(data, limit)


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=60),
    st.lists(st.integers(1, 9), max_size=9),
)
@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf16_is_cut_at_its_own_newlines(codec, text, sizes):
    text = text.lstrip("\0")
    data = ("\ufeff" + text).encode(codec)
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    rows = cut_all(data, sizes, name="utf-16")
    assert [row[0] for row in rows] == lines
    assert all(start % 2 == 0 for _, start, _ in rows)


def test_latin1_every_byte_is_a_character():
    assert cut_all(b"caf\xe9\r\n\xa3 5\n", [3], name="latin-1") == [("café", 0, False), ("£ 5", 6, False)]


def test_a_character_is_not_divided_by_a_cut():
    [(text, start, long)] = cut_all("aé€".encode() + b"xxxx\n", [], limit=4)
    assert (text, start, long) == ("aé", 0, True)


def test_bytes_of_a_long_line_are_counted():
    encoding = encoding_of("utf-8", b"")
    cutter = LineCutter(10)
    first = cutter.cut(b"x" * 25, 0, encoding, skipping=Skipping.NOTHING)
    assert first.lines.text.to_pylist() == ["x" * 10]
    assert first.lines.cut.tolist() == [15]
    second = cutter.cut(b"yy\nz\n", first.end, encoding, skipping=first.skipping)
    assert second.dropped == 3
    assert second.lines.text.to_pylist() == ["z"]


def test_a_hole_at_the_beginning_is_passed_over():
    cut = LineCutter(10).cut(b"\0" * 7 + b"ok\n", 0, encoding_of("utf-8", b""), skipping=Skipping.ZEROS)
    assert (cut.lines.text.to_pylist(), cut.lines.starts.tolist(), cut.zeros) == (["ok"], [7], 7)


def test_an_unknown_encoding_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="utf-8, latin-1, utf-16"):
        encoding_of("ebcdic", b"")
