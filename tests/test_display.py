"""What a terminal would obey never reaches it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yaat_core.display import terminal_safe

HOSTILE = {
    "\x1b[31mred": r"\x1b[31mred",
    "\x1b]52;c;cm0gLXJmIC8=\x07": r"\x1b]52;c;cm0gLXJmIC8=\x07",
    "\x1b]0;title\x1b\\": r"\x1b]0;title\x1b\\"[:-1],
    "\x9b2J": r"\x9b2J",
    "a\rb": r"a\rb",
    "a\nlevel=info all is well": r"a\nlevel=info all is well",
    "tab\there": r"tab\there",
    "back\x08space": r"back\x08space",
    "nul\x00": r"nul\x00",
    "del\x7f": r"del\x7f",
    "user\u202eexe.gpj": r"user\u202eexe.gpj",
    "\u2066isolate\u2069": r"\u2066isolate\u2069",
    "zero\u200bwidth\ufeff": r"zero\u200bwidth\ufeff",
    "line\u2028separator": r"line\u2028separator",
    "tag\U000e0041": r"tag\U000e0041",
    "half\ud800": r"half\ud800",
}


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_is_written_out(text: str) -> None:
    assert terminal_safe(text) == HOSTILE[text]


@pytest.mark.parametrize("text", ["", "plain", "Grüße, мир, 世界, 🙂", "C:\\new\\table", "50 % of [1]"])
def test_ordinary_text_stays(text: str) -> None:
    assert terminal_safe(text) == text


def test_lines_keep_their_ends_and_tabs_and_nothing_else() -> None:
    assert terminal_safe("a\n\tb\x1b[0m\r\n\u202e", lines=True) == "a\n\tb\\x1b[0m\\r\n\\u202e"


@given(st.text(st.characters()))
def test_nothing_that_controls_is_left(text: str) -> None:
    shown = terminal_safe(text)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")]
    assert not [c for c in shown if unicodedata.bidirectional(c) in ("LRE", "RLE", "LRO", "RLO", "PDF")]
    shown.encode("utf-8")  # raises for half a surrogate pair
