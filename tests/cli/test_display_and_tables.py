from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yaat_core.cli import units
from yaat_core.cli.table import cells_wide, stream, table
from yaat_core.display import terminal_safe


@given(st.text(st.characters()))
def test_nothing_that_a_terminal_obeys_comes_through(text: str) -> None:
    safe = terminal_safe(text)
    assert not any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in safe)
    assert not set(safe) & set("\u202e\u2066\u200e\u061c\ufeff")
    safe.encode()


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_what_is_harmless_stays(text: str) -> None:
    assert terminal_safe(text) == text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a\x1b[2Jb", "a\\x1b[2Jb"),
        ("one\ntwo\tthree\r", "one\\ntwo\\tthree\\r"),
        ("\x9b31m", "\\x9b31m"),
        ("evil\u202egpj", "evil\\u202egpj"),
        ("\ud800", "\\ud800"),
        ("naïve 日本 👍", "naïve 日本 👍"),
    ],
)
def test_terminal_safe(text: str, safe: str) -> None:
    assert terminal_safe(text) == safe


def test_lines_stay_when_asked_for() -> None:
    assert terminal_safe("a\n\tb\x1b\r", lines=True) == "a\n\tb\\x1b\\r"


def test_a_table_is_aligned_and_numbers_go_to_the_right() -> None:
    lines = list(table(["name", "events"], [["app", 5], ["web-front", 1204], ["日本", None]]))
    assert lines == ["name       events", "app             5", "web-front    1204", "日本"]


def test_cells_are_made_safe_and_not_cut() -> None:
    long = "x" * 500
    lines = list(table(["h\x1b"], [["a\nb"], [long]]))
    assert lines == ["h\\x1b", "a\\nb", long]


def test_with_a_width_the_widest_cells_are_cut() -> None:
    lines = list(table(["id", "message", "n"], [["abc", "m" * 200, 12345], ["d", "日" * 100, 6]], width=40))
    assert all(cells_wide(line) <= 40 for line in lines)
    assert lines[1].startswith("abc  mmm")
    assert "…" in lines[1]
    assert "…" in lines[2]
    assert lines[1].endswith("12345")


def test_a_stream_keeps_the_widths_of_its_first_chunk() -> None:
    seen = list(stream(["a", "b"], [[["xx", 1]], [["y", 2], ["longer", 3]]]))
    assert seen == ["a   b", "xx  1", "y   2", "longer  3"]
    assert list(stream(["a", "b"], [])) == ["a  b"]
    assert list(stream(["a"], [[]])) == ["a"]


def test_a_stream_prints_before_its_end() -> None:
    def chunks() -> object:
        yield [["1"]]
        raise RuntimeError("cut")

    lines = stream(["a"], chunks())  # type: ignore[arg-type]
    assert [next(lines), next(lines)] == ["a", "1"]
    with pytest.raises(RuntimeError):
        next(lines)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.44, "0.4s"), (59.6, "1m00s"), (12, "12s"), (185, "3m05s"), (8040, "2h14m"), (273600, "3d04h")],
)
def test_durations(seconds: float, text: str) -> None:
    assert units.duration(seconds) == text


@pytest.mark.parametrize(
    ("bytes_", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 40, "5.0 TiB"), (9000 << 40, "9000.0 TiB")],
)
def test_sizes(bytes_: int, text: str) -> None:
    assert units.size(bytes_) == text
