"""Rust: panics (std/src/panicking.rs, before and since 1.73) and errors of anyhow with backtraces."""

from __future__ import annotations

from typing import Final

from yaat_kit.traces.grammar import BLANK, TEXT, Grammar, State

_PANICKED: Final = r"thread '.*' (?:\(\d+\) )?panicked at .*:\d+:\d+:$"
_PANICKED_OLD: Final = r"thread '.*' panicked at .*:\d+:\d+$"
_BACKTRACE: Final = r"[Ss]tack backtrace:$"
_NOTE: Final = r"note: "
_INDENTED: Final = r"\s+\S"
_CAUSED: Final = r"(?:Caused by|Location):$"
_ERROR: Final = r"Error: "

_ENDING: Final = ((_NOTE, "note"), (_BACKTRACE, "backtrace"))

RUST: Final = Grammar(
    anchors=(
        (_PANICKED, "panicked"),
        (_PANICKED_OLD, "said"),
        (_BACKTRACE, "backtrace"),
        (_CAUSED, "caused"),
    ),
    bare=(_PANICKED, _PANICKED_OLD, _ERROR),
    header=_ERROR,
    through_blank=True,
    states={
        "panicked": State((*_ENDING, (TEXT, "said")), title=True),
        "said": State((*_ENDING, (TEXT, "text"), (BLANK, "text")), title=True),
        "text": State((*_ENDING, (TEXT, "text"), (BLANK, "text")), accepts=False, title=True),
        "backtrace": State(((_INDENTED, "backtrace"), (_NOTE, "note"))),
        "note": State(((_NOTE, "note"),)),
        "caused": State(((_INDENTED, "caused"), (BLANK, "gap"))),
        "gap": State(((_CAUSED, "caused"), (_BACKTRACE, "backtrace")), accepts=False),
    },
)
