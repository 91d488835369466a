"""Lines: any division of the same bytes gives the same lines, with the right offsets."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yaat_kit.encodings import check_encoding, encoding_of
from yaat_kit.lines import LineCutter, Skipping


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


def expected(data: bytes, limit: int, *, name: str = "utf-8"):
    """The plain definition, one line at a time."""
    encoding = encoding_of(name, data[:4])
    unit, newline = encoding.unit, encoding.encode("\n")
    zeros = len(data) - len(data.lstrip(b"\0"))
    at = zeros - zeros % unit
    if at == 0 and encoding.bom and data.startswith(encoding.bom):
        at = len(encoding.bom)
    rows = []
    while at < len(data):
        end = at
        while end < len(data) and data[end : end + unit] != newline:
            end = min(end + unit, len(data))
        line = data[at:end]
        long = len(line) > limit
        text = decoded(line[: limit - limit % unit] if long else line, encoding.codec, unit, whole=not long)
        rows.append((text.removesuffix("\r"), at, long))
        at = end + unit
    return rows


def decoded(data: bytes, codec: str, unit: int, *, whole: bool) -> str:
    """As a line's text; not ``whole``: without the character at its end that was divided."""
    if whole:
        odd = len(data) % unit
        data = data[: len(data) - odd] + "\ufffd".encode(codec) if odd else data
        return (data + "\n".encode(codec)).decode(codec, "replace").removesuffix("\n")
    return codecs.getincrementaldecoder(codec)("replace").decode(data, final=False)


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


@given(pieces.map(b"".join), st.lists(st.integers(1, 30), max_size=12), st.integers(1, 12))
def test_a_cut_divides_no_character(data, sizes, limit):
    assert cut_all(data, sizes, limit=limit) == expected(data, limit)


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.lists(st.integers(1, 9), max_size=9),
    st.integers(2, 40),
    st.booleans(),
)
@pytest.mark.parametrize("name", ["utf-16", "utf-16le", "utf-16be", "utf-32"])
@settings(max_examples=40)
def test_wide_characters_are_cut_at_their_own_newlines(name, text, sizes, limit, odd):
    encoding = encoding_of(name, b"")
    data = encoding.bom + encoding.encode(text) + b"x" * odd
    rows = cut_all(data, sizes, name=name, limit=limit)
    assert rows == expected(data, limit, name=name)
    assert all(start % encoding.unit == 0 for _, start, _ in rows)
    whole = cut_all(encoding.bom + encoding.encode(text), sizes, name=name)
    lines = text.lstrip("\0").split("\n")
    assert [row[0] for row in whole] == [line.removesuffix("\r") for line in lines[: len(whole)]]
    assert lines[len(whole) :] in ([], [""])


def test_a_utf16_bom_decides_without_an_option():
    for codec, bom in (("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE)):
        data = bom + "größe\r\nπ 𝄞\n".encode(codec)
        assert [row[0] for row in cut_all(data, [1, 1, 1, 5])] == ["größe", "π 𝄞"]


def test_reading_that_begins_within_a_wide_character_goes_on_with_the_next():
    data = "ab\ncd\n".encode("utf-16-le")
    cut = LineCutter(100).cut(data[5:], 5, encoding_of("utf-16le", b""), skipping=Skipping.NOTHING)
    assert (cut.lines.text.to_pylist(), cut.lines.starts.tolist()) == (["cd"], [6])


SAMPLES = {
    "shift_jis": "日本語ソース\n表示\n",
    "cp932": "①髙\n\n\uff5e\n",
    "euc_jp": "日本\n語\n",
    "gbk": "中文\r\n日志\n",
    "gb18030": "中文𝄞€\n日志\n",
    "big5": "功能許蓋\n中文\n",
    "euc_kr": "한국어\n로그\n",
    "cp1252": "naïve “café”\n€\n",
    "koi8-r": "журнал\nЯ ж\n",
    "latin-1": "Größe\n£\n",
}


@pytest.mark.parametrize("name", SAMPLES)
def test_other_encodings(name):
    text = SAMPLES[name]
    data = text.encode(name)
    for size in (1, 3, len(data)):
        rows = cut_all(data, [size] * len(data), name=name)
        assert [row[0] for row in rows] == text.replace("\r", "").split("\n")[:-1]


@given(st.data(), st.lists(st.integers(1, 9), max_size=9), st.integers(1, 20))
@pytest.mark.parametrize("name", ["shift_jis", "gbk", "gb18030", "big5", "euc_jp", "cp1252"])
@settings(max_examples=40)
def test_any_bytes_in_any_encoding(name, data, sizes, limit):
    parts = st.one_of(
        st.sampled_from([b"\n", b"\r\n", b"a\n", *(sign.encode(name) for sign in SAMPLES.get(name, "é"))]),
        st.binary(max_size=4),
    )
    block = b"".join(data.draw(st.lists(parts, max_size=20)))
    assert cut_all(block, sizes, name=name, limit=limit) == expected(block, limit, name=name)


@given(st.binary(max_size=60), st.lists(st.integers(1, 9), max_size=9))
def test_no_line_is_lost_where_a_codec_swallows_newlines(data, sizes):
    data = data.lstrip(b"\0") + b"\xa4\xd4\xa4\xa1\xa4\n\xa4\xd4\nx\n"
    rows = cut_all(data, sizes, name="euc_kr")
    assert len(rows) == data.count(b"\n")
    assert rows[-1][0] == "x"


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


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ebcdic", "unknown encoding 'ebcdic': write one of utf-8, latin-1, utf-16, utf-16le"),
        ("cp037", "can't be cut into lines"),
        ("utf-7", "can't be cut into lines"),
        ("iso-2022-jp", "can't be cut into lines"),
        ("raw_unicode_escape", "can't be cut into lines"),
        ("rot13", "can't be cut into lines"),
        ("utf-8\0", "unknown encoding"),
    ],
)
def test_what_can_not_be_read_is_refused(name, told):
    with pytest.raises(ValueError, match=told):
        check_encoding(name)
